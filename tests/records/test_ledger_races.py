"""Two cases race for one order's money: together they never get more than was paid, or than the limit (S15).

The race is arranged: after each has summed up what is taken, it waits for the other. Without the lock both arrive,
both see room, and both write. With the lock the second cannot arrive before the first has finished.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import Connection, RowMapping

from cases.vocabulary import RemedyKind
from records import OverLimit, OverPaid, OverUnits, Records, Units

ROOT = Path(__file__).resolve().parents[2]
PAID = Decimal("100.00")
REFUND: dict[str, Any] = {"order_id": "SO-1", "kind": RemedyKind.REFUND, "currency": "CNY", "paid": PAID}
COMPENSATION: dict[str, Any] = {**REFUND, "kind": RemedyKind.COMPENSATION, "limit": PAID}


class Meeting(Records):
    """Records in which two reservations meet between reading and writing, if they can."""

    def __init__(self, url: str, patience: float) -> None:
        super().__init__(url)
        self.both = Barrier(2, timeout=patience)
        self.met = False

    def _taken(self, *args: Any) -> Decimal:
        taken = super()._taken(*args)
        self._meet()
        return taken

    def _units_taken(self, *args: Any) -> list[RowMapping]:
        taken = super()._units_taken(*args)
        self._meet()
        return taken

    def _meet(self) -> None:
        with suppress(BrokenBarrierError):
            self.both.wait()
            self.met = True


class WithoutLock(Meeting):
    """The control: the same without the lock on the order."""

    def _lock_order(self, connection: Connection, order_id: str) -> None:
        """Take no lock; on SQLite end the transaction that holds one."""
        del order_id
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")


def allowed(records: Records, case_id: str, payment: dict[str, Any]) -> bool:
    try:
        records.reserve(f"{case_id}/1/1/money", case_id=case_id, amount=Decimal("60.00"), **payment)
    except (OverPaid, OverLimit):
        return False
    return True


def race(records: Records, payment: dict[str, Any]) -> tuple[int, Decimal]:
    """Return how many of two payments of 60 % each succeeded, and what is reserved afterwards."""
    before = {**REFUND, "kind": RemedyKind.COUPON, "order_id": payment["order_id"]}
    records.reserve("HL-0/1/1/nothing", case_id="HL-0", amount=Decimal("0.00"), **before)
    with ThreadPoolExecutor(2) as pool:
        won = sum(pool.map(lambda case_id: allowed(records, case_id, payment), ["HL-1", "HL-2"]))
    amounts = [entry["amount"] for entry in records.entries() if entry["kind"] == payment["kind"]]
    records.close()
    return won, sum(amounts, Decimal(0))


@pytest.mark.parametrize("payment", [REFUND, COMPENSATION], ids=["refund", "compensation"])
def test_of_two_racing_payments_only_one_finds_room(url: str, payment: dict[str, Any]) -> None:
    """S15: the second waits for the order, and is refused because of the first one's amount."""
    records = Meeting(url, patience=0.3)

    assert race(records, payment) == (1, Decimal("60.00"))
    assert not records.met


@pytest.mark.parametrize("payment", [REFUND, COMPENSATION], ids=["refund", "compensation"])
def test_without_the_lock_the_same_race_pays_more_than_may_be_paid(url: str, payment: dict[str, Any]) -> None:
    """S15, the control: this is what the lock is for."""
    records = WithoutLock(url, patience=30)

    assert race(records, payment) == (2, Decimal("120.00"))
    assert records.met


def shipped(records: Records, case_id: str) -> bool:
    """Return whether a case may send the one unit of the order again."""
    how: dict[str, Any] = {**REFUND, "kind": RemedyKind.RESHIP, "amount": Decimal("0.00")}
    try:
        records.reserve(f"{case_id}/1/1/reship", case_id=case_id, units=Units({"TILE": 1}, {"TILE": 1}), **how)
    except OverUnits:
        return False
    return True


def race_for_a_unit(records: Records, url: str) -> int:
    """Return how many of two cases may send the same unit."""
    before = {**REFUND, "kind": RemedyKind.COUPON, "units": Units({}, {"TILE": 1})}
    with closing(Records(url)) as alone:
        alone.reserve("HL-0/1/1/nothing", case_id="HL-0", amount=Decimal("0.00"), **before)
    with ThreadPoolExecutor(2) as pool:
        won = sum(pool.map(lambda case_id: shipped(records, case_id), ["HL-1", "HL-2"]))
    records.close()
    return won


def test_of_two_cases_racing_for_one_unit_only_one_gets_it(url: str) -> None:
    """S35: as for money."""
    records = Meeting(url, patience=0.3)

    assert race_for_a_unit(records, url) == 1
    assert not records.met


def test_without_the_lock_the_same_unit_is_made_good_twice(url: str) -> None:
    """S35, the control."""
    records = WithoutLock(url, patience=30)

    assert race_for_a_unit(records, url) == 2
    assert records.met


def test_concurrent_commits_and_releases_of_one_entry_end_in_one_state(records: Records) -> None:
    """S17: in any order, an entry that was paid ends as paid."""
    records.reserve("HL-1/1/1/refund", case_id="HL-1", amount=PAID, **REFUND)

    def release() -> None:
        with suppress(Exception):  # refused if the commit came first
            records.release("HL-1/1/1/refund", "gave up")

    calls: list[Callable[[], object]] = [lambda: records.commit("HL-1/1/1/refund", "RF-1"), release] * 4
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()

    assert records.paid_out("SO-1") == {RemedyKind.REFUND: PAID}


def test_two_processes_racing_on_one_order_get_exactly_what_was_paid(url: str) -> None:
    """S15: 40 refunds of 1.00 each, from two processes at once, on an order of 50.00."""
    racers = [_racer(url, case_id) for case_id in ("HL-1", "HL-2")]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"

    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    results = [racer.communicate(timeout=60) for racer in racers]

    assert [racer.returncode for racer in racers] == [0, 0], results
    assert sum(int(out) for out, _ in results) == 50
    records = Records(url)
    assert records.paid_out("SO-1") == {RemedyKind.REFUND: Decimal("50.00")}
    records.close()


def _racer(url: str, case_id: str) -> subprocess.Popen[str]:
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, str(Path(__file__).with_name("racer.py")), url, case_id, "40"]
    return subprocess.Popen(command, **pipes, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
