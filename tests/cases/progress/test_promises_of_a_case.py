"""What a case promises, and when it keeps it: G2, B1–B5, the daily update (G7), both sides of each deadline."""

from datetime import timedelta
from itertools import pairwise

import pytest

from cases.progress.alarms import alarms
from cases.state.letter import Audience
from cases.views.contact_channels import contact_channels
from cases.vocabulary import Channel, PromiseState, Status
from tests.cases.world import (
    ACK,
    DETAIL,
    DISPATCH,
    PROGRESS,
    SECOND,
    START,
    World,
    a_trail,
    building_materials,
    late_by,
    open_case,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BOTH_SIDES = [(-SECOND, PromiseState.KEPT), (timedelta(), PromiseState.KEPT), (SECOND, PromiseState.BROKEN)]
"""A promise is kept to the second in which it is due."""


def unanswered(topic: str = "transport.damage", **fields: object) -> World:
    """A case whose letters to the customer do not arrive yet."""
    return open_case(topic, down={Audience.CUSTOMER}, **fields)  # type: ignore[arg-type]


# Acknowledge


@pytest.mark.parametrize(
    ("topic", "minutes"),
    [
        ("transport.damage", 10),
        ("transport.delay", 10),
        ("transport.loss", 10),
        ("goods.quality", 10),
        ("installation.defect", 15),
        ("installation.delay", 15),
        ("installation.attitude", 15),
    ],
)
def test_a_first_answer_is_promised_within(topic: str, minutes: int) -> None:
    """B1, B2: 10 minutes for transport and goods, 15 for installations, from when it was received."""
    world = unanswered(topic)

    assert world.due(ACK) == START + minutes * MINUTE
    assert world.promise(ACK).rule == ("B1" if minutes == 10 else "B2")


@pytest.mark.parametrize(("slip", "state"), BOTH_SIDES)
@pytest.mark.parametrize(("topic", "within"), [("transport.damage", 10 * MINUTE), ("installation.defect", 15 * MINUTE)])
def test_the_first_answer_counts_when_it_has_been_delivered(
    topic: str, within: timedelta, slip: timedelta, state: PromiseState
) -> None:
    """G2, B1, B2: a second before, on the second, a second after."""
    world = unanswered(topic).until(START + within + slip)

    world.comes_back(Audience.CUSTOMER)

    assert world.state(ACK) is state
    assert world.promise(ACK).kept_at == START + within + slip


@pytest.mark.parametrize(("slip", "state"), BOTH_SIDES)
def test_the_first_answer_counts_when_an_agent_says_so(slip: timedelta, state: PromiseState) -> None:
    """G2: even if the written one fails."""
    world = unanswered().until(START + 10 * MINUTE + slip)

    world.says("contact-made", by="li", note="called back")

    assert world.state(ACK) is state


def test_the_first_answer_says_what_happens_next_and_by_when() -> None:
    """G2: its number, what happens next, by when."""
    world = open_case()

    letter = world.letters("acknowledged")[0]
    assert letter.facts["case_id"] == "HL-1"
    assert letter.facts["next"] == "verify"
    assert letter.facts["result_due"] == world.due(DETAIL).isoformat()
    assert any("HL-1" in text.subject for text in world.texts)


@pytest.mark.parametrize("channel", Channel)
def test_the_first_answer_takes_the_channel_they_used_then_sms_then_email(channel: Channel) -> None:
    """G2: the first that can be used."""
    tried = contact_channels(channel)

    assert tried[0] is channel
    assert [c for c in tried if c is not channel] == [c for c in (Channel.SMS, Channel.EMAIL) if c is not channel]


def test_a_letter_that_no_channel_takes_keeps_nothing_and_goes_to_a_person() -> None:
    """G2, S7: the promise is the customer's, not the letter's."""
    world = open_case(down={Audience.CUSTOMER})
    world.closed, world.down = {Audience.CUSTOMER}, set()

    world.attend()

    assert world.state(ACK) is PromiseState.OPEN
    assert [letter.facts["letter"] for letter in world.letters("undelivered")] == ["acknowledged"]


# The detailed result


@pytest.mark.parametrize(("slip", "state"), BOTH_SIDES)
def test_the_detailed_result_counts_when_the_offer_has_been_delivered(slip: timedelta, state: PromiseState) -> None:
    """B4: 48 hours from receipt; made in time and delivered late is late."""
    world = open_case()
    world.down = {Audience.CUSTOMER}
    world.after(hours=1).says("assess", severity="minor")

    world.until(START + 48 * HOUR + slip).comes_back(Audience.CUSTOMER)

    assert world.state(DETAIL) is state
    assert world.offer.delivered_at == START + 48 * HOUR + slip


def test_approval_shows_that_the_result_has_arrived() -> None:
    """B4, G5: an agent read the offer out on the phone while messaging was down."""
    world = open_case()
    world.down = {Audience.CUSTOMER}
    world.after(hours=1).says("assess", severity="minor")

    world.says("customer-approved", by="li")

    assert world.state(DETAIL) is PromiseState.KEPT


def test_an_offer_that_waits_for_approval_delivers_no_result() -> None:
    """B4, G4."""
    world = open_case()

    world.says(
        "propose", by="li", options=[{"key": "extra", "remedies": [{"kind": "compensation", "amount": "2000.00"}]}]
    )

    assert world.status is Status.AWAITING_APPROVAL
    assert world.state(DETAIL) is PromiseState.OPEN


def test_an_old_cycles_letter_keeps_no_promise_of_the_new_one() -> None:
    """S10, B4: the first offer arrives only after the customer, reached by phone, was dissatisfied with its result."""
    world = open_case()
    world.down = {Audience.CUSTOMER}
    world.says("assess", severity="severe")
    world.says("customer-approved", by="li")
    world.says("satisfaction-reported", score=1)
    assert world.promise(DETAIL).cycle == 2

    world.comes_back(Audience.CUSTOMER)

    assert world.state(DETAIL) is PromiseState.OPEN


# The crew


@pytest.mark.parametrize("state", ["dispatched", "done"])
def test_a_crew_on_its_way_keeps_the_dispatch_promise(state: str) -> None:
    """B3: when the installation partner confirms the visit."""
    world = open_case("installation.defect")
    world.after(hours=2).says("assess", severity="minor")
    assert world.due(DISPATCH) == START + 26 * HOUR

    world.after(hours=3).says("step-reported", step="rectification", state=state)

    assert world.state(DISPATCH) is PromiseState.KEPT
    assert world.promise(DISPATCH).kept_at == START + 5 * HOUR


@pytest.mark.parametrize(("slip", "state"), BOTH_SIDES)
def test_a_crew_is_on_its_way_within_24_hours_of_the_finding(slip: timedelta, state: PromiseState) -> None:
    """B3."""
    world = open_case("installation.defect")
    world.after(hours=2).says("assess", severity="severe")

    world.until(START + 26 * HOUR + slip).says("step-reported", step="reinstallation", state="dispatched")

    assert world.state(DISPATCH) is state


def test_a_visit_that_was_only_accepted_does_not_keep_the_dispatch_promise() -> None:
    """B3: booked is not dispatched."""
    world = open_case("installation.defect")

    world.says("assess", severity="minor")

    assert world.steps == {"inspection": "running", "rectification": "running"}
    assert world.state(DISPATCH) is PromiseState.OPEN


def test_an_inspection_on_its_way_does_not_keep_the_dispatch_promise() -> None:
    """B3: it puts nothing right."""
    world = open_case("installation.defect")
    world.says("step-reported", step="inspection", state="dispatched")
    world.says("assess", severity="minor")

    world.says("step-reported", step="inspection", state="done")

    assert world.state(DISPATCH) is PromiseState.OPEN


def test_no_crew_is_promised_before_the_finding_nor_for_other_topics() -> None:
    """B3: from the finding, for `installation.defect`."""
    assert open_case("installation.defect").case.promise(DISPATCH) is None
    assert late_by(1).case.promise(DISPATCH) is None


def test_no_crew_is_promised_where_nothing_was_found() -> None:
    """B3, G4."""
    world = open_case("installation.defect")

    world.says("assess", upheld=False)

    assert world.case.promise(DISPATCH) is None


def test_an_agreement_without_a_visit_owes_no_crew() -> None:
    """B3, G4: an agent's own offer, without goods or money, was enough."""
    world = open_case("installation.defect", looked_up=False)
    world.says("propose", by="li", options=[{"key": "talk", "remedies": [{"kind": "explanation"}]}])
    assert world.state(DISPATCH) is PromiseState.OPEN

    world.says("customer-approved")

    assert world.state(DISPATCH) is PromiseState.VOID


# The daily update


def replacing() -> World:
    """A case whose replacement takes its time."""
    world = open_case()
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    return world


def test_customer_gets_a_daily_update_while_steps_are_open() -> None:
    """B5, G7: from consent, then from each update, always within 24 hours."""
    world = replacing()

    world.after(days=3)

    kept = [p for p in world.case.promises if p.name == PROGRESS]
    assert [p.state for p in kept] == [PromiseState.KEPT] * (len(kept) - 1) + [PromiseState.OPEN]
    assert all(after.started_at == before.kept_at for before, after in pairwise(kept))
    assert all(p.kept_at is None or p.kept_at - p.started_at <= 24 * HOUR for p in kept)
    assert len(world.letters("progress")) == len(kept) - 1 >= 3


@pytest.mark.parametrize(("slip", "sent"), [(-SECOND, 0), (timedelta(), 1)])
def test_the_update_goes_out_half_an_hour_before_its_owner_would_be_warned(slip: timedelta, sent: int) -> None:
    """B5, G7: 80 % of 24 hours less 30 minutes; so a promise that keeps itself is never escalated."""
    world = replacing()

    world.until(START + timedelta(hours=24 * 0.8) - 30 * MINUTE + slip)

    assert len(world.letters("progress")) == sent
    assert world.ladder == []


def test_an_urgent_cases_update_comes_before_its_earlier_warning() -> None:
    """G7, G10: an urgent case warns at 50 %."""
    world = open_case(urgent=True)
    world.says("assess", severity="moderate")
    world.says("customer-approved")

    world.until(START + 12 * HOUR - 30 * MINUTE)

    assert len(world.letters("progress")) == 1
    assert world.rungs(PROGRESS) == []


@pytest.mark.parametrize(("slip", "state"), BOTH_SIDES)
def test_an_update_counts_when_it_has_been_delivered(slip: timedelta, state: PromiseState) -> None:
    """B5: while the channel is down the promise runs out."""
    world = replacing()
    world.down = {Audience.CUSTOMER}
    first = world.promise(PROGRESS)

    world.until(START + 24 * HOUR + slip).comes_back(Audience.CUSTOMER)

    assert first.state is state
    assert len(world.letters("progress")) == 1


def test_while_the_channel_is_down_one_update_waits_and_no_heap_of_them() -> None:
    """G7, S7."""
    world = replacing()
    world.down = {Audience.CUSTOMER}

    world.after(days=5)

    assert [letter.event for letter in world.case.letters] == ["progress"]
    assert world.rungs(PROGRESS) == [1, 2, 3, 4]


def test_the_last_update_is_owed_no_more_once_all_is_done() -> None:
    """B5: while steps are open."""
    world = replacing()
    world.says("step-reported", step="replacement", state="done")
    world.after(hours=1).says("step-reported", step="collection", state="done")

    assert world.status is Status.FOLLOWING_UP
    assert world.state(PROGRESS) is PromiseState.VOID
    assert not [alarm for alarm in alarms(world.case) if alarm.name == "progress"]


def test_update_gives_the_state_of_each_step() -> None:
    """G7."""
    world = replacing()

    world.after(days=1)

    listed = world.letters("progress")[0].facts["steps"]
    assert [(step["kind"], step["state"]) for step in listed] == [("replacement", "running"), ("collection", "waiting")]


def test_an_update_that_no_channel_takes_is_not_written_over_and_over() -> None:
    """G7, S7: a person sees to it; the case must not run hot."""
    world = replacing()
    world.closed = {Audience.CUSTOMER}

    world.after(hours=19)

    assert len(world.letters("undelivered")) == 1


def test_a_short_rhythm_of_updates_is_kept_and_does_not_run_hot() -> None:
    """G7: every hour, in an urgent case that warns after half of it; and the half hour before."""
    policy = building_materials()
    hourly = [r.model_copy(update={"within": "1h"}) if r.name == PROGRESS else r for r in policy.promises]
    world = open_case(urgent=True, policy=policy.model_copy(update={"promises": hourly}))
    world.says("assess", severity="moderate")
    world.says("customer-approved")

    world.after(hours=5)

    assert 5 <= len(world.letters("progress")) <= 20


# What is due when


def test_promises_run_from_receipt_however_late_we_open() -> None:
    """S9: not from when we got round to it."""
    world = open_case(opened_at=START + 5 * MINUTE, down={Audience.CUSTOMER})

    assert world.due(ACK) == START + 10 * MINUTE
    assert world.due(DETAIL) == START + 48 * HOUR


def test_what_is_done_at_once_is_promised_to_be_reported_on_as_well() -> None:
    """B5, B13: the daily update also starts when no consent is needed."""
    world = late_by(1)

    assert world.steps == {"explanation": "done", "gift": "running"}
    assert world.due(PROGRESS) == START + 24 * HOUR


def test_customer_is_informed_of_the_new_arrival_time_and_the_cause() -> None:
    """B13."""
    expected = START + timedelta(days=2)
    trail = a_trail(promised_at=START - timedelta(days=1), expected_at=expected, cause="snow")

    world = open_case("transport.delay", trail=trail)

    facts = world.letters("explanation")[0].facts
    assert facts["expected_at"] == expected.isoformat()
    assert facts["cause"] == "snow"


@pytest.mark.parametrize("topic", ["transport.damage", "installation.attitude"])
def test_every_topic_promises_a_detailed_result_in_48_hours_that_can_be_paused(topic: str) -> None:
    """B4."""
    world = open_case(topic)

    assert world.due(DETAIL) == START + 48 * HOUR
    assert world.promise(DETAIL).pausable
    assert not world.promise(ACK).pausable
