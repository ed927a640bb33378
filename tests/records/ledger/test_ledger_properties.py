"""For any sequence of reservations, payments and releases by several cases, the ledger's sums are exact."""

import itertools
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cases.money import CENT, rounded
from cases.policy.remedy_kinds import PAYOUTS, TO_SOURCE
from cases.vocabulary import RemedyKind
from records import AlreadyCommitted, EntryState, NotReserved, OverLimit, OverPaid, Records
from tests.profiles import scaled

CASES = ("HL-1", "HL-2", "HL-3")
KINDS = (RemedyKind.REFUND, RemedyKind.FREIGHT_REFUND, RemedyKind.COMPENSATION, RemedyKind.COUPON)
ORDERS = itertools.count()
"""Each example has a separate order: the database stays."""

DURABLE = settings(
    max_examples=scaled(12),  # a real database
    stateful_step_count=25,
    phases=set(Phase) - {Phase.explain},  # a failure is reported after a minute instead of five
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
amounts = st.integers(0, 12_000).map(lambda minor: Decimal(minor) * CENT)


class Ledger(RuleBasedStateMachine):
    """An order with three cases, beside a model that consists of two dictionaries."""

    records: Records

    @initialize(paid=amounts, limit=amounts)
    def order(self, paid: Decimal, limit: Decimal) -> None:
        self.order_id, self.paid, self.limit = f"SO-{next(ORDERS)}", paid, limit
        self.amounts: dict[str, tuple[RemedyKind, Decimal]] = {}
        self.states: dict[str, EntryState] = {}
        self.late: dict[bool, Decimal] = {True: Decimal(0), False: Decimal(0)}

    def taken(self, kinds: frozenset[RemedyKind]) -> Decimal:
        live = (self.amounts[key] for key, state in self.states.items() if state != EntryState.RELEASED)
        return sum((amount for kind, amount in live if kind in kinds), Decimal(0))

    def fits(self, kind: RemedyKind, amount: Decimal) -> bool:
        if kind in TO_SOURCE:
            freight = frozenset({RemedyKind.FREIGHT_REFUND})
            once = kind not in freight or self.taken(freight) + amount <= self.limit
            return once and self.taken(TO_SOURCE) + amount <= self.paid
        return self.taken(PAYOUTS) + amount <= self.limit

    @rule(case_id=st.sampled_from(CASES), step=st.integers(1, 3), kind=st.sampled_from(KINDS), amount=amounts)
    def reserve(self, case_id: str, step: int, kind: RemedyKind, amount: Decimal) -> None:
        key = f"{case_id}/{self.order_id}/1/{step}"
        kind, amount = self.amounts.get(key, (kind, amount))
        fresh = self.states.get(key, EntryState.RELEASED) == EntryState.RELEASED
        fits = self.fits(kind, amount)
        order: dict[str, Any] = {"order_id": self.order_id, "currency": "CNY", "paid": self.paid, "limit": self.limit}
        try:
            self.records.reserve(key, case_id=case_id, kind=kind, amount=amount, **order)
        except (OverPaid, OverLimit):
            assert fresh
            assert not fits
            return
        assert fits or not fresh
        self.amounts[key] = (kind, amount)
        if fresh:
            self.states[key] = EntryState.RESERVED

    @rule(case_id=st.sampled_from(CASES), step=st.integers(1, 3))
    def commit(self, case_id: str, step: int) -> None:
        key = f"{case_id}/{self.order_id}/1/{step}"
        try:
            late = self.records.commit(key, f"RF-{key}")
        except NotReserved:
            assert key not in self.states
            return
        if self.states[key] == EntryState.RELEASED:
            assert late
            kind, amount = self.amounts[key]
            self.late[kind in TO_SOURCE] += amount
        self.states[key] = EntryState.COMMITTED

    @rule(case_id=st.sampled_from(CASES), step=st.integers(1, 3))
    def release(self, case_id: str, step: int) -> None:
        key = f"{case_id}/{self.order_id}/1/{step}"
        try:
            self.records.release(key, "given up")
        except NotReserved:
            assert key not in self.states
        except AlreadyCommitted:
            assert self.states[key] == EntryState.COMMITTED
        else:
            self.states[key] = EntryState.RELEASED

    @invariant()
    def ledger_matches_the_model(self) -> None:
        entries = self.records.entries(order_id=self.order_id)
        assert {entry["key"]: entry["state"] for entry in entries} == self.states
        assert {entry["key"]: (entry["kind"], entry["amount"]) for entry in entries} == self.amounts

    @invariant()
    def sums_are_exact(self) -> None:
        committed: dict[str, Decimal] = {}
        for key, state in self.states.items():
            kind, amount = self.amounts[key]
            if state == EntryState.COMMITTED:
                committed[kind] = committed.get(kind, Decimal(0)) + amount
        assert self.records.paid_out(self.order_id) == committed

    @invariant()
    def refunds_never_exceed_what_was_paid_nor_payouts_the_limit(self) -> None:
        """Except for payments made after their release."""
        entries = self.records.entries(order_id=self.order_id)
        live = [entry for entry in entries if entry["state"] != EntryState.RELEASED]
        for kinds, most in ((TO_SOURCE, self.paid), (PAYOUTS, self.limit)):
            out = sum((entry["amount"] for entry in live if entry["kind"] in kinds), Decimal(0))
            assert out <= most + self.late[kinds is TO_SOURCE]


def test_no_sequence_of_calls_gets_more_out_of_an_order_than_was_paid(records: Records) -> None:
    """S14, S15, S16."""
    machine = type("LedgerOfThisDatabase", (Ledger,), {"records": records})

    run_state_machine_as_test(machine, settings=DURABLE)

    assert records.entries()


@DURABLE
@given(paid=amounts, parts=st.integers(2, 7))
def test_partial_refunds_never_exceed_the_whole_and_the_last_takes_the_remainder(
    records: Records, paid: Decimal, parts: int
) -> None:
    """S16: three thirds of 200.00 are 66.67 each, and the last one is one minor unit too much."""
    order: dict[str, Any] = {"order_id": f"SO-{next(ORDERS)}", "currency": "CNY", "paid": paid}
    order |= {"case_id": "HL-1", "kind": RemedyKind.REFUND}
    share, refunded = rounded(paid / parts, 2), Decimal("0.00")

    for part in range(parts):
        key = f"HL-1/{order['order_id']}/1/{part}"
        try:
            records.reserve(key, amount=share, **order)
        except OverPaid:
            assert refunded + share > paid
            break
        records.commit(key, f"RF-{key}")
        refunded += share
        assert records.paid_out(str(order["order_id"])) == {RemedyKind.REFUND: refunded}

    records.reserve(f"HL-1/{order['order_id']}/1/rest", amount=paid - refunded, **order)
    records.commit(f"HL-1/{order['order_id']}/1/rest", "RF-rest")
    assert records.paid_out(str(order["order_id"])) == {RemedyKind.REFUND: paid}


def test_three_thirds_of_an_order_are_one_minor_unit_too_many(records: Records) -> None:
    """S16, in figures."""
    order: dict[str, Any] = {"order_id": "SO-1", "case_id": "HL-1", "currency": "CNY", "paid": Decimal("200.00")}
    third = rounded(Decimal("200.00") / 3, 2)
    refused = []

    for part, amount in enumerate([third, third, third, Decimal("66.66")]):
        try:
            records.reserve(f"HL-1/1/1/{part}", kind=RemedyKind.REFUND, amount=amount, **order)
        except OverPaid:
            refused.append(part)

    assert refused == [2]
    assert [entry["amount"] for entry in records.entries()] == [third, third, Decimal("66.66")]
