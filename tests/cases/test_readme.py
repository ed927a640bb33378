"""What the READMEs promise is what the policies promise: every line, rule and time, and none besides."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import policies
from cases.names import Starts
from settings import ROOT

READMES = {
    "README.md": {
        "received": Starts.RECEIVED,
        "the finding": Starts.FINDING,
        "consent": Starts.CONSENT,
        "complete documents": Starts.DOCUMENTS,
    },
    "README.zh-CN.md": {
        "收到投诉": Starts.RECEIVED,
        "核实结果": Starts.FINDING,
        "客户同意": Starts.CONSENT,
        "单据齐全": Starts.DOCUMENTS,
    },
}
"""How each says what a promise's time runs from."""

ROW = re.compile(
    r"^\| (?:`(?P<line>\w+)`)? ?\| (?P<rule>\w\d) \| `(?P<name>\w+)` "
    r"\| .+? \| `(?P<within>[^`]+)`.*? \| (?P<starts>.+?) \|$",
    re.MULTILINE,
)


class Promised(NamedTuple):
    line: str
    rule: str
    name: str
    within: str
    starts: Starts


def promised_by_policies() -> list[Promised]:
    known = policies.load(Path(policies.__file__).parent)
    return sorted(
        Promised(line, rule.rule, rule.name, rule.within, rule.starts)
        for line, policy in known.items()
        for rule in policy.promises
    )


def promised_in(text: str, words: dict[str, Starts]) -> Iterator[Promised]:
    """The rows of the table of promises; a row without a line belongs to that of the row before."""
    line = ""
    for row in re.findall(
        r"^\| (?:`(\w+)`)? ?\| (\w\d) \| `(\w+)` \| .+? \| `([^`]+)`.*? \| (.+?) \|$", text, re.MULTILINE
    ):
        line = row[0] or line
        yield Promised(line, row[1], row[2], row[3], words[row[4]])


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_promises_what_the_policies_promise(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")

    assert sorted(promised_in(text, READMES[readme])) == promised_by_policies()


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize(("old", "new"), [("`15m`", "`16m`"), ("| B3 |", "| B9 |"), ("`express`", "`parcels`")])
def test_a_readme_that_promises_something_else_is_noticed(readme: str, old: str, new: str) -> None:
    """The guard bites."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert old in text

    assert sorted(promised_in(text.replace(old, new), READMES[readme])) != promised_by_policies()
