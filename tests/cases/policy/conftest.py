"""A folder with a line of business made up for tests, to be edited."""

from collections.abc import Callable
from pathlib import Path

import pytest

import policies
from cases.errors import InvalidInput

FOLDER = Path(policies.__file__).parent
LINE, SHARED = "bicycles.yaml", "every_line.yaml"


BICYCLES = """
line: bicycles
name: "1"
title: {zh-CN: 自行车, en: Bicycles}
calendar: CN
topics:
  transport.damage: {title: {zh-CN: 破损, en: Damage}, team: workshop, severities: [minor, severe], evidence: [photo]}
  transport.loss: {title: {zh-CN: 丢失, en: Loss}, team: workshop, look_up: [trail]}
promises:
  - {rule: Y1, name: acknowledge, topics: [transport.*], within: 2h}
  - {rule: Y2, name: detailed_result, within: 3 working days, pausable: true}
  - {rule: Y3, name: progress_update, within: 24h, starts: consent}
remedies:
  - rule: Y10
    topics: [transport.damage]
    when: {severity: minor}
    options:
      keep:
        - {do: compensation, amount: 5 x freight}
      back:
        - {do: refund, amount: affected items less 12.00}
        - {do: collection, items: affected}
  - rule: Y11
    topics: [transport.loss]
    when: {lost: true}
    options:
      back:
        - {do: refund, amount: order}
        - {do: compensation, amount: 10-20% of order}
  - rule: Y12
    topics: [transport.loss]
    when: {days_late: 1 to 2}
    options:
      wait:
        - {do: gift, at_once: true}
"""
"""A sixth line of business, made up here: it needs no code."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy folder with one line and the shared rules, to be edited."""
    (tmp_path / LINE).write_text(BICYCLES, encoding="utf-8")
    (tmp_path / SHARED).write_text((FOLDER / SHARED).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str, str], None]:
    """Put one text in place of another in one of the files; it has to be there."""

    def change(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


Edit = Callable[[str, str, str], None]


def faults(folder: Path) -> list[tuple[str, str]]:
    """What is wrong, and where."""
    with pytest.raises(InvalidInput) as error:
        policies.load(folder)
    return [(problem.field, problem.problem) for problem in error.value.problems]
