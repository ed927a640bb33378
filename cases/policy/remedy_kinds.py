"""What each kind of remedy is, in one row: who carries it out, what it moves, what is counted and said.

Everything else in the program that depends on the kind is derived from its row. A kind without a row, or whose row
lacks a fact, raises `ValueError` when this module is imported.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cases.vocabulary import Partner, RemedyKind

Established = Literal["severity", "lost"]
"""What can be established by doing something."""


class Moves(StrEnum):
    """What carrying out a remedy moves."""

    NOTHING = "nothing"
    WORDS = "words"
    """Only words: they cost nothing, and any agent may promise them."""
    REFUND = "refund"
    """Money back to where it came from: never more than was paid (S14)."""
    PAYOUT = "payout"
    """Money beside refunds: over all cases of an order within the policy's limit (S15)."""
    GOODS = "goods"
    """Goods to the customer, in place of units of the order."""
    RETURN = "return"
    """Goods of the order from the customer."""
    VISIT = "visit"
    """Somebody to the customer."""


class Sends(StrEnum):
    """Which goods a shipment sends."""

    FROM_STOCK = "from stock"
    FROM_ELSEWHERE = "from elsewhere"
    OTHER_GOODS = "other goods"
    """Goods that need not have been ordered."""


class PaidAs(StrEnum):
    """The headings of the snapshot's `paid`, in its order."""

    REFUND = "refund"
    COMPENSATION = "compensation"
    COUPON = "coupon"


class Says(StrEnum):
    """What a message to the customer says beyond the finding."""

    ANSWER = "answer"
    """The answer to an inquiry."""
    SEARCHED = "searched"
    """Whether a search has found the parcel."""
    ITEMS = "items"
    """The affected items."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The facts of one kind of remedy; None: not such a kind."""

    partner: Partner
    """Who carries it out (contract, *The snapshot*)."""
    moves: Moves
    paid_as: PaidAs | None = None
    """Of money: under which heading it is counted."""
    gives_back: Literal["goods", "freight"] | None = None
    """Of a refund: what it gives back the price of. Goods are then made good; freight goes back once (S35)."""
    sends: Sends | None = None
    """Of a shipment."""
    establishes: Established | None = None
    """What it establishes; a visit that does so puts nothing right."""
    says: Says | None = None
    claims: bool = False
    """Made against the carrier by a process of its own, which outlives the case (B16)."""


_K, _P, _M = RemedyKind, Partner, Moves

ROWS: Mapping[RemedyKind, Row] = {
    _K.APOLOGY: Row(partner=_P.MESSAGING, moves=_M.WORDS),
    _K.EXPLANATION: Row(partner=_P.MESSAGING, moves=_M.WORDS, says=Says.SEARCHED),
    _K.ANSWER: Row(partner=_P.MESSAGING, moves=_M.WORDS, says=Says.ANSWER),
    _K.STOP_USE_NOTICE: Row(partner=_P.MESSAGING, moves=_M.NOTHING, says=Says.ITEMS),
    _K.REFUND: Row(partner=_P.REFUNDS, moves=_M.REFUND, paid_as=PaidAs.REFUND, gives_back="goods"),
    _K.FREIGHT_REFUND: Row(partner=_P.REFUNDS, moves=_M.REFUND, paid_as=PaidAs.REFUND, gives_back="freight"),
    _K.COMPENSATION: Row(partner=_P.REFUNDS, moves=_M.PAYOUT, paid_as=PaidAs.COMPENSATION),
    _K.COUPON: Row(partner=_P.REFUNDS, moves=_M.PAYOUT, paid_as=PaidAs.COUPON),
    _K.CLAIM_PAYMENT: Row(partner=_P.REFUNDS, moves=_M.PAYOUT, paid_as=PaidAs.COMPENSATION),
    _K.REPLACEMENT: Row(partner=_P.WAREHOUSE, moves=_M.GOODS, sends=Sends.FROM_STOCK),
    _K.RESHIP: Row(partner=_P.WAREHOUSE, moves=_M.GOODS, sends=Sends.FROM_STOCK),
    _K.TRANSFER: Row(partner=_P.WAREHOUSE, moves=_M.GOODS, sends=Sends.FROM_ELSEWHERE),
    _K.SUBSTITUTE: Row(partner=_P.WAREHOUSE, moves=_M.GOODS, sends=Sends.OTHER_GOODS),
    _K.GIFT: Row(partner=_P.WAREHOUSE, moves=_M.NOTHING),
    _K.COLLECTION: Row(partner=_P.LOGISTICS, moves=_M.RETURN),
    _K.CARRIER_CLAIM: Row(partner=_P.LOGISTICS, moves=_M.NOTHING, claims=True),
    _K.SEARCH: Row(partner=_P.LOGISTICS, moves=_M.NOTHING, establishes="lost"),
    _K.INSPECTION: Row(partner=_P.INSTALLATION, moves=_M.VISIT, establishes="severity"),
    _K.APPOINTMENT: Row(partner=_P.INSTALLATION, moves=_M.VISIT),
    _K.RECTIFICATION: Row(partner=_P.INSTALLATION, moves=_M.VISIT),
    _K.REINSTALLATION: Row(partner=_P.INSTALLATION, moves=_M.VISIT),
    _K.ONSITE_REPAIR: Row(partner=_P.INSTALLATION, moves=_M.VISIT),
}

NEEDED = {Moves.REFUND: {"paid_as", "gives_back"}, Moves.PAYOUT: {"paid_as"}, Moves.GOODS: {"sends"}}
"""The facts that a row must have because of what it moves; no other row has them."""

ONLY = {
    Moves.WORDS: Partner.MESSAGING,
    Moves.REFUND: Partner.REFUNDS,
    Moves.PAYOUT: Partner.REFUNDS,
    Moves.GOODS: Partner.WAREHOUSE,
}
"""What only one partner moves: letters go out with `messaging`, and around the others the order's ledger is kept."""


def faults(rows: Mapping[RemedyKind, Row]) -> Iterator[str]:
    """What is missing in a table of kinds, or does not go together, a sentence each."""
    for kind in RemedyKind:
        row = rows.get(kind)
        if row is None:
            yield f"{kind}: has no row"
            continue
        needed = NEEDED.get(row.moves, set())
        for fact in sorted(set.union(*NEEDED.values())):
            if (getattr(row, fact) is None) == (fact in needed):
                yield f"{kind}: moves {row.moves}, so it {'needs' if fact in needed else 'has no'} {fact}"
        if (only := ONLY.get(row.moves, row.partner)) is not row.partner:
            yield f"{kind}: moves {row.moves}, so its partner is {only}"
        if row.says and row.partner is not Partner.MESSAGING:
            yield f"{kind}: says something, so its partner is {Partner.MESSAGING}"


if _faults := list(faults(ROWS)):
    raise ValueError(f"{__file__}: {'; '.join(_faults)}")


def _where(holds: Callable[[Row], bool]) -> frozenset[RemedyKind]:
    return frozenset(kind for kind, row in ROWS.items() if holds(row))


STEP_PARTNERS = tuple(partner for partner in Partner if partner is not Partner.MESSAGING)
"""The partners that carry out steps."""

LETTERS = _where(lambda row: row.partner is Partner.MESSAGING)
"""Remedies that go out as a letter of their own."""

WORDS = _where(lambda row: row.moves is Moves.WORDS)
"""Remedies that are only words."""

TO_SOURCE = _where(lambda row: row.moves is Moves.REFUND)
"""Money that goes back to where it came from."""

MONEY = _where(lambda row: row.paid_as is not None)
"""Remedies that move money; each has an amount."""

PAYOUTS = MONEY - TO_SOURCE
"""Money that is paid beside what goes back."""

PAID_AS = {heading.value: frozenset(kind for kind, row in ROWS.items() if row.paid_as is heading) for heading in PaidAs}
"""The kinds that each heading of the snapshot's `paid` counts."""

FREIGHT = _where(lambda row: row.gives_back == "freight")
"""Refunds of freight."""

PRICES = _where(lambda row: row.gives_back == "goods")
"""Refunds of the price of goods, which they may name."""

SHIPMENTS = _where(lambda row: row.moves is Moves.GOODS)
"""Remedies that send goods to the customer."""

FROM_STOCK = _where(lambda row: row.sends is Sends.FROM_STOCK)
"""Shipments that need the goods in stock."""

RETURNS = _where(lambda row: row.moves is Moves.RETURN)
"""Remedies that fetch goods from the customer."""

GOODS = SHIPMENTS | RETURNS
"""Remedies that move goods; each names its items."""

MAKE_GOOD = SHIPMENTS | PRICES
"""Remedies that make units of an order good: over all its cases no more than were bought (S35)."""

WITH_ITEMS = GOODS | PRICES
"""Remedies that may name items."""

OF_THE_ORDER = WITH_ITEMS - _where(lambda row: row.sends is Sends.OTHER_GOODS)
"""Remedies that name no more of an item than was ordered."""

VISITS = _where(lambda row: row.moves is Moves.VISIT)
"""Remedies for which somebody goes to the customer."""

ESTABLISHING = _where(lambda row: row.establishes is not None)
"""Visits and searches that establish something."""

SEARCHES = _where(lambda row: row.establishes == "lost")
"""What establishes whether a parcel is lost."""

CREWS = VISITS - ESTABLISHING
"""Visits that put things right."""

CLAIMS = _where(lambda row: row.claims)
"""Claims against the carrier."""
