"""A message that comes twice is applied once; another one under its id is refused, not swallowed (S31)."""

from datetime import timedelta
from typing import Any

import pytest

from cases.claim.claim import Claim, receive
from cases.claim.terms import claim_terms
from cases.errors import Refusal
from cases.inbox import same_matter as linking
from cases.inbox.messages import read
from cases.inbox.repeats import fingerprint
from cases.state.case import Case
from tests.cases.world import START, World, open_case

AT = (START + timedelta(minutes=1)).isoformat()


def contacted_case() -> World:
    world = open_case().after(minutes=5)
    world.says("contact-made", note="called", by="li", occurred_at=AT, message_id="m-1")
    return world


@pytest.mark.parametrize(
    "again",
    [
        {"note": "called", "by": "li", "occurred_at": AT},
        {"occurred_at": AT, "by": "li", "note": "called"},
        {"note": "called", "by": " li ", "occurred_at": AT},
    ],
)
def test_a_true_repeat_is_silent(again: dict[str, Any]) -> None:
    """S31: in any order of its fields."""
    world = contacted_case()

    answer = world.says("contact-made", **again, message_id="m-1")

    assert (answer["applied"], answer["why"]) == (False, "message m-1 was applied before")
    assert [entry.what for entry in world.case.timeline].count("contact") == 1


@pytest.mark.parametrize(
    "other",
    [
        {"note": "called twice", "by": "li", "occurred_at": AT},
        {"note": "called", "by": "wu", "occurred_at": AT},
        {"note": "called", "by": "li"},
        {"note": "called", "occurred_at": AT},
        {"by": "li", "occurred_at": AT},
    ],
)
def test_the_same_id_with_other_content_is_refused(other: dict[str, Any]) -> None:
    """S31: every field counts, including sender and time."""
    why = contacted_case().refuses("contact-made", **other, message_id="m-1")

    assert "message_id: m-1 was applied before with other content: this message was not applied" in why


def test_the_same_id_of_another_message_is_refused() -> None:
    """S31: a customer's no is not swallowed by a call."""
    why = contacted_case().refuses("complaint-withdrawn", message_id="m-1")

    assert "message_id: m-1 was applied before as contact-made" in why


def test_what_was_refused_uses_up_no_id() -> None:
    """S31."""
    world = open_case()
    world.refuses("customer-approved", message_id="m-1")

    assert world.says("note", text="x", message_id="m-1")["applied"]


def test_a_default_that_is_written_out_is_the_same() -> None:
    """S31: so a release that knows another field still knows the message."""
    short, long = (read("contact-made", {**more, "message_id": "m"}) for more in ({}, {"note": "", "by": None}))

    assert fingerprint("contact-made", short) == fingerprint("contact-made", long)


def test_an_id_that_an_earlier_release_remembered_is_a_repeat_whatever_comes() -> None:
    """S31: a case that continued as new before fingerprints were kept."""
    world = contacted_case()
    state = world.case.model_dump(mode="json")
    world.case = Case.model_validate({**state, "seen": ["m-1"]})

    assert world.says("note", text="x", message_id="m-1")["applied"] is False
    assert Case.model_validate(world.case.model_dump(mode="json")) == world.case


def test_a_fingerprint_is_short_however_long_the_message() -> None:
    """S31: a case carries them to its end."""
    world = open_case()
    world.says("note", text="x" * 5_000, message_id="m-1")

    assert len(world.case.seen["m-1"]) < 50


def test_a_history_that_is_older_than_the_rule_replays_as_it_was() -> None:
    """S31."""
    world = contacted_case()
    from cases.inbox.receiving import receive as taken  # noqa: PLC0415

    answer = taken(world.case, "note", {"text": "x", "message_id": "m-1"}, world.now, holds=lambda _: False)

    assert answer["applied"] is False


def test_a_carrier_claim_looks_at_the_content_too() -> None:
    """S31, B16."""
    claim = Claim(terms=claim_terms(open_case("transport.loss").case), documents=[])
    photo = {"evidence": [{"kind": "photo", "uri": "s3://1"}], "message_id": "m-1"}
    receive(claim, "evidence-received", photo, START)

    assert receive(claim, "evidence-received", photo, START)["applied"] is False
    with pytest.raises(Refusal, match="m-1 was applied before as evidence-received"):
        receive(claim, "claim-settled", {"recovered": "1.00", "message_id": "m-1"}, START)


def test_a_merged_case_passes_a_fact_on_once_and_refuses_another_under_its_id() -> None:
    """S31, S22."""
    world = open_case()
    linking.merge(world.case, "HL-0", world.now)
    fact = {"note": "called", "message_id": "m-1"}

    assert linking.pass_on(world.case, "contact-made", fact, world.now)
    linking.passed_on(world.case, "contact-made", fact)

    assert not linking.pass_on(world.case, "contact-made", fact, world.now)
    with pytest.raises(Refusal, match="m-1 was applied before as contact-made"):
        linking.pass_on(world.case, "complaint-withdrawn", {"message_id": "m-1"}, world.now)
