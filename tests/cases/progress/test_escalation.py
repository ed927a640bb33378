"""Who is notified when a promise is about to break, or broke: G10, S3, S5–S9."""

from datetime import timedelta
from typing import Any

import pytest

from cases.policy.every_line import Rung
from cases.progress import alarms as alarms_module
from cases.progress.alarms import alarms, fire
from cases.state.letter import Audience
from cases.state.promise import Promise
from cases.vocabulary import PromiseState, Role
from tests.cases.letters import rendered
from tests.cases.world import ACK, DETAIL, PROGRESS, SECOND, START, World, open_case

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def unanswered(**fields: Any) -> World:
    """A damage case without any action of staff, and letters do not arrive: its promises run out."""
    return open_case(down={Audience.CUSTOMER}, **fields)


@pytest.mark.parametrize(
    ("share", "role", "event"),
    [
        (0.8, "owner", "promise_warning"),
        (1.0, "team_lead", "promise_broken"),
        (1.5, "manager", "escalation"),
        (2.0, "director", "escalation"),
    ],
)
def test_each_rung_is_notified_when_it_is_due_and_not_a_second_before(share: float, role: str, event: str) -> None:
    """G10: 80 %, 100 %, 150 % and 200 % of 10 minutes."""
    world = unanswered()
    due = START + share * 10 * MINUTE

    world.until(due - SECOND)
    before = [(letter.event, letter.role) for letter in world.sent if letter.facts.get("promise") == ACK]
    world.until(due)
    after = [(letter.event, letter.role) for letter in world.sent if letter.facts.get("promise") == ACK]

    assert after == [*before, (event, Role(role))]
    assert world.case.escalations[-1].due_at == due
    assert world.case.escalations[-1].sent_at == due


@pytest.mark.parametrize(("urgent", "due"), [(False, START + 8 * MINUTE), (True, START + 5 * MINUTE)])
def test_an_urgent_case_warns_at_half_time(urgent: bool, due: Any) -> None:
    """G10: its other rungs do not move."""
    world = unanswered(urgent=urgent).after(days=1)

    mine = [e.due_at for e in world.case.escalations if e.promise == ACK]
    assert mine == [due, START + 10 * MINUTE, START + 15 * MINUTE, START + 20 * MINUTE]


def test_a_kept_promise_escalates_no_further() -> None:
    """G10, S5: a timer that was set for it does nothing when it fires."""
    world = unanswered().until(START + 8 * MINUTE)
    assert world.rungs(ACK) == [1]
    name = next(alarm.name for alarm in alarms(world.case) if ACK in alarm.summary)
    world.says("contact-made", by="li")

    fire(world.case, name, START + 10 * MINUTE)
    world.after(hours=10)

    assert world.rungs(ACK) == [1]


def test_an_alarm_that_rings_early_does_nothing() -> None:
    """S5: the time has not come."""
    world = unanswered()
    before = world.case.model_dump()

    for alarm in alarms(world.case):
        fire(world.case, alarm.name, alarm.at - SECOND)

    assert world.case.model_dump() == before


def test_unknown_alarm_does_nothing() -> None:
    """S5: a timer of a promise, a silence or a callback that are over."""
    world = unanswered()
    before = world.case.model_dump()

    for name in ("promise-99", "silence", "callback", "progress", "nonsense"):
        fire(world.case, name, START + timedelta(days=30))

    assert world.case.model_dump() == before


def test_a_promise_that_runs_out_turns_broken_and_stays_so() -> None:
    """Kept late stays broken."""
    world = unanswered().until(START + 10 * MINUTE)
    assert world.state(ACK) is PromiseState.BROKEN

    world.after(seconds=1).comes_back(Audience.CUSTOMER)

    assert world.state(ACK) is PromiseState.BROKEN
    assert world.promise(ACK).kept_at == START + 10 * MINUTE + SECOND


# Once (S6)


def test_each_rung_is_notified_once_however_often_the_timer_fires() -> None:
    """S6: a race of two timers, a timer after a restart."""
    world = unanswered()

    for _ in range(3):
        for name in [alarm.name for alarm in alarms(world.case)]:
            fire(world.case, name, START + 10 * MINUTE)
            fire(world.case, name, START + 10 * MINUTE)
    world.attend()

    assert world.rungs(ACK) == [1, 2]


def test_without_its_claim_a_rung_would_be_notified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """S6, the control: the claim is what holds it back."""
    world = unanswered()

    def forgetful(promise: Promise, ladder: list[Rung], *, urgent: bool) -> tuple[int, Any] | None:
        promise.claimed = []
        return 1, promise.due_at(ladder[0].share(urgent=urgent))

    monkeypatch.setattr(alarms_module, "next_rung", forgetful)
    for _ in range(2):
        fire(world.case, "promise-0", START + 8 * MINUTE)

    assert world.rungs(ACK) == [1, 1]


def test_every_letter_has_a_unique_key_that_a_restart_does_not_change() -> None:
    """S6: what makes a recipient get it once."""
    world = unanswered().after(days=5)
    world.comes_back(Audience.CUSTOMER)

    keys = [letter.key("HL-1") for letter in world.sent]

    assert len(set(keys)) == len(keys)
    assert [letter.key("HL-1") for letter in world.continues_as_new().sent] == keys


def test_claimed_rungs_survive_a_new_run() -> None:
    """S6: continue-as-new forgets nothing."""
    world = unanswered().until(START + 12 * MINUTE)

    world.continues_as_new().after(days=1)

    assert world.rungs(ACK) == [1, 2, 3, 4]


# Late (S8, S7)


def test_after_an_outage_every_due_rung_is_notified_once_in_order_and_marked_late() -> None:
    """S8: an outage can be distinguished from neglect."""
    world = unanswered()

    world.without_worker(hours=1)

    mine = [(letter.facts["rung"], letter.facts["late"]) for letter in world.sent if letter.facts.get("promise") == ACK]
    assert mine == [(rung, "interrupted") for rung in (1, 2, 3, 4)]
    assert [e.due_at for e in world.case.escalations] == [START + m * MINUTE for m in (8, 10, 15, 20)]
    assert {e.sent_at for e in world.case.escalations} == {START + HOUR}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("contact-made", {"by": "Li Na", "note": "called"}),
        ("complaint-withdrawn", {"by": "customer", "reason": "it was found"}),
    ],
)
@pytest.mark.parametrize(("minutes", "rungs"), [(8, []), (9, [1]), (12, [1, 2]), (40, [1, 2, 3, 4])])
def test_message_that_arrives_after_an_outage_before_the_timers_hides_no_due_rung(
    message: str, said: dict[str, Any], minutes: int, rungs: list[int]
) -> None:
    """S8: the message ends the promise or the case by its own time; rungs due before that are still notified."""
    world = unanswered()
    world.now += HOUR

    world.says(message, occurred_at=(START + minutes * MINUTE).isoformat(), **said)
    world.until(world.now)

    assert world.rungs(ACK) == rungs
    assert [letter.facts["late"] for letter in world.sent if letter.facts.get("promise") == ACK] == [
        "interrupted"
    ] * len(rungs)
    assert alarms(world.case) == [] or not world.case.closing


@pytest.mark.parametrize(("seconds", "late"), [(60, None), (61, "interrupted")])
def test_a_notice_is_late_after_a_minute(seconds: int, late: str | None) -> None:
    """S8, both sides."""
    world = unanswered().without_worker(minutes=8, seconds=seconds)

    assert [letter.facts["late"] for letter in world.letters("promise_warning")] == [late]


@pytest.mark.parametrize(
    ("opened", "outage", "why"),
    [
        pytest.param(50, 0, "registered_late", id="registered after it was due"),
        pytest.param(50, 2, "interrupted", id="registered late, and then nothing ran"),
        pytest.param(0, 50, "interrupted", id="nothing ran"),
        pytest.param(8, 0, None, id="registered when it was due"),
    ],
)
def test_a_late_notice_says_whether_the_complaint_was_registered_late_or_something_was_down(
    opened: int, outage: int, why: str | None
) -> None:
    """S8, S9: and so does its text, in both languages."""
    world = unanswered(opened_at=START + opened * MINUTE)
    if not opened or outage:
        world.now += outage * MINUTE
    world.until(max(world.now, START + 10 * MINUTE))

    first = next(letter for letter in world.sent if letter.facts.get("promise") == ACK)
    texts = "".join(text.body for text in rendered(world.case, first))

    assert first.facts["late"] == why
    assert ("interrupted" in texts, "The complaint was entered" in texts) == (
        why == "interrupted",
        why == "registered_late",
    )
    assert ("中断" in texts, "登记" in texts) == (why == "interrupted", why == "registered_late")


def test_a_promise_that_begins_by_what_was_entered_late_does_not_say_that_something_was_down() -> None:
    """S8, S9: the customer's yes was entered 30 hours after they gave it, so the update is overdue at once."""
    world = offered_severe()
    said = (world.now + MINUTE).isoformat()
    world.down = {Audience.CUSTOMER}
    world.now += 30 * HOUR

    world.says("customer-approved", occurred_at=said)
    world.until(world.now)

    notices = [letter for letter in world.sent if letter.facts.get("promise") == PROGRESS]
    assert [(x.facts["rung"], x.facts["late"]) for x in notices] == [(1, "entered_late"), (2, "entered_late")]


def offered_severe() -> World:
    """An offer whose steps are not carried out at once."""
    world = open_case(answers={"refund": "silent", "compensation": "silent"})
    world.says("assess", severity="severe")
    return world


def test_a_staff_channel_that_is_down_delays_no_promise_and_loses_no_rung() -> None:
    """S7: due and sent are both kept."""
    world = open_case(down={Audience.CUSTOMER, Audience.STAFF}).after(hours=2)
    assert world.state(ACK) is PromiseState.BROKEN
    assert [e.sent_at for e in world.case.escalations] == [None] * 4

    world.comes_back(Audience.STAFF)

    assert [e.sent_at for e in world.case.escalations] == [START + 2 * HOUR] * 4
    assert world.rungs(ACK) == [1, 2, 3, 4]


def test_undeliverable_notices_to_staff_end_no_promise() -> None:
    """S7."""
    world = unanswered()
    world.closed = {Audience.STAFF}

    world.after(hours=1)

    assert world.rungs(ACK) == [1, 2, 3, 4]
    assert world.state(ACK) is PromiseState.BROKEN


# Old on arrival


def test_a_complaint_older_than_its_whole_time_starts_broken_and_is_escalated_once() -> None:
    """G10: at once, once; not a rung for each share that has passed."""
    world = unanswered(opened_at=START + 5 * HOUR).after(seconds=0)

    assert world.state(ACK) is PromiseState.BROKEN
    assert [entry for entry in world.ladder if entry[0] == ACK] == [(ACK, 2, "team_lead")]


def test_only_the_rungs_that_had_passed_on_arrival_are_skipped() -> None:
    """G10: at 120 % on arrival the manager is still notified at 150 %."""
    world = unanswered(opened_at=START + 12 * MINUTE).after(seconds=0)
    assert world.rungs(ACK) == [2]

    world.after(hours=1)

    assert world.rungs(ACK) == [2, 3, 4]


def test_a_complaint_that_is_not_yet_out_of_time_climbs_every_rung() -> None:
    """G10: at 90 % on arrival the owner is warned at once."""
    world = unanswered(opened_at=START + 9 * MINUTE).after(seconds=0)
    assert world.rungs(ACK) == [1]

    world.after(hours=1)

    assert world.rungs(ACK) == [1, 2, 3, 4]


# Learnt later (S9)


def test_contact_that_was_made_in_time_turns_a_broken_promise_kept_and_annotates_what_was_sent() -> None:
    """S9: judged by when it happened; the escalation stays."""
    world = unanswered().after(minutes=16)
    assert world.rungs(ACK) == [1, 2, 3]

    world.says("contact-made", by="li", occurred_at=(START + 9 * MINUTE).isoformat())

    assert world.state(ACK) is PromiseState.KEPT
    assert world.rungs(ACK) == [1, 2, 3]
    assert [e.remark is not None for e in world.case.escalations] == [False, True, True]


def test_contact_that_was_made_too_late_leaves_it_broken_and_annotates_only_what_came_after() -> None:
    """S9."""
    world = unanswered().after(minutes=16)

    world.says("contact-made", by="li", occurred_at=(START + 11 * MINUTE).isoformat())

    assert world.state(ACK) is PromiseState.BROKEN
    assert [e.remark is not None for e in world.case.escalations] == [False, False, True]


# The reopened case (S10)


def test_new_cycle_has_new_deadlines_and_rungs_and_the_old_breach_stays() -> None:
    """S10, S6: notified again in the new cycle, and the past never changes."""
    world = open_case().after(hours=50)
    world.says("assess", severity="severe")
    world.says("customer-approved")
    past = world.promise(DETAIL).model_copy(deep=True)
    before = world.rungs(DETAIL)

    world.says("satisfaction-reported", score=1)
    world.after(days=5)

    first, second = (p for p in world.case.promises if p.name == DETAIL)
    assert first == past
    assert first.state is PromiseState.BROKEN
    assert (second.cycle, second.started_at, second.state) == (2, START + 50 * HOUR, PromiseState.BROKEN)
    assert world.rungs(DETAIL) == [*before, 1, 2, 3, 4]


def test_each_daily_update_is_a_promise_with_separate_rungs() -> None:
    """S6, B5."""
    world = open_case()
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    for _ in range(2):
        world.down = {Audience.CUSTOMER}
        world.after(hours=25)
        world.comes_back(Audience.CUSTOMER)

    assert world.rungs(PROGRESS) == [1, 2, 1, 2]


# No notices


def test_a_closed_case_waits_for_nothing() -> None:
    """G10: no timer is left."""
    world = open_case()
    world.says("complaint-withdrawn")

    assert alarms(world.case) == []
    assert world.after(days=400).ladder == []


def test_notices_to_staff_carry_no_personal_data() -> None:
    """No name, no telephone number: the numbers of case and order are enough."""
    world = unanswered(description="my name is Wei Li").after(days=5)

    for letter in world.sent:
        assert letter.audience is Audience.STAFF
        assert "Wei Li" not in str(letter.facts)
        assert "13800000000" not in str(letter.facts)
