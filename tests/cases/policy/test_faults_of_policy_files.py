"""Every fault of a policy file is reported with file, key and reason, all at once."""

from pathlib import Path

import pytest

import policies
from cases.calendar import WEEK
from cases.errors import InvalidInput
from tests.cases.policy.conftest import LINE, SHARED, Edit, faults

FAULTS = [
    ("within: 2h", "within: 2 hours", "promises.0.within", '"2 hours" is not a duration; write 30s'),
    ("within: 2h", "within: 0m", "promises.0.within", "is zero"),
    ("amount: 5 x freight", "amount: 5 x luck", "remedies.0.options.keep.0.amount", "is not an amount; write 5%"),
    ("10-20% of order", "20-10% of order", "remedies.1.options.back.1.amount", "ends below its"),
    ("days_late: 1 to 2", "days_late: at most 1", "remedies.2.when", "is not a range; write 1 to 2"),
    ("{severity: minor}", "{gravity: minor}", "remedies.0.when", "gravity is not a field of a finding"),
    ("{lost: true}", "{lost: perhaps}", "remedies.1.when", "lost is true or false"),
    ("do: gift", "do: miracle", "remedies.2.options.wait.0.do", "input should be"),
    ("do: gift", "amount: 5% of order, do: gift", "remedies.2.options.wait.0", "gift has no amount"),
    ("do: refund, amount: order", "do: refund", "remedies.1.options.back.0", "refund needs an amount"),
    ("do: gift", "items: affected, do: gift", "remedies.2.options.wait.0", "gift moves no items"),
    ("team: workshop", "teem: workshop", "topics.transport.damage.teem", "is not known here"),
    ("name: detailed_result", "name: detailed_results", "promises.1.name", "input should be"),
    ("starts: consent", "starts: whenever", "promises.2.starts", "input should be"),
    ("topics: [transport.*]", "topics: [transprt.*]", "promises Y1", "no topic of bicycles matches transprt.*"),
    ("topics: [transport.damage]", "topics: [transport.dent]", "remedies Y10", "matches transport.dent"),
    ("[minor, severe]", "[minor, awful]", "topics.transport.damage.severities.1", "input should be"),
    ("title: {zh-CN: 自行车, en: Bicycles}", "title: {zh-CN: 自行车}", "title.en", "is required"),
    ("wait:\n        - {do: gift, at_once: true}", "wait: []", "remedies.2.options.wait", "at least 1 item"),
    ("calendar: CN", "calendar: XX", "calendar.country", "there is no calendar for XX; write plain, or a country code"),
    ("calendar: CN", "calendar: 7", "calendar", "input should be"),
    ("calendar: CN", "calendar: {country: DE, subdivision: XX}", "calendar.subdivision", "DE has no XX; it has BB, BE"),
    ("calendar: CN", "calendar: {subdivision: BY}", "calendar", "a subdivision needs its country"),
    ("calendar: CN", "calendar: {country: DE, holidays: none}", "calendar.holidays", "is not known here"),
    ("calendar: CN", 'calendar: {opens: "9"}', "calendar.opens", 'a time of day in quotes, such as "09:00"'),
    ("calendar: CN", "calendar: {opens: 9}", "calendar.opens", 'a time of day in quotes, such as "09:00"'),
    ("calendar: CN", 'calendar: {closes: "24:00"}', "calendar.closes", "a time of day"),
    ("calendar: CN", 'calendar: {opens: "18:00", closes: "09:00"}', "calendar", "closes at 09:00, which is not after"),
    ("calendar: CN", "calendar: {weekend: [someday]}", "calendar.weekend.0", "input should be 'monday'"),
    ("calendar: CN", f"calendar: {{weekend: [{', '.join(WEEK)}]}}", "calendar", "there would be no working days"),
    ("calendar: CN", "timezone: Mars/Base", "timezone", "there is no time zone Mars/Base; write one such as Asia/Sha"),
    ("calendar: CN", "version: mine", "version", "is computed and cannot be set"),
    ("calendar: CN", "working_days: {}", "working_days", "is computed and cannot be set"),
    ("calendar: CN", "satisfaction_target: lots", "satisfaction_target", "valid number"),
    ("calendar: CN", "later_call: soon", "later_call.after", '"soon" is not a duration'),
    ("calendar: CN", "later_call: 5 working days", "later_call", "later calls cannot count working time"),
    ("calendar: CN", "later_call: {after: 30 days, topics: [milk.*]}", "later_call", "no topic of bicycles matches"),
    (
        "calendar: CN",
        "measures: {team: x, remind_before: 1 day, overdue: [], every: 1 day}",
        "measures.overdue",
        "1 item",
    ),
    ("calendar: CN", "evidence: {remind_after: 12h}", "evidence", "needs one of go_on_after and close_after"),
    ("calendar: CN", "damaged_share: {awful: 30%}", "damaged_share.awful", "input should be 'minor'"),
    ("5 x freight", "freight x damaged share", "damaged_share", "has no share for minor, severe, which remedies Y10"),
    ("calendar: CN", "precautions: [{rule: Y9, topics: [x], do: search}]", "precautions Y9", "matches x"),
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
"""Text to replace, its replacement, and the key and reason that are reported."""


@pytest.mark.parametrize(("change", "where", "says"), [(fault[:2], *fault[2:]) for fault in FAULTS])
def test_each_kind_of_fault_is_reported_with_file_key_and_reason(
    folder: Path, edit: Edit, change: tuple[str, str], where: str, says: str
) -> None:
    edit(LINE, *change)

    found = faults(folder)

    assert any(field.startswith(f"{LINE}: {where}") and says in problem for field, problem in found), found


LIMIT = "compensation_limit: 30% of order"


SHARED_FAULTS = [
    ("{role: team_lead, at: 100%}", "{role: team_lead, at: 99%}", "", "one at 100%, where the promise breaks"),
    ("{role: manager, at: 150%}", "{role: manager, at: 70%}", "", "must rise from rung to rung"),
    ("{role: director, at: 200%}", "{role: director, at: 0%}", "escalation.3.at", "greater than 0"),
    ("{role: director, at: 200%}", "{role: king, at: 200%}", "escalation.3.role", "input should be"),
    ("attempts: 3", "attempts: 0", "callback.attempts", "greater than or equal to 1"),
    ("close_after: 7 days", "close_after: a week", "silence.close_after", "is not a duration"),
    ("manager_limit: 100% of order", "manager_limit: lots", "manager_limit", "is not an amount"),
    ("tell: team_lead", "tel: team_lead", "silence.tel", "is not known here"),
    (LIMIT, "compensation_limit: a third", "compensation_limit.0", "is not an amount"),
    (LIMIT, "compensation_limit: 20-30% of order", "compensation_limit.0", "is not a limit for an order"),
    (LIMIT, "compensation_limit: 1% of order per day late", "compensation_limit.0", "is not a limit for an order"),
    (LIMIT, "compensation_limit: goods value x damaged share", "compensation_limit.0", "is not a limit for an order"),
    (LIMIT, "compensation_limit: [order, affected items]", "compensation_limit.1", "is not a limit for an order"),
    (LIMIT, "compensation_limit: []", "compensation_limit", "is missing: write one, such as 30% of order"),
    (LIMIT, "", "compensation_limit", "is missing: write one, such as 30% of order"),
]


@pytest.mark.parametrize(("change", "where", "says"), [(fault[:2], *fault[2:]) for fault in SHARED_FAULTS])
def test_fault_in_the_shared_rules_is_reported_with_key_and_reason(
    folder: Path, edit: Edit, change: tuple[str, str], where: str, says: str
) -> None:
    """G10, G5, G8: a ladder without a rung at 100 % would notify nobody of a breach."""
    edit(SHARED, *change)

    found = faults(folder)

    assert any(where in field and says in problem for field, problem in found), found


def test_a_fault_in_what_every_line_shares_names_that_file(folder: Path, edit: Edit) -> None:
    """The message names the place to correct."""
    edit(SHARED, "attempts: 3", "attempts: 0")

    assert [field for field, _ in faults(folder)] == [f"{SHARED}: callback.attempts"]


def test_duplicate_key_is_reported_with_its_line(folder: Path, edit: Edit) -> None:
    """Otherwise the second one would silently win."""
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
    assert problem.startswith('"\N{REPLACEMENT CHARACTER}2h\N{REPLACEMENT CHARACTER}" is not a duration')


def test_invalid_yaml_is_reported_with_its_line(folder: Path) -> None:
    (folder / LINE).write_text("line: bicycles\ntopics: [a, b\nname: x", encoding="utf-8")

    ((field, problem),) = faults(folder)

    assert field.startswith(f"{LINE}: line ")
    assert problem


@pytest.mark.parametrize("content", ["", "just words", "- a\n- b\n", "12", "null"])
def test_file_without_keys_is_reported(folder: Path, content: str) -> None:
    (folder / LINE).write_text(content, encoding="utf-8")

    assert faults(folder) == [(LINE, "must be a mapping of keys to values")]


def test_file_in_another_encoding_is_reported(folder: Path) -> None:
    (folder / LINE).write_bytes("line: 建材".encode("gb18030"))

    ((field, problem),) = faults(folder)

    assert (field, problem.split(":")[0]) == (LINE, "is not YAML")


def test_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml: cannot be read: No such file"):
        policies.load_file(tmp_path / "nowhere.yaml")


def test_folder_without_policies_is_reported(tmp_path: Path) -> None:
    (tmp_path / SHARED).write_text("timezone: Asia/Shanghai", encoding="utf-8")

    assert faults(tmp_path) == [(str(tmp_path), "holds no policy files (*.yaml)")]
    assert faults(tmp_path / "nowhere")[0][1] == "holds no policy files (*.yaml)"


def test_what_the_shared_file_would_have_said_is_required(folder: Path) -> None:
    (folder / SHARED).unlink()

    assert (f"{LINE}: escalation", "is required") in faults(folder)


def test_all_faults_of_all_files_are_reported_at_once(folder: Path, edit: Edit) -> None:
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
        pytest.param(SHARED, "at: 100%}", "at: 100%, urgent: 50%}", id="a breach notified before it happens"),
    ],
)
def test_a_rule_that_would_never_count_is_a_fault(folder: Path, edit: Edit, name: str, old: str, new: str) -> None:
    """A misspelt policy silently promises something else."""
    edit(name, old, new)

    assert faults(folder)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param(SHARED, "at: 150%", "at: lots%", id="a share that is not a number"),
        pytest.param(LINE, "line: bicycles", "1: one\nline: bicycles", id="a key that is not text"),
    ],
)
def test_no_fault_of_a_file_is_a_traceback(folder: Path, edit: Edit, name: str, old: str, new: str) -> None:
    """Contract: no traceback for anything a user can cause."""
    edit(name, old, new)

    assert faults(folder)
