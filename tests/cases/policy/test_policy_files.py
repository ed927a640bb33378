"""A business edits files, not the program: a new line needs no code, and no change goes unnoticed."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import policies
from cases.calendar import CalendarTerms, WorkCalendar
from cases.entitlement.granting import assess
from cases.errors import InvalidInput
from cases.policy.policy import matches
from cases.progress.opening import open_case as opened
from cases.state.finding import PartialFinding
from cases.vocabulary import Channel, PromiseName
from console.policy_files import check
from settings import ROOT
from tests.cases.lines import plan_line
from tests.cases.policy.conftest import BICYCLES, LINE, SHARED, Edit, faults
from tests.cases.world import START, a_complaint, in_force, open_case
from tests.complaints import check_complaint


def numbered(letter: str, first: int, last: int) -> list[str]:
    """`B10` to `B21`."""
    return [f"{letter}{number}" for number in range(first, last + 1)]


# Contents


RULES = {
    "building_materials": [*numbered("B", 1, 5), *numbered("B", 10, 21)],
    "fresh_food": [*numbered("F", 1, 5), *numbered("F", 10, 16)],
    "infant_formula": [*numbered("M", 1, 5), *numbered("M", 10, 15), "G7"],
    "organic_food": [*numbered("O", 1, 6), "G7", *numbered("F", 10, 15), *numbered("M", 10, 12), "M14"],
    "express": [*numbered("E", 1, 4), "G7", *numbered("E", 10, 14), "G3"],
}
"""The rules of each line, by their ids; B22 says that B10–B12 hold for the quality of goods, too."""


def test_the_policies_that_are_delivered_are_valid() -> None:
    found = in_force()

    assert found.keys() == RULES.keys()
    assert all(found[line].line == line for line in found)


@pytest.mark.parametrize("line", RULES)
def test_every_rule_of_the_business_is_in_its_lines_file(line: str) -> None:
    """B1–E14: none forgotten, none invented."""
    policy = in_force()[line]

    written = {p.rule for p in policy.promises} | {r.rule for r in policy.remedies}
    written |= {p.rule for p in policy.precautions} | {i.rule for i in policy.investigations}
    assert written == set(RULES[line])


@pytest.mark.parametrize("line", RULES)
def test_every_topic_has_an_answer_an_update_and_names_in_both_languages(line: str) -> None:
    """G2, G7, G9: every complaint gets a first answer, and a cause is prevented."""
    policy = in_force()[line]

    for name, topic in policy.topics.items():
        promised = {p.name for p in policy.promises if matches(p.topics, name) and not matches(p.except_topics, name)}
        assert {"acknowledge", "progress_update"} <= promised
        assert topic.title.zh
        assert topic.title.en
        assert topic.answered_from or topic.prevention
        assert any(matches(rule.topics, name) for rule in policy.remedies)


@pytest.mark.parametrize("line", RULES)
@pytest.mark.parametrize("channel", Channel)
def test_every_complaint_is_acknowledged_once(line: str, channel: Channel) -> None:
    """G2: on every topic and channel, urgent or not, one rule says how soon."""
    policy = in_force()[line]

    for topic in policy.topics:
        for urgent in (False, True):
            made = [p.name for p in policy.promises if p.concerns(topic, channel, urgent=urgent) and not p.complex]
            assert made.count(PromiseName.ACKNOWLEDGE) == 1
            assert len(set(made)) == len(made)


# The version


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [(LINE, "within: 2h", "within: 3h"), (LINE, "5 x freight", "6 x freight"), (SHARED, "at: 80%", "at: 81%")],
)
def test_a_changed_number_changes_the_version(folder: Path, edit: Edit, name: str, old: str, new: str) -> None:
    """S18: in either file."""
    before = policies.load(folder)["bicycles"].version

    edit(name, old, new)

    after = policies.load(folder)["bicycles"].version
    assert after != before
    assert after.startswith("1+")


@pytest.mark.parametrize(("within", "same"), [("3 working days", False), ("8 working hours", False), ("3 days", True)])
def test_another_edition_of_the_calendar_is_another_version_where_working_time_is_counted(
    folder: Path, edit: Edit, within: str, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S33: one version is never used for two sets of terms."""
    edit(LINE, "within: 3 working days", f"within: {within}")
    before = policies.load(folder)["bicycles"].version
    known = policies.work_calendar

    def announced(terms: CalendarTerms, zone: str) -> WorkCalendar:
        days = known(terms, zone)
        return days.model_copy(update={"exceptions": {**days.exceptions, date(2027, 12, 24): False}})

    monkeypatch.setattr(policies, "work_calendar", announced)

    assert (policies.load(folder)["bicycles"].version == before) is same


def test_a_comment_changes_no_version(folder: Path, edit: Edit) -> None:
    before = policies.load(folder)["bicycles"].version

    edit(LINE, "line: bicycles", "# a remark\nline: bicycles")

    assert policies.load(folder)["bicycles"].version == before


def bicycle(**fields: Any) -> dict[str, Any]:
    """A complaint about one bicycle."""
    order = {"amount": "500.00", "freight": "9.99", "items": [{"sku": "B-1", "quantity": 1, "unit_price": "450.00"}]}
    return {"line": "bicycles", "order": order, "affected": None, **fields}


def test_a_changed_number_is_what_the_next_case_promises_and_pays(folder: Path, edit: Edit) -> None:
    """All numbers live in policy files, never in code."""
    edit(LINE, "within: 2h", "within: 3h")
    edit(LINE, "5 x freight", "6 x freight")

    world = open_case(policy=policies.load(folder)["bicycles"], **bicycle())
    world.says("assess", severity="minor")

    assert world.due("acknowledge") == START + timedelta(hours=3)
    assert world.options["keep"]["compensation"] == {"amount": "59.94"}


def test_a_lines_own_file_overrides_what_every_line_shares(folder: Path, edit: Edit) -> None:
    edit(LINE, "topics:", "stalled_after: 60 days\ntopics:")

    assert policies.load(folder)["bicycles"].stalled_after == "60 days"


# More lines


def test_a_sixth_line_of_business_is_a_file_and_no_code(folder: Path) -> None:
    """With its own amounts, its working days, and the evidence that it asks for."""
    complaint = a_complaint(**bicycle())

    answer = plan_line(
        json.dumps({"complaint": complaint, "finding": {"severity": "minor"}}), policies.load(folder), START
    )

    options: dict[str, Any] = {o["key"]: o["remedies"] for o in answer["offer"]["options"]}
    assert [r["amount"] for r in options["keep"]] == ["49.95"]
    assert options["back"][0]["amount"] == "438.00"
    assert options["back"][1]["items"] == [{"sku": "B-1", "quantity": 1}]
    assert [(p["name"], p["due_at"]) for p in answer["promises"]] == [
        ("acknowledge", "2026-11-18T11:00:00+08:00"),
        ("detailed_result", "2026-11-23T09:00:00+08:00"),
    ]
    assert answer["evidence_needed"] == ["photo"]


def test_a_sixth_line_of_business_opens_cases(folder: Path) -> None:
    """Its own promises, evidence and remedies apply to a case from the start."""
    line = policies.load(folder)["bicycles"]
    complaint = check_complaint(a_complaint(**bicycle(topic="transport.loss")), START)

    case = opened(complaint, line, START)

    assert (case.team, case.policy.version) == ("workshop", line.version)
    assert [p.name for p in case.promises] == ["acknowledge", "detailed_result"]
    assert [option.key for option in assess(case.policy, complaint, PartialFinding(lost=True)).options] == ["back"]


def test_a_sixth_line_of_business_is_checked_and_shown(folder: Path, edit: Edit) -> None:
    """Contract, `policy check`: valid files are listed, and faults are reported with file, key and reason."""
    right = CliRunner().invoke(check, [str(folder / LINE)], standalone_mode=False)
    edit(LINE, "calendar: CN", "calendar: {country: XX}")
    wrong = CliRunner().invoke(check, [str(folder / LINE)], standalone_mode=False)

    assert (right.return_value, right.output) == (0, f"{LINE}: bicycles {right.output.split()[2]} valid\n")
    assert wrong.return_value == 2
    assert wrong.output.startswith(f"{LINE}: calendar.country: there is no calendar for XX")


@pytest.mark.parametrize(("kind", "needed"), [("photo", []), ("video", []), ("document", ["photo"])])
def test_a_video_serves_as_a_photo(folder: Path, kind: str, needed: list[str]) -> None:
    """Contract, `plan`."""
    complaint = a_complaint(**bicycle(evidence=[{"kind": kind, "uri": "s3://1"}]))

    assert plan_line(json.dumps({"complaint": complaint}), policies.load(folder), START)["evidence_needed"] == needed


def test_two_lines_in_one_folder_are_two_policies(folder: Path) -> None:
    (folder / "tandems.yaml").write_text(BICYCLES.replace("line: bicycles", "line: tandems"), encoding="utf-8")

    assert sorted(policies.load(folder)) == ["bicycles", "tandems"]


def test_two_files_of_one_line_are_a_fault(folder: Path) -> None:
    (folder / "zz_copy.yaml").write_text(BICYCLES, encoding="utf-8")

    assert faults(folder) == [("zz_copy.yaml: line", "bicycles already has a file")]


def test_what_is_missing_for_an_amount_is_asked_for(folder: Path, edit: Edit) -> None:
    """G3: the declared value of a parcel, say."""
    edit(LINE, "calendar: CN", "damaged_share: {minor: 30%, severe: 100%}")
    edit(LINE, "5 x freight", "10% of declared value x damaged share")

    answer = plan_line(
        json.dumps({"complaint": a_complaint(**bicycle()), "finding": {"severity": "minor"}}),
        policies.load(folder),
        START,
    )

    assert answer["missing"] == ["order.declared_value"]


def test_policies_whose_days_off_are_looked_up_when_they_are_used_are_the_same() -> None:
    """S33: the same versions."""
    assert dict(policies.known_policies()) == policies.load(ROOT / "policies")


def test_a_calendar_that_nobody_knows_is_refused_when_its_line_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S33: by its file and key; the other lines can be used."""
    folder = shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = folder / "organic_food.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("calendar: CN", "calendar: XX"), encoding="utf-8")
    monkeypatch.setenv("AFTER_SALES_POLICIES", str(folder))

    known = policies.known_policies()

    assert known["fresh_food"].line == "fresh_food"
    with pytest.raises(InvalidInput, match=r"organic_food\.yaml: calendar\.country: there is no calendar for XX"):
        known["organic_food"]
