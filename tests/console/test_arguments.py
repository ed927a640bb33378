"""An id that is typed or pasted is normalised as it looks, or refused (S29)."""

import re

import click
import pytest
from pydantic import TypeAdapter

from cases.complaint import CaseId as InComplaints
from console.arguments import _CASE_ID, CASE


@pytest.mark.parametrize("typed", ["HL-1", "case-HL-1", " HL-1 ", "ＨＬ-1", "case-ＨＬ-１", "HL-1\u3000"])
def test_case_is_found_by_an_id_in_full_width_characters(typed: str) -> None:
    """S29."""
    assert CASE.convert(typed, None, None) == "HL-1"


@pytest.mark.parametrize(
    ("typed", "shown"), [("HL-1\u200b", "'HL-1\\u200b'"), ("HL\u00ad-1", "'HL\\xad-1'"), ("HL 1", "'HL 1'")]
)
def test_refused_id_is_shown_with_its_invisible_characters(typed: str, shown: str) -> None:
    """S29: rather than "there is no case" for an id that looks right."""
    with pytest.raises(click.UsageError, match=re.escape(f"{shown} is not a case id")):
        CASE.convert(typed, None, None)


@pytest.mark.parametrize("typed", ["", " ", "case-"])
def test_missing_id_is_asked_for(typed: str) -> None:
    with pytest.raises(click.UsageError, match="enter a case id"):
        CASE.convert(typed, None, None)


def test_shell_and_message_patterns_of_ids_are_equal() -> None:
    assert TypeAdapter(InComplaints).json_schema()["pattern"] == f"^{_CASE_ID.pattern}$"
