"""An id that is typed or pasted is the one that it looks like, or is refused (S29)."""

import re

import click
import pytest
from pydantic import TypeAdapter

from cases.complaint import CaseId as InComplaints
from console.arguments import _CASE_ID, CASE


@pytest.mark.parametrize("typed", ["HL-1", "case-HL-1", " HL-1 ", "ＨＬ-1", "case-ＨＬ-１", "HL-1\u3000"])
def test_a_case_is_found_by_its_id_however_wide_its_letters_are(typed: str) -> None:
    """S29."""
    assert CASE.convert(typed, None, None) == "HL-1"


@pytest.mark.parametrize(
    ("typed", "shown"), [("HL-1\u200b", "'HL-1\\u200b'"), ("HL\u00ad-1", "'HL\\xad-1'"), ("HL 1", "'HL 1'")]
)
def test_what_cannot_be_an_id_is_shown_with_what_nobody_sees(typed: str, shown: str) -> None:
    """S29: instead of a sentence that says that there is no case of the id that everybody sees."""
    with pytest.raises(click.UsageError, match=re.escape(f"{shown} is not a case id")):
        CASE.convert(typed, None, None)


@pytest.mark.parametrize("typed", ["", " ", "case-"])
def test_no_id_at_all_is_asked_for(typed: str) -> None:
    with pytest.raises(click.UsageError, match="enter a case id"):
        CASE.convert(typed, None, None)


def test_both_patterns_are_the_same() -> None:
    assert TypeAdapter(InComplaints).json_schema()["pattern"] == f"^{_CASE_ID.pattern}$"
