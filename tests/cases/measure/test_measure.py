"""G13: a measure is adopted once, notifies people up a ladder once it is overdue, and ends with a word."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cases.errors import Refusal
from cases.measure.measure import Measure, MeasureEvent, MeasureView, Notice, keep_refused, receive
from cases.measure.proposed import Dimension, KnownMeasure, MeasureState, Proposal
from cases.policy.every_line import MeasureTerms
from cases.vocabulary import Role

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
DUE_AT = datetime(2026, 12, 15, 16, tzinfo=UTC)
"""The end of 15 December in Shanghai."""
ADOPT = {"owner": "li.na", "due": "2026-12-15", "by": "chen"}
DONE = {"result": "all parcels go with Hare", "by": "li.na"}
DROP = {"reason": "Swift has closed", "by": "li.na"}
OVERDUE, DUE = MeasureEvent.OVERDUE, MeasureEvent.DUE


def proposed() -> Measure:
    about = KnownMeasure(
        measure_id="carrier-3f9a2c1b",
        line="building_materials",
        dimension=Dimension.CARRIER,
        subject="Swift",
        proposal=Proposal.CHANGE_CARRIER,
        figure="complaints",
        reason="25 % of its parcels arrive damaged",
        state=MeasureState.PROPOSED,
        proposed_at=NOW - DAY,
    )
    ladder = [Role.TEAM_LEAD, Role.MANAGER, Role.DIRECTOR]
    terms = MeasureTerms(team="quality", remind_before="3 days", overdue=ladder, every="3 days")
    return Measure(about=about, terms=terms, timezone="Asia/Shanghai")


def adopted(due: str = "2026-12-15") -> Measure:
    measure = proposed()
    receive(measure, "adopt", {**ADOPT, "due": due}, NOW)
    return measure


def sent(measure: Measure, until: datetime) -> list[tuple[datetime, MeasureEvent, Role]]:
    """Send every notice that becomes due until then, each at its time."""
    found, now = [], NOW
    while (notice := measure.next_notice(now)) is not None and notice.at <= until:
        now = max(now, notice.at)
        measure.settle(notice)
        found.append((notice.at, notice.event, notice.role))
    return found


# The ladder


def test_owner_is_reminded_and_then_the_ladder_is_climbed_until_it_is_done() -> None:
    """G13: the last role is notified again and again."""
    measure = adopted()

    notices = sent(measure, DUE_AT + 9 * DAY)

    assert notices == [
        (DUE_AT - 3 * DAY, DUE, Role.OWNER),
        (DUE_AT, OVERDUE, Role.TEAM_LEAD),
        (DUE_AT + 3 * DAY, OVERDUE, Role.MANAGER),
        (DUE_AT + 6 * DAY, OVERDUE, Role.DIRECTOR),
        (DUE_AT + 9 * DAY, OVERDUE, Role.DIRECTOR),
    ]
    assert measure.notified == [Role.TEAM_LEAD, Role.MANAGER, Role.DIRECTOR]
    receive(measure, "done", DONE, DUE_AT + 10 * DAY)
    assert measure.next_notice(DUE_AT + 12 * DAY) is None


def test_owner_who_was_named_within_the_time_of_the_reminder_is_not_reminded() -> None:
    measure = adopted("2026-11-04")

    notice = measure.next_notice(NOW)

    assert notice == Notice(datetime(2026, 11, 4, 16, tzinfo=UTC), 1, OVERDUE, Role.TEAM_LEAD)


def test_after_an_outage_each_role_is_notified_and_missed_repetitions_are_left_out() -> None:
    """G13: nobody gets ten notices at once."""
    measure, back = adopted(), DUE_AT + 31 * DAY

    found = []
    while (notice := measure.next_notice(back)) is not None and notice.at <= back:
        measure.settle(notice)
        found.append((notice.number, notice.role))

    assert found == [(0, Role.OWNER), (1, Role.TEAM_LEAD), (2, Role.MANAGER), (3, Role.DIRECTOR), (11, Role.DIRECTOR)]
    assert notice == Notice(DUE_AT + 33 * DAY, 12, OVERDUE, Role.DIRECTOR)


def test_notices_have_different_keys_and_no_one_but_the_owner_is_named() -> None:
    measure = adopted()
    letters = [measure.letter(OVERDUE, Role.DIRECTOR, str(number)) for number in (3, 4)]

    assert [letter.key for letter in letters] == [f"measure-carrier-3f9a2c1b/measure_overdue/{n}" for n in (3, 4)]
    assert (letters[0].team, letters[0].owner, letters[0].case_id) == ("quality", "li.na", "carrier-3f9a2c1b")
    assert letters[0].facts["due_on"] == "2026-12-15"


# Messages


def test_measure_is_adopted_done_and_keeps_who_did_it() -> None:
    measure = adopted()

    answer = receive(measure, "done", DONE, NOW + DAY)

    assert answer == {"applied": True, "state": "done"}
    view = MeasureView.of(measure)
    assert (view.owner, view.due_on, view.adopted_by) == ("li.na", date(2026, 12, 15), "chen")
    assert (view.state, view.result, view.closed_by, view.closed_at) == ("done", DONE["result"], "li.na", NOW + DAY)


def test_measure_that_nobody_adopted_can_be_dropped() -> None:
    measure = proposed()

    assert receive(measure, "drop", DROP, NOW) == {"applied": True, "state": "dropped"}
    assert measure.about.result == "Swift has closed"


@pytest.mark.parametrize(
    ("before", "name", "payload", "why"),
    [
        (["adopt"], "adopt", ADOPT, "was adopted: li.na is responsible, until 2026-12-15"),
        (["adopt", "done"], "done", DONE, "was done on 2026-11-02: all parcels go with Hare"),
        (["adopt", "drop"], "drop", {**DROP, "reason": "other"}, "was dropped on 2026-11-02: Swift has closed"),
    ],
    ids=["adopted", "done", "dropped"],
)
def test_message_that_comes_twice_changes_nothing_and_says_so(
    before: list[str], name: str, payload: dict[str, Any], why: str
) -> None:
    """G13: a sentence, and no error."""
    measure = proposed()
    for each in before:
        receive(measure, each, {"adopt": ADOPT, "done": DONE, "drop": DROP}[each], NOW)
    about = measure.about

    answer = receive(measure, name, payload, NOW + DAY)

    assert (answer["applied"], answer["why"]) == (False, f"carrier-3f9a2c1b {why}")
    assert measure.about == about


@pytest.mark.parametrize(
    ("before", "name", "payload", "why"),
    [
        (["adopt"], "adopt", {**ADOPT, "owner": "zhao"}, "is responsible, until 2026-12-15; a measure is adopted once"),
        (["adopt", "drop"], "done", DONE, "was dropped on 2026-11-02: Swift has closed; nothing changes it"),
        (["adopt", "done"], "drop", DROP, "was done on 2026-11-02: all parcels go with Hare; nothing changes it"),
        (["adopt", "done"], "adopt", ADOPT, "was done on 2026-11-02: all parcels go with Hare; a measure"),
        ([], "done", DONE, "has been proposed, and nobody has adopted it: adopt it first, or drop it"),
        ([], "adopt", {**ADOPT, "due": "2026-11-01"}, "due: 2026-11-01 must be from today (2026-11-02) to 2028-11-02"),
        ([], "adopt", {**ADOPT, "due": "2029-01-01"}, "due: 2029-01-01 must be from today"),
        ([], "adopt", {**ADOPT, "due": "soon"}, "due: must be a date such as 2026-12-15"),
        ([], "adopt", {**ADOPT, "due": 20261215}, "due: must be a date such as 2026-12-15"),
        ([], "adopt", {**ADOPT, "due": "2026-02-30"}, "due: "),
        ([], "adopt", {"by": "chen"}, "owner: is required; due: is required"),
        ([], "done", {"by": "chen"}, "result: is required"),
        ([], "drop", {"by": "chen", "reason": " "}, "reason: "),
        ([], "postpone", {}, "there is no message postpone; a measure understands adopt, done, drop"),
        ([], "adopt", None, "owner: is required"),
    ],
)  # fmt: skip
def test_message_that_cannot_be_applied_is_refused_with_a_sentence(
    before: list[str], name: str, payload: Any, why: str
) -> None:
    """G13: and changes nothing."""
    measure = proposed()
    for each in before:
        receive(measure, each, {"adopt": ADOPT, "done": DONE, "drop": DROP}[each], NOW)
    as_before = measure.model_copy(deep=True)

    with pytest.raises(Refusal) as refused:
        receive(measure, name, payload, NOW)

    assert why in str(refused.value)
    assert measure == as_before
    assert keep_refused(measure, name, payload, refused.value, NOW)


def test_message_id_is_applied_once() -> None:
    """Contract, *Messages*."""
    measure = proposed()
    receive(measure, "adopt", {**ADOPT, "message_id": "m-1"}, NOW)

    answer = receive(measure, "adopt", {**ADOPT, "message_id": "m-1"}, NOW)

    assert (answer["applied"], answer["why"]) == (False, "message m-1 was applied before")


def test_terms_in_working_time_are_refused() -> None:
    with pytest.raises(ValueError, match="measures cannot count working time"):
        MeasureTerms(team="quality", remind_before="3 working days", overdue=[Role.MANAGER], every="1 day")
