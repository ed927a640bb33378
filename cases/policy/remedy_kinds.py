"""The properties of each kind of remedy, in one row: its partner, what it moves, how it is counted, and its message.

Everything else that depends on the kind is derived from this table. If a row or a required property is missing, the
import of this module raises `ValueError`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cases.vocabulary import Partner, RemedyKind

Established = Literal["severity", "lost"]
"""Fields of a finding that a step can establish."""


class Moves(StrEnum):
    """What a remedy moves."""

    NOTHING = "nothing"
    WORDS = "words"
    """A message only. It costs nothing, and any agent may offer it."""
    REFUND = "refund"
    """Money back to its source, never more than was paid (S14)."""
    PAYOUT = "payout"
    """Money beside refunds, within the policy's limit over all cases of an order (S15)."""
    GOODS = "goods"
    """Goods to the customer, to replace units of the order."""
    RETURN = "return"
    """Goods of the order, from the customer."""
    VISIT = "visit"
    """A visit to the customer."""


class Sends(StrEnum):
    """The goods that a shipment sends."""

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
    """What a message to the customer contains in addition to the finding."""

    ANSWER = "answer"
    """The answer to an inquiry."""
    SEARCHED = "searched"
    """The result of a search for the parcel."""
    ITEMS = "items"
    """The affected items."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The properties of one kind of remedy. None: does not apply to this kind."""

    partner: Partner
    """The partner that carries it out (contract, *The snapshot*)."""
    moves: Moves
    paid_as: PaidAs | None = None
    """For payments: the heading under which they are counted."""
    gives_back: Literal["goods", "freight"] | None = None
    """For refunds: the price of goods, which are then made good, or freight, which is refunded once (S35)."""
    sends: Sends | None = None
    """For shipments: which goods they send."""
    establishes: Established | None = None
    """The fact that it establishes. Such a visit does not repair anything."""
    says: Says | None = None
    claims: bool = False
    """Whether it is a claim against the carrier, in a separate workflow that continues after the case (B16)."""


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
"""The properties that a row must have because of what it moves. Other rows must not have them."""

ONLY = {
    Moves.WORDS: Partner.MESSAGING,
    Moves.REFUND: Partner.REFUNDS,
    Moves.PAYOUT: Partner.REFUNDS,
    Moves.GOODS: Partner.WAREHOUSE,
}
"""The only partner for what a remedy moves. Messages are letters, and the ledger depends on the other three."""


def faults(rows: Mapping[RemedyKind, Row]) -> Iterator[str]:
    """Yield a sentence for each missing row, and for each property that is missing or does not fit."""
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


def _kinds(applies: Callable[[Row], bool]) -> frozenset[RemedyKind]:
    return frozenset(kind for kind, row in ROWS.items() if applies(row))


STEP_PARTNERS = tuple(partner for partner in Partner if partner is not Partner.MESSAGING)
"""The partners that carry out steps."""

LETTERS = _kinds(lambda row: row.partner is Partner.MESSAGING)
"""Remedies that are delivered as a letter."""

WORDS = _kinds(lambda row: row.moves is Moves.WORDS)
"""Remedies that are only a message."""

TO_SOURCE = _kinds(lambda row: row.moves is Moves.REFUND)
"""Refunds: money that goes back to its source."""

MONEY = _kinds(lambda row: row.paid_as is not None)
"""Remedies that move money. Each has an amount."""

PAYOUTS = MONEY - TO_SOURCE
"""Payments beside refunds."""

PAID_AS = {heading.value: frozenset(kind for kind, row in ROWS.items() if row.paid_as is heading) for heading in PaidAs}
"""The kinds that each heading of the snapshot's `paid` counts."""

FREIGHT = _kinds(lambda row: row.gives_back == "freight")
"""Refunds of freight."""

PRICES = _kinds(lambda row: row.gives_back == "goods")
"""Refunds of the price of goods. They may name the items."""

SHIPMENTS = _kinds(lambda row: row.moves is Moves.GOODS)
"""Remedies that send goods to the customer."""

FROM_STOCK = _kinds(lambda row: row.sends is Sends.FROM_STOCK)
"""Shipments that need the goods in stock."""

RETURNS = _kinds(lambda row: row.moves is Moves.RETURN)
"""Remedies that collect goods from the customer."""

GOODS = SHIPMENTS | RETURNS
"""Remedies that move goods. Each names its items."""

MAKE_GOOD = SHIPMENTS | PRICES
"""Remedies that make units of an order good. All cases together make good at most the units that were bought (S35)."""

WITH_ITEMS = GOODS | PRICES
"""Remedies that may name items."""

OF_THE_ORDER = WITH_ITEMS - _kinds(lambda row: row.sends is Sends.OTHER_GOODS)
"""Remedies for items of the order. They cannot name more of an item than was ordered."""

VISITS = _kinds(lambda row: row.moves is Moves.VISIT)
"""Remedies that are visits to the customer."""

ESTABLISHING = _kinds(lambda row: row.establishes is not None)
"""Visits and searches that establish a fact."""

SEARCHES = _kinds(lambda row: row.establishes == "lost")
"""Remedies that establish whether a parcel is lost."""

CREWS = VISITS - ESTABLISHING
"""Visits that repair or install something."""

CLAIMS = _kinds(lambda row: row.claims)
"""Claims against the carrier."""
