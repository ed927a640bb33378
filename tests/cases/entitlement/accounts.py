"""Orders of which other cases have taken something."""

from decimal import Decimal
from typing import Any

from cases.state.account import Account, Booking
from cases.vocabulary import RemedyKind
from tests.cases.lines import FOOD, PHOTO
from tests.cases.world import World, open_case

SLATE = {"sku": "SLATE-9", "quantity": 1}


def taken(kind: str, amount: str = "0.00", case_id: str = "HL-0", *, slabs: int = 0, greens: int = 0) -> Booking:
    units = {sku: count for sku, count in (("SLATE-9", slabs), ("GREENS", greens)) if count}
    return Booking(case_id=case_id, kind=RemedyKind(kind), amount=Decimal(amount), units=units)


def with_account(
    world: World, *bookings: Booking, paid: str = "12800.00", bought: dict[str, int] | None = None
) -> World:
    """The order's ledger as the case last read it."""
    world.case.account = Account(paid=Decimal(paid), bought=bought or {}, bookings=list(bookings))
    return world


def slate(*bookings: Booking, topic: str = "transport.damage", **how: Any) -> World:
    """One of four slabs of 3125.00 is complained about, on an order of 12800.00."""
    return with_account(open_case(topic, looked_up=False, affected=[SLATE], **how), *bookings)


def food(*bookings: Booking, quantity: int = 1, topic: str = "goods.damage") -> World:
    """Greens of an order of 860.00; the ledger pays 258.00 besides refunds."""
    affected = [{"sku": "GREENS", "quantity": quantity}]
    world = open_case(topic, line="fresh_food", order=FOOD, affected=affected, evidence=[PHOTO])
    return with_account(world, *bookings, paid="860.00")


def proposes(world: World, *remedies: dict[str, Any], by: str | None = "Li") -> dict[str, Any]:
    answer: dict[str, Any] = world.says("propose", by=by, options=[{"key": "own", "remedies": list(remedies)}])["offer"]
    return answer


def refuses(world: World, *remedies: dict[str, Any]) -> str:
    return world.refuses("propose", by="Li", options=[{"key": "own", "remedies": list(remedies)}])
