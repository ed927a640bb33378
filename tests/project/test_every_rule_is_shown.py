"""Every rule of the business has a place in a policy file and a test that names it."""

import re

import policies
from docs.tested import PAGE, RULES, named, page, shown_by
from settings import ROOT

IN_WORDS = {"B22"}
"""Rules that only say which other rules apply."""


def test_every_rule_has_a_test() -> None:
    assert [rule for rule, shown in shown_by().items() if not shown] == []


def test_page_of_tested_rules_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m docs.tested"


def test_every_promise_and_remedy_of_a_line_is_in_a_policy_file() -> None:
    files = [path.read_text(encoding="utf-8") for path in (ROOT / "policies").glob("*.yaml")]
    written = {rule for text in files for rule in re.findall(r"rule: (\w+)", text)}
    of_lines = {rule for rule in RULES if rule[0] in "BFMOE"} - IN_WORDS

    assert of_lines - written == set()
    assert written - set(RULES) == set(), "a policy file names a rule that does not exist"


def test_every_policy_of_the_folder_is_in_force() -> None:
    assert len(policies.load(ROOT / "policies")) == len(list((ROOT / "policies").glob("*.yaml"))) - 1


def test_rule_ids_are_recognised_in_text() -> None:
    assert named("F10–F12, S3: and B1; not XB2, M99 or G") == {"F10", "F11", "F12", "S3", "B1"}
