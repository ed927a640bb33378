"""The READMEs promise what the policies promise, and show what the program does."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import click
import pytest

import policies
from cases.complaint import Complaint
from cases.vocabulary import Starts
from console.example import example
from settings import ROOT
from starter import cli

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
"""How each README writes what a promise counts from."""

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
    """Return the rows of the table of promises; a row without a line belongs to that of the row before."""
    line = ""
    for row in re.findall(
        r"^\| (?:`(\w+)`)? ?\| (\w\d) \| `(\w+)` \| .+? \| `([^`]+)`.*? \| (.+?) \|$", text, re.MULTILINE
    ):
        line = row[0] or line
        yield Promised(line, row[1], row[2], row[3], words[row[4]])


@pytest.mark.parametrize("readme", READMES)
def test_readme_promises_what_the_policies_promise(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")

    assert sorted(promised_in(text, READMES[readme])) == promised_by_policies()


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize(("old", "new"), [("`15m`", "`16m`"), ("| B3 |", "| B9 |"), ("`express`", "`parcels`")])
def test_readme_that_promises_something_else_is_detected(readme: str, old: str, new: str) -> None:
    """The guard fails when it should."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert old in text

    assert sorted(promised_in(text.replace(old, new), READMES[readme])) != promised_by_policies()


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def commands(readme: str) -> Iterator[list[str]]:
    """Return the arguments of `starter.py`, without comments, pipes and placeholders."""
    for line in "".join(blocks(readme, "sh")).splitlines():
        if "python starter.py" in line:
            words = shlex.split(line.split("python starter.py")[1].split(" | ")[0].split(" > ")[0], comments=True)
            yield [word.rstrip(")").replace("$CASE", "HL-1") for word in words]


@pytest.mark.parametrize("readme", READMES)
def test_complaint_in_a_readme_is_the_printed_example(readme: str) -> None:
    (shown,) = blocks(readme, "json")
    then = datetime.fromisoformat(json.loads(shown)["received_at"])
    policy = policies.load(ROOT / "policies")["building_materials"]

    assert json.loads(shown) == example(policy, None, then)
    assert Complaint.model_validate(json.loads(shown))


@pytest.mark.parametrize("readme", READMES)
def test_every_command_in_a_readme_is_valid(readme: str) -> None:
    found = list(commands(readme))

    assert len(found) > 10
    for name, *arguments in found:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        given = ["-" if argument.endswith(".json") else argument for argument in arguments]
        command.make_context(name, given)


def test_readmes_show_the_same_commands() -> None:
    first, second = (list(commands(readme)) for readme in READMES)

    assert first == second
