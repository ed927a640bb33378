"""Silence and reminders count from the last contact (G5, G8, G11)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cases.vocabulary import Outcome, Status
from tests.cases.offers import offered
from tests.cases.world import START, World, open_case

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
PHOTO = {"kind": "photo", "uri": "s3://e/1.jpg"}
PARCEL = {"amount": "18.00", "freight": "18.00", "tracking_no": "T-1", "items": [], "goods_value": "90.00"}

WORDS: list[tuple[str, dict[str, Any]]] = [("contact-made", {"by": "li"}), ("evidence-received", {"evidence": [PHOTO]})]
word = pytest.mark.parametrize(("message", "said"), WORDS, ids=[name for name, _ in WORDS])


def called_back() -> World:
    world = offered()
    world.says("customer-approved")
    assert world.status is Status.FOLLOWING_UP
    return world


def sent_at(world: World, event: str) -> list[datetime]:
    return [entry.at for entry in world.case.timeline if entry.what == event]


# An open offer


@word
def test_case_with_a_message_on_day_6_stays_open_until_day_13(message: str, said: dict[str, Any]) -> None:
    """G5: seven days of silence, to the second."""
    world = offered().after(days=6)

    world.says(message, **said)

    assert world.until(START + 13 * DAY - SECOND).status is Status.AWAITING_CONSENT
    assert world.after(seconds=1).case.outcome is Outcome.NO_RESPONSE


@word
def test_reminders_count_from_the_last_contact(message: str, said: dict[str, Any]) -> None:
    """G5: 24 h and 48 h after it, the team lead at 72 h; what the letters say of the end is true."""
    world = offered().after(hours=30)
    world.says(message, **said)
    spoken = world.now

    world.after(days=8)

    assert sent_at(world, "reminded") == [START + 24 * HOUR, spoken + 24 * HOUR, spoken + 48 * HOUR]
    assert sent_at(world, "silence") == [spoken + 72 * HOUR]
    closes = [letter.facts["closes_at"] for letter in world.letters("reminder")]
    assert [datetime.fromisoformat(at) for at in closes] == [START + 7 * DAY, *[spoken + 7 * DAY] * 2]
    assert sent_at(world, "no response") == [spoken + 7 * DAY]


def test_contact_counts_from_its_own_time_and_repeats_no_reminder() -> None:
    """G5, S9: entered after reminders that came later than it."""
    world = offered().after(hours=50)

    world.says("contact-made", by="li", occurred_at=(START + 20 * HOUR).isoformat())

    assert world.after(seconds=0).letters("reminder") == world.letters("reminder")[:2]
    world.after(days=8)
    assert sent_at(world, "reminded") == [START + h * HOUR for h in (24, 48, 68)]
    assert sent_at(world, "no response") == [START + 20 * HOUR + 7 * DAY]


def test_contact_before_the_offer_changes_nothing() -> None:
    """G5: the offer's delivery is the last contact."""
    world = open_case().after(hours=10)
    world.says("assess", severity="severe")
    world.says("contact-made", by="li", occurred_at=(START + 2 * HOUR).isoformat())

    world.after(days=8)

    assert sent_at(world, "no response") == [START + 10 * HOUR + 7 * DAY]


def test_team_lead_is_still_notified_when_a_message_comes_during_an_outage() -> None:
    """G5, S8: it was due before the message was entered, and had not been sent."""
    world = offered().without_worker(hours=0)
    world.now += 80 * HOUR

    world.says("contact-made", by="li", occurred_at=(START + HOUR).isoformat())
    world.until(world.now)

    assert len(world.letters("silence")) == 1


def test_last_contact_survives_a_new_run() -> None:
    """Continue-as-new keeps every contact."""
    world = offered().after(days=6)
    world.says("contact-made", by="li")

    world.continues_as_new().after(days=3)

    assert world.status is Status.AWAITING_CONSENT


# The callback


@word
def test_who_was_reached_yesterday_is_not_unreachable(message: str, said: dict[str, Any]) -> None:
    """G8: three attempts, a day apart, since the last contact."""
    world = called_back().after(hours=71)

    world.says(message, **said)

    assert world.after(hours=24).status is Status.FOLLOWING_UP
    world.until(START + 71 * HOUR + 4 * DAY - SECOND)
    assert world.status is Status.FOLLOWING_UP
    assert world.after(seconds=1).case.outcome is Outcome.UNREACHABLE
    assert sent_at(world, "callback") == [START + h * HOUR for h in (0, 24, 48, 95, 119, 143)]


def test_attempts_since_a_contact_that_was_entered_later_count() -> None:
    """G8, S9: reached at 10 h, called at 24 h and 48 h; entered at 50 h."""
    world = called_back().after(hours=50)

    world.says("contact-made", by="li", occurred_at=(START + 10 * HOUR).isoformat())
    world.after(days=5)

    assert sent_at(world, "callback") == [START + h * HOUR for h in (0, 24, 48, 72)]
    assert world.case.outcome is Outcome.UNREACHABLE
    assert sent_at(world, "ended") == [START + 96 * HOUR]


# Documents that a claim waits for


def claim() -> World:
    return open_case("claim.damage", line="express", order=PARCEL, affected=None)


def test_claim_with_a_message_on_day_6_is_not_closed_on_day_7() -> None:
    """G11, G5: one of two documents came; the other is still waited for, seven days from then."""
    world = claim().after(days=6)

    world.says("evidence-received", evidence=[PHOTO])

    assert world.until(START + 13 * DAY - SECOND).status is Status.AWAITING_EVIDENCE
    assert world.after(seconds=1).case.outcome is Outcome.NO_RESPONSE
    reminders = world.letters("evidence_reminder")
    assert [datetime.fromisoformat(x.facts["closes_at"]) for x in reminders] == [START + 7 * DAY, START + 13 * DAY]


def test_case_continues_without_evidence_a_day_after_the_request_even_if_the_customer_was_reached() -> None:
    """G11: the customer can still answer later, so the case does not wait."""
    world = open_case("goods.damage", line="fresh_food").after(hours=23)
    world.says("contact-made", by="li")

    assert world.status is Status.AWAITING_EVIDENCE
    assert world.after(hours=1).status is not Status.AWAITING_EVIDENCE
