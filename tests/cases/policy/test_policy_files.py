"""A business edits files, not the program: every fault is told with file, key and reason; no change goes unnoticed."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import policies
from cases.calendar import WEEK, CalendarTerms, WorkCalendar
from cases.complaint import check_complaint
from cases.entitlement.granting import assess
from cases.errors import InvalidInput
from cases.policy.amounts import amount
from cases.policy.conditions import bounds
from cases.policy.policy import matches
from cases.progress.opening import open_case as opened
from cases.state.finding import PartialFinding
from cases.vocabulary import Channel, PromiseName
from console.policy_files import check
from tests.cases.lines import plan_line
from tests.cases.world import START, a_complaint, in_force, open_case

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
    """A line of its own, with what every line shares; to be edited."""
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


def numbered(letter: str, first: int, last: int) -> list[str]:
    """`B10` to `B21`."""
    return [f"{letter}{number}" for number in range(first, last + 1)]


def faults(folder: Path) -> list[tuple[str, str]]:
    """What is wrong, and where."""
    with pytest.raises(InvalidInput) as error:
        policies.load(folder)
    return [(problem.field, problem.problem) for problem in error.value.problems]


# What there is


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
def test_every_rule_of_the_business_stands_in_its_lines_file(line: str) -> None:
    """B1–E14: none forgotten, none invented."""
    policy = in_force()[line]

    written = {p.rule for p in policy.promises} | {r.rule for r in policy.remedies}
    written |= {p.rule for p in policy.precautions} | {i.rule for i in policy.investigations}
    assert written == set(RULES[line])


@pytest.mark.parametrize("line", RULES)
def test_every_topic_has_an_answer_an_update_and_names_in_both_languages(line: str) -> None:
    """G2, G7, G9: nobody waits for a first word; what is complained about is prevented."""
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


# Faults


FAULTS = [
    ("within: 2h", "within: 2 hours", "promises.0.within", '"2 hours" is no duration; write 30s'),
    ("within: 2h", "within: 0m", "promises.0.within", "no time at all"),
    ("amount: 5 x freight", "amount: 5 x luck", "remedies.0.options.keep.0.amount", "is no amount; write 5%"),
    ("10-20% of order", "20-10% of order", "remedies.1.options.back.1.amount", "ends below where"),
    ("days_late: 1 to 2", "days_late: at most 1", "remedies.2.when", "is no range; write 1 to 2"),
    ("{severity: minor}", "{gravity: minor}", "remedies.0.when", "gravity is nothing a finding holds"),
    ("{lost: true}", "{lost: perhaps}", "remedies.1.when", "lost is true or false"),
    ("do: gift", "do: miracle", "remedies.2.options.wait.0.do", "input should be"),
    ("do: gift", "amount: 5% of order, do: gift", "remedies.2.options.wait.0", "gift has no amount"),
    ("do: refund, amount: order", "do: refund", "remedies.1.options.back.0", "refund needs an amount"),
    ("do: gift", "items: affected, do: gift", "remedies.2.options.wait.0", "gift moves no items"),
    ("team: workshop", "teem: workshop", "topics.transport.damage.teem", "is not known here"),
    ("name: detailed_result", "name: detailed_results", "promises.1.name", "input should be"),
    ("starts: consent", "starts: whenever", "promises.2.starts", "input should be"),
    ("topics: [transport.*]", "topics: [transprt.*]", "promises Y1", "no topic of bicycles is like transprt.*"),
    ("topics: [transport.damage]", "topics: [transport.dent]", "remedies Y10", "is like transport.dent"),
    ("[minor, severe]", "[minor, awful]", "topics.transport.damage.severities.1", "input should be"),
    ("title: {zh-CN: 自行车, en: Bicycles}", "title: {zh-CN: 自行车}", "title.en", "is required"),
    ("wait:\n        - {do: gift, at_once: true}", "wait: []", "remedies.2.options.wait", "at least 1 item"),
    ("calendar: CN", "calendar: XX", "calendar.country", "there is no calendar of XX; write plain, or a country's"),
    ("calendar: CN", "calendar: 7", "calendar", "input should be"),
    ("calendar: CN", "calendar: {country: DE, subdivision: XX}", "calendar.subdivision", "DE has no XX; it has BB, BE"),
    ("calendar: CN", "calendar: {subdivision: BY}", "calendar", "a subdivision needs its country"),
    ("calendar: CN", "calendar: {country: DE, holidays: none}", "calendar.holidays", "is not known here"),
    ("calendar: CN", 'calendar: {opens: "9"}', "calendar.opens", 'a time of day in quotes, such as "09:00"'),
    ("calendar: CN", "calendar: {opens: 9}", "calendar.opens", 'a time of day in quotes, such as "09:00"'),
    ("calendar: CN", 'calendar: {closes: "24:00"}', "calendar.closes", "a time of day"),
    ("calendar: CN", 'calendar: {opens: "18:00", closes: "09:00"}', "calendar", "closes at 09:00, which is not after"),
    ("calendar: CN", "calendar: {weekend: [someday]}", "calendar.weekend.0", "input should be 'monday'"),
    ("calendar: CN", f"calendar: {{weekend: [{', '.join(WEEK)}]}}", "calendar", "no working day ever comes"),
    ("calendar: CN", "timezone: Mars/Base", "timezone", "there is no time zone Mars/Base; write one such as Asia/Sha"),
    ("calendar: CN", "version: mine", "version", "is worked out, not written"),
    ("calendar: CN", "working_days: {}", "working_days", "is worked out, not written"),
    ("calendar: CN", "satisfaction_target: lots", "satisfaction_target", "valid number"),
    ("calendar: CN", "evidence: {remind_after: 12h}", "evidence", "needs one of go_on_after and close_after"),
    ("calendar: CN", "damaged_share: {awful: 30%}", "damaged_share.awful", "input should be 'minor'"),
    ("5 x freight", "freight x damaged share", "damaged_share", "says nothing of minor, severe, which remedies Y10"),
    ("calendar: CN", "precautions: [{rule: Y9, topics: [x], do: search}]", "precautions Y9", "is like x"),
    (
        "calendar: CN",
        "precautions: [{rule: Y9, topics: ['*'], do: refund}]",
        "precautions.0.do",
        "nothing is paid before",
    ),
    (
        "calendar: CN",
        "investigations: [{rule: Y9, topics: ['*'], establishes: severity, do: search, within: 3 days}]",
        "investigations.0",
        "only a loss can be established by waiting",
    ),
    ("evidence: [photo]", "evidence: [selfie]", "topics.transport.damage.evidence.0", "input should be 'photo'"),
    (
        "team: workshop",
        "team: workshop, answered_from: luck",
        "topics.transport.damage.answered_from",
        "'trail', 'policy'",
    ),
    ("starts: consent", "starts: consent, complex: true", "promises.2", "runs from receipt, not from consent"),
    ("starts: consent", "kept_when: hoped for", "promises.2.kept_when", "input should be 'customer reached'"),
    ("starts: consent", "picking_up_counts: perhaps", "promises.2.picking_up_counts", "valid boolean"),
    ("starts: consent", "target: often", "promises.2.target", "valid number"),
]
"""What is put in place of what; the key and the reason that are told."""


@pytest.mark.parametrize(("change", "where", "says"), [(fault[:2], *fault[2:]) for fault in FAULTS])
def test_each_kind_of_fault_is_told_with_file_key_and_reason(
    folder: Path, edit: Edit, change: tuple[str, str], where: str, says: str
) -> None:
    edit(LINE, *change)

    told = faults(folder)

    assert any(field.startswith(f"{LINE}: {where}") and says in problem for field, problem in told), told


LIMIT = "compensation_limit: 30% of order"
SHARED_FAULTS = [
    ("{role: team_lead, at: 100%}", "{role: team_lead, at: 99%}", "", "one at 100%, where the promise breaks"),
    ("{role: manager, at: 150%}", "{role: manager, at: 70%}", "", "must rise from rung to rung"),
    ("{role: director, at: 200%}", "{role: director, at: 0%}", "escalation.3.at", "greater than 0"),
    ("{role: director, at: 200%}", "{role: king, at: 200%}", "escalation.3.role", "input should be"),
    ("attempts: 3", "attempts: 0", "callback.attempts", "greater than or equal to 1"),
    ("close_after: 7 days", "close_after: a week", "silence.close_after", "is no duration"),
    ("manager_limit: 100% of order", "manager_limit: lots", "manager_limit", "is no amount"),
    ("tell: team_lead", "tel: team_lead", "silence.tel", "is not known here"),
    (LIMIT, "compensation_limit: a third", "compensation_limit.0", "is no amount"),
    (LIMIT, "compensation_limit: 20-30% of order", "compensation_limit.0", "is no limit of an order"),
    (LIMIT, "compensation_limit: 1% of order per day late", "compensation_limit.0", "is no limit of an order"),
    (LIMIT, "compensation_limit: goods value x damaged share", "compensation_limit.0", "is no limit of an order"),
    (LIMIT, "compensation_limit: [order, affected items]", "compensation_limit.1", "is no limit of an order"),
    (LIMIT, "compensation_limit: []", "compensation_limit", "is missing: write one, such as 30% of order"),
    (LIMIT, "", "compensation_limit", "is missing: write one, such as 30% of order"),
]


@pytest.mark.parametrize(("change", "where", "says"), [(fault[:2], *fault[2:]) for fault in SHARED_FAULTS])
def test_a_fault_in_what_every_line_shares_is_told_with_key_and_reason(
    folder: Path, edit: Edit, change: tuple[str, str], where: str, says: str
) -> None:
    """G10, G5, G8: a ladder without a rung where the promise breaks would tell nobody that it broke."""
    edit(SHARED, *change)

    told = faults(folder)

    assert any(where in field and says in problem for field, problem in told), told


def test_a_fault_in_what_every_line_shares_names_that_file(folder: Path, edit: Edit) -> None:
    """A business looks where it is told to look."""
    edit(SHARED, "attempts: 3", "attempts: 0")

    assert [field for field, _ in faults(folder)] == [f"{SHARED}: callback.attempts"]


def test_a_key_that_stands_twice_is_told_with_its_line(folder: Path, edit: Edit) -> None:
    """Else the second would silently win."""
    edit(LINE, 'name: "1"', 'name: "1"\nline: bicycles')

    ((field, problem),) = faults(folder)

    lines = (folder / LINE).read_text(encoding="utf-8").splitlines()
    second = lines.index("line: bicycles", lines.index("line: bicycles") + 1)
    assert field == f"{LINE}: line {second + 1}"
    assert 'duplicate key "line"' in problem


@pytest.mark.parametrize("text", ['"\u202edrow": 1\n"\u202edrow": 2', "line: \x00", "line: \x1b[2J"], ids=range(3))
def test_a_fault_gives_the_terminal_no_orders(folder: Path, text: str) -> None:
    """The parser repeats what it could not read, and names the place over several lines."""
    (folder / LINE).write_text(text, encoding="utf-8")

    ((_, problem),) = faults(folder)

    assert problem.isprintable()


def test_a_fault_in_a_value_gives_the_terminal_no_orders(folder: Path, edit: Edit) -> None:
    """The sentence repeats what was written there."""
    edit(LINE, "within: 2h", 'within: "\u202e2h\\x1b"')

    ((field, problem),) = faults(folder)

    assert field == f"{LINE}: promises.0.within"
    assert problem.startswith('"\N{REPLACEMENT CHARACTER}2h\N{REPLACEMENT CHARACTER}" is no duration')


def test_what_is_no_yaml_is_told_with_its_line(folder: Path) -> None:
    (folder / LINE).write_text("line: bicycles\ntopics: [a, b\nname: x", encoding="utf-8")

    ((field, problem),) = faults(folder)

    assert field.startswith(f"{LINE}: line ")
    assert problem


@pytest.mark.parametrize("content", ["", "just words", "- a\n- b\n", "12", "null"])
def test_a_file_that_holds_no_keys_is_told_so(folder: Path, content: str) -> None:
    (folder / LINE).write_text(content, encoding="utf-8")

    assert faults(folder) == [(LINE, "must be a mapping of keys to values")]


def test_a_file_in_another_encoding_is_told_so(folder: Path) -> None:
    (folder / LINE).write_bytes("line: 建材".encode("gb18030"))

    ((field, problem),) = faults(folder)

    assert (field, problem.split(":")[0]) == (LINE, "is not YAML")


def test_a_file_that_is_missing_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml: cannot be read: No such file"):
        policies.load_file(tmp_path / "nowhere.yaml")


def test_a_folder_without_policies_is_told_so(tmp_path: Path) -> None:
    (tmp_path / SHARED).write_text("timezone: Asia/Shanghai", encoding="utf-8")

    assert faults(tmp_path) == [(str(tmp_path), "holds no policy files (*.yaml)")]
    assert faults(tmp_path / "nowhere")[0][1] == "holds no policy files (*.yaml)"


def test_what_the_shared_file_would_have_said_is_required(folder: Path) -> None:
    (folder / SHARED).unlink()

    assert (f"{LINE}: escalation", "is required") in faults(folder)


def test_all_faults_of_all_files_are_told_at_once(folder: Path, edit: Edit) -> None:
    edit(LINE, "within: 2h", "within: soon")
    edit(LINE, "5 x freight", "some")
    (folder / "other.yaml").write_text("- no mapping", encoding="utf-8")

    assert [field.split(":")[0] for field, _ in faults(folder)] == [LINE, LINE, "other.yaml"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param(
            LINE, "rule: Y2, name", "except_topics: [gods.*], rule: Y2, name", id="an exception that no topic is like"
        ),
        pytest.param(LINE, "when: {severity: minor}", "when: {severity: minr}", id="a severity that there is not"),
        pytest.param(LINE, "days_late: 1 to 2", "days_late: 2 to 1", id="a range that ends before it begins"),
        pytest.param(SHARED, "{role: manager, at: 150%}", "{role: manager, at: 100%}", id="two rungs at one height"),
        pytest.param(SHARED, "at: 100%}", "at: 100%, urgent: 50%}", id="a breach told before it happens"),
    ],
)
def test_a_rule_that_would_never_count_is_a_fault(folder: Path, edit: Edit, name: str, old: str, new: str) -> None:
    """A misspelt policy silently promises something else."""
    edit(name, old, new)

    assert faults(folder)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param(SHARED, "at: 150%", "at: lots%", id="a share that is no number"),
        pytest.param(LINE, "line: bicycles", "1: one\nline: bicycles", id="a key that is no text"),
    ],
)
def test_no_fault_of_a_file_is_a_traceback(folder: Path, edit: Edit, name: str, old: str, new: str) -> None:
    """Contract: no traceback for anything a user can cause."""
    edit(name, old, new)

    assert faults(folder)


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
    """S33: one name never stands for two sets of terms."""
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
    """Its own promises, evidence and remedies hold for a case from the first moment."""
    line = policies.load(folder)["bicycles"]
    complaint = check_complaint(a_complaint(**bicycle(topic="transport.loss")), START)

    case = opened(complaint, line, START)

    assert (case.team, case.policy.version) == ("workshop", line.version)
    assert [p.name for p in case.promises] == ["acknowledge", "detailed_result"]
    assert [option.key for option in assess(case.policy, complaint, PartialFinding(lost=True)).options] == ["back"]


def test_a_sixth_line_of_business_is_checked_and_shown(folder: Path, edit: Edit) -> None:
    """Contract, `policy check`: what is right is told, and what is wrong with file, key and reason."""
    right = CliRunner().invoke(check, [str(folder / LINE)], standalone_mode=False)
    edit(LINE, "calendar: CN", "calendar: {country: XX}")
    wrong = CliRunner().invoke(check, [str(folder / LINE)], standalone_mode=False)

    assert (right.return_value, right.output) == (0, f"{LINE}: bicycles {right.output.split()[2]} all right\n")
    assert wrong.return_value == 2
    assert wrong.output.startswith(f"{LINE}: calendar.country: there is no calendar of XX")


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

    assert faults(folder) == [("zz_copy.yaml: line", "bicycles has a file already")]


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


# Ranges, amounts, topics


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1 to 2", [1, 1.5, 2], [0.99, 2.01]),
        ("over 5", [5.01, 6], [5, 4]),
        ("over 2 up to 24", [2.01, 24], [2, 24.01]),
        ("up to 2", [0, 2], [2.01]),
        ("under 1", [0, 0.99], [1]),
    ],
)
def test_a_range_holds_what_it_says(text: str, inside: list[float], outside: list[float]) -> None:
    assert all(bounds(text).hold(value) for value in inside)
    assert not any(bounds(text).hold(value) for value in outside)


@pytest.mark.parametrize("text", ["", "1-2", "2", "over", "1 to", "-1 to 2", "over 1 up to", "under -1", "1,5 to 2"])
def test_what_is_no_range_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="is no range; write 1 to 2, over 5"):
        bounds(text)


@pytest.mark.parametrize(
    "text",
    ["", "5%", "% of order", "5% of orders", "-5% of order", "5 of order", "1% of order at most 5%", "x freight"],
)
def test_what_is_no_amount_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount; write 5% of order"):
        amount(text)


@pytest.mark.parametrize(
    ("pattern", "topic", "meant"),
    [
        ("*", "transport.delay", True),
        ("transport.*", "transport.delay", True),
        ("transport.delay", "transport.delay", True),
        ("transport.delay", "transport.delayed", False),
        ("transport.*", "transporter.delay", False),
        ("transport", "transport.delay", False),
    ],
)
def test_a_topic_is_meant_by_itself_by_its_area_or_by_all(pattern: str, topic: str, meant: bool) -> None:
    assert matches([pattern], topic) is meant
