"""Two complaints about one order and topic open at the same time: one is the first, the other the second (G12).

The race is arranged, as in `test_ledger_races`: each writes its row and waits for the other before it looks.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError
from typing import Any

from sqlalchemy import Connection

from records import Records

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ABOUT: dict[str, Any] = {
    "line": "building_materials",
    "topic": "transport.damage",
    "order_id": "SO-1",
    "received_at": NOW,
    "opened_at": NOW,
}


class Meeting(Records):
    """Records in which two openings meet between writing and looking, if they can."""

    def __init__(self, url: str, patience: float) -> None:
        super().__init__(url)
        self.both = Barrier(2, timeout=patience)
        self.met = False

    def _note_earlier(self, *args: Any) -> None:
        with suppress(BrokenBarrierError):
            self.both.wait()
            self.met = True
        super()._note_earlier(*args)
        if self.met:
            # Neither commits before both have looked, or the slower one would see the faster one's row.
            self.both.wait()


class WithoutLock(Meeting):
    """The control: the same without the lock on the order."""

    def _lock_opening(self, connection: Connection, order_id: str) -> None:
        """Take no lock; on SQLite end the transaction that holds one."""
        del order_id
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")


def race(records: Records) -> list[list[str]]:
    """Return what two cases that open at once learn of each other."""
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda case_id: records.open_case(case_id, "run", **ABOUT), ["HL-1", "HL-2"]))
    records.close()
    return answers


def test_of_two_cases_that_open_at_once_exactly_one_is_the_first(url: str) -> None:
    """G12."""
    records = Meeting(url, patience=0.3)

    assert sorted(map(len, race(records))) == [0, 1]
    assert not records.met


def test_without_the_lock_both_or_neither_would_be_the_first(url: str) -> None:
    """G12, the control: this is what the lock is for."""
    records = WithoutLock(url, patience=30)

    assert sorted(map(len, race(records))) != [0, 1]
    assert records.met
