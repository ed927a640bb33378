"""Before a case makes an offer automatically, it reads again what the order's other cases have taken (S35)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.progress.closing import end
from cases.state.account import Account, Booking
from cases.views.needs import needs
from cases.vocabulary import Outcome, RemedyKind, Status
from tests.cases.lines import PARCEL
from tests.cases.world import START, World, a_trail, open_case

PROOF = {"kind": "proof_of_value", "uri": "s3://2"}
VALUABLE = PARCEL | {"goods_value": "90.00"}
LOST = a_trail(state="lost")


def late_evidence() -> World:
    """A claim for a lost parcel is decided by its proof."""
    return open_case("claim.loss", line="express", order=VALUABLE, affected=None, trail=LOST)


def shows(world: World) -> None:
    world.says("evidence-received", evidence=[PROOF])


def search() -> World:
    """A parcel counts as lost after three days."""
    return open_case("transport.loss", line="express", order=VALUABLE, affected=None)


def waits(world: World) -> None:
    world.after(days=3)


def late_look_up() -> World:
    """At first it is unknown where the goods are."""
    world = open_case("transport.delay", looked_up=False)
    for what in list(world.case.looking_up):
        world.finds(what, None)
    return world


def is_found(world: World) -> None:
    world.finds("trail", LOST)


def inspection() -> World:
    """A technician looks first."""
    return open_case("installation.defect")


def reports(world: World) -> None:
    world.says("step-reported", step="inspection", state="done", finding={"severity": "severe"})


def dissatisfied() -> World:
    """Repaired three times without success: it is installed again, with compensation."""
    world = open_case("installation.defect")
    world.says("step-reported", step="inspection", state="done", finding={"severity": "minor"})
    for number in range(3):
        world.says("step-reported", step=["rectification", "rectification-2", "rectification-3"][number], state="done")
        if number < 2:
            world.says("satisfaction-reported", score=1)
    return world


def complains_again(world: World) -> None:
    world.says("satisfaction-reported", score=1)


Opens = Callable[[], World]
Happens = Callable[[World], None]
PLACES: dict[str, tuple[Opens, Happens, str]] = {
    "evidence": (late_evidence, shows, "claim_payment"),
    "search": (search, waits, "claim_payment"),
    "look-up": (late_look_up, is_found, "refund"),
    "inspection": (inspection, reports, "compensation"),
    "dissatisfied": (dissatisfied, complains_again, "compensation"),
}
"""Every place in which a case makes an offer automatically, and what it then offers."""


def rereads(opens: Opens, *bookings: Booking) -> World:
    """A case that has read an empty account; by now the order's other cases have taken `bookings`."""
    world = opens()
    world.case.account, world.case.rereads_account = Account(), True
    world.account = Account(bookings=list(bookings))
    return world


def taken(kind: str) -> Booking:
    """All that can be paid of this kind."""
    return Booking(case_id="HL-7", kind=RemedyKind(kind), amount=Decimal("12800.00"))


def offered(world: World) -> set[str]:
    """The kinds of remedies that the latest offer promises."""
    live = [offer for offer in world.case.offers if offer.cycle == world.case.cycle]
    return {remedy.kind.value for offer in live[-1:] for option in offer.options for remedy in option.remedies}


@pytest.mark.parametrize("place", PLACES)
def test_an_offer_does_not_promise_what_another_case_has_taken_since_the_account_was_read(place: str) -> None:
    """S35: the reason names the other case."""
    opens, happens, kind = PLACES[place]
    world = rereads(opens, taken(kind))

    happens(world)

    assert kind not in offered(world)
    assert world.case.offer_due is None
    why = f"{kind.replace('_', ' ')} in case HL-7"
    assert any(why in entry.text for entry in world.case.timeline if entry.what == "not offered")


@pytest.mark.parametrize("place", PLACES)
def test_what_is_still_free_is_offered(place: str) -> None:
    """S35: the other side."""
    opens, happens, kind = PLACES[place]
    world = rereads(opens)

    happens(world)

    assert kind in offered(world)


@pytest.mark.parametrize("place", PLACES)
def test_a_case_of_an_older_worker_makes_its_offer_at_once(place: str) -> None:
    """S24: so its history says."""
    opens, happens, kind = PLACES[place]
    world = rereads(opens, taken(kind))
    world.case.rereads_account = False

    happens(world)

    assert kind in offered(world)


@pytest.fixture
def pending(monkeypatch: pytest.MonkeyPatch) -> World:
    """The evidence is here, and the account is being read."""
    world = rereads(late_evidence)
    monkeypatch.setattr(World, "_offers", lambda _self: False)
    shows(world)
    monkeypatch.undo()
    return world


def test_case_needs_nothing_while_the_account_is_read(pending: World) -> None:
    assert (pending.case.offers, pending.case.offer_due) == ([], pending.now)
    assert needs(pending.case) == []


def test_an_offer_that_is_due_is_still_due_after_the_case_has_continued_as_new(pending: World) -> None:
    pending.continues_as_new().attend()

    assert "claim_payment" in offered(pending)


def ends(world: World) -> None:
    end(world.case, Outcome.WITHDRAWN, world.now)


def proposes(world: World) -> None:
    own: dict[str, Any] = {"key": "own", "remedies": [{"kind": "apology"}]}
    world.says("propose", by="Li", options=[own])


@pytest.mark.parametrize("overtaken_by", [ends, proposes])
def test_what_happens_while_the_account_is_read_takes_the_place_of_the_offer(
    monkeypatch: pytest.MonkeyPatch, pending: World, overtaken_by: Happens
) -> None:
    """S35: the case has ended, or an agent was faster."""
    with monkeypatch.context() as reading:
        reading.setattr(World, "_offers", lambda _self: False)
        overtaken_by(pending)

    pending.attend()

    assert pending.case.offer_due is None
    assert offered(pending) <= {"apology"}


def test_promises_of_an_offer_that_rests_on_a_fact_entered_late_are_marked_so() -> None:
    """S9, S35: they could not be known before."""
    world = open_case("installation.defect", received=START, opened_at=START + timedelta(hours=1))
    world.case.account, world.case.rereads_account = Account(), True
    world.now += timedelta(hours=1)
    happened = (world.now - timedelta(minutes=30)).isoformat()

    world.says("step-reported", step="inspection", state="done", finding={"severity": "severe"}, occurred_at=happened)

    begun = [promise for promise in world.case.promises if promise.started_at.isoformat() == happened]
    assert [promise.known_at for promise in begun] == [world.now] * len(begun) != []


def test_a_case_that_knows_no_account_makes_its_offer_at_once() -> None:
    """S35: its order is unknown."""
    world = inspection()
    world.case.rereads_account = True

    reports(world)

    assert world.status is Status.AWAITING_CONSENT
