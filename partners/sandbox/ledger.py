"""The sandbox's records in a SQLite file. Everything is stored before it is answered, so a crash loses nothing.

Times are RFC 3339 in UTC with microseconds, so that they can be sorted as text.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from cases.partner_calls import CallbackRequest, Delivery, Receipt, ReceiptState, StepCommand
from cases.policy.remedy_kinds import MONEY
from partners.wire import OutgoingMessage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY, partner TEXT, key TEXT, kind TEXT, case_id TEXT, order_id TEXT, step TEXT, amount TEXT,
    currency TEXT, items TEXT, fingerprint TEXT, reference TEXT, state TEXT, created_at TEXT, expires_at TEXT);
CREATE INDEX IF NOT EXISTS steps_by_key ON steps (key);
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY, step_id INTEGER, case_id TEXT, workflow_id TEXT, signal TEXT, payload TEXT, due_at TEXT,
    sent_at TEXT, outcome TEXT);
CREATE INDEX IF NOT EXISTS reports_unsent ON reports (due_at) WHERE sent_at IS NULL;
CREATE INDEX IF NOT EXISTS reports_by_step ON reports (step_id);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at TEXT, partner TEXT, call TEXT, key TEXT, kind TEXT, case_id TEXT, order_id TEXT,
    fault TEXT);
CREATE INDEX IF NOT EXISTS calls_by_case ON calls (case_id);
CREATE TABLE IF NOT EXISTS messages (key TEXT PRIMARY KEY, case_id TEXT, content TEXT, answer TEXT);
CREATE TABLE IF NOT EXISTS callbacks (key TEXT PRIMARY KEY, case_id TEXT, content TEXT, answer TEXT);
CREATE TABLE IF NOT EXISTS changes (order_id TEXT PRIMARY KEY, change TEXT);
"""
_JSON_COLUMNS = frozenset({"items", "payload", "content", "answer"})
TABLES = ("steps", "reports", "calls", "messages", "callbacks")

DeliveryTable = Literal["messages", "callbacks"]


class KeyReusedError(Exception):
    """The key was used before, with different content."""


@dataclass(frozen=True)
class Report:
    """A signal to be sent to the engine when it is due."""

    case_id: str
    workflow_id: str
    signal: str
    payload: dict[str, Any]
    due_at: datetime
    id: int = 0


class Ledger:
    """The file. A key is remembered for `key_life`; later calls with it are carried out again, as in reality (S13).

    One connection, used on one event loop. So no other call runs between looking a key up and storing it.
    """

    def __init__(self, path: Path, key_life: timedelta = timedelta(hours=24)) -> None:
        self._key_life = key_life
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def replay(self, partner: str, command: StepCommand, now: datetime) -> Receipt | None:
        """Return the first receipt of this key, or None if the key is unknown or expired. Raises `KeyReusedError`."""
        row = self._step(partner, command.key)
        if row is None or row["expires_at"] <= _text(now):
            return None
        if row["fingerprint"] != _fingerprint(command):
            raise KeyReusedError
        return Receipt(reference=row["reference"], state=ReceiptState(row["state"]))

    def carry_out(self, partner: str, command: StepCommand, reports: Iterable[Report], now: datetime) -> Receipt:
        """Store the step. Payments are done at once; all else is accepted, and reported later."""
        state = ReceiptState.DONE if command.kind in MONEY else ReceiptState.ACCEPTED
        with self._db:
            row = {
                **command.model_dump(mode="json", include={"key", "kind", "case_id", "order_id", "step", "currency"}),
                "amount": None if command.amount is None else f"{command.amount:.2f}",
                "items": json.dumps([item.model_dump() for item in command.items]),
                "partner": partner,
                "fingerprint": _fingerprint(command),
                "reference": f"{partner[:3].upper()}-{self._count('steps') + 1:06}",
                "state": state,
                "created_at": _text(now),
                "expires_at": _text(now + self._key_life),
            }
            step_id = self._insert("steps", row).lastrowid
            for report in reports:
                self._add(report, step_id)
        return Receipt(reference=str(row["reference"]), state=state)

    def find(self, partner: str, key: str, now: datetime) -> Receipt | None:
        """Return the current receipt of the step with this key, even if expired. Its last due report decides."""
        row = self._step(partner, key)
        if row is None:
            return None
        last = self._db.execute(
            "SELECT payload FROM reports WHERE step_id = ? AND due_at <= ? ORDER BY due_at DESC, id DESC LIMIT 1",
            (row["id"], _text(now)),
        ).fetchone()
        reported = json.loads(last["payload"]) if last else {"state": row["state"]}
        return Receipt.model_validate({"reference": row["reference"], **reported})

    def expire_keys(self, now: datetime) -> None:
        """Expire every key. The next call with the same key is carried out again."""
        with self._db:
            self._db.execute("UPDATE steps SET expires_at = min(expires_at, ?)", (_text(now),))

    def deliver(
        self,
        table: DeliveryTable,
        content: CallbackRequest | OutgoingMessage,
        answer: Delivery,
        report: Report | None = None,
    ) -> Delivery:
        """Store a message once per key, even if its text differs, and the report on it. Return the first answer."""
        with self._db:
            row = {
                "key": content.key,
                "case_id": content.case_id,
                "content": content.model_dump_json(),
                "answer": answer.model_dump_json(),
            }
            new = self._insert(table, row, "ON CONFLICT (key) DO NOTHING").rowcount > 0
            if new and report is not None:
                self._add(report, None)
        sql = f"SELECT answer FROM {table} WHERE key = ?"  # noqa: S608 (the name is ours)
        return Delivery.model_validate_json(self._db.execute(sql, (content.key,)).fetchone()["answer"])

    def note_call(self, now: datetime, **call: str | None) -> None:
        """Store that a call arrived. Columns as in `calls`."""
        with self._db:
            self._insert("calls", {"at": _text(now), **call})

    def order_of(self, case_id: str) -> str | None:
        """Return the order of the case's latest call that names one."""
        row = self._db.execute(
            "SELECT order_id FROM calls WHERE case_id = ? AND order_id IS NOT NULL ORDER BY id DESC LIMIT 1", (case_id,)
        ).fetchone()
        return row["order_id"] if row else None

    def due_reports(self, now: datetime, limit: int = 200) -> list[Report]:
        """Return the reports that are due and not sent yet, oldest first."""
        sql = "SELECT * FROM reports WHERE sent_at IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?"
        return [_report(row) for row in self._db.execute(sql, (_text(now), limit))]

    def next_due(self) -> datetime | None:
        """Return when the next unsent report is due."""
        row = self._db.execute("SELECT min(due_at) AS at FROM reports WHERE sent_at IS NULL").fetchone()
        return datetime.fromisoformat(row["at"]) if row["at"] else None

    def settle(self, report: Report, outcome: str, now: datetime) -> None:
        """Store that a report was sent, or never can be."""
        with self._db:
            self._db.execute(
                "UPDATE reports SET sent_at = ?, outcome = ? WHERE id = ?", (_text(now), outcome, report.id)
            )

    def change(self, order_id: str) -> dict[str, Any]:
        """Return the changes of an order's fixture that were made at run time."""
        row = self._db.execute("SELECT change FROM changes WHERE order_id = ?", (order_id,)).fetchone()
        return json.loads(row["change"]) if row else {}

    def save_change(self, order_id: str, change: dict[str, Any]) -> None:
        """Store `change` in addition to the earlier ones."""
        whole = json.dumps(self.change(order_id) | change)
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", (order_id, whole))

    def rows(self, table: str, case_id: str | None = None, order_id: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of one of `TABLES`. If it has no order column, an order selects the rows of its cases."""
        sql = f"SELECT * FROM {table} WHERE (:case IS NULL OR case_id = :case) AND (:order IS NULL OR {{}})"  # noqa: S608 (the name is ours)
        has_order = table in ("steps", "calls")
        of_order = (
            "order_id = :order" if has_order else "case_id IN (SELECT case_id FROM calls WHERE order_id = :order)"
        )
        found = self._db.execute(sql.format(of_order), {"case": case_id, "order": order_id})
        return [
            {name: json.loads(value) if name in _JSON_COLUMNS else value for name, value in dict(row).items()}
            for row in found
        ]

    def money(self, order_id: str | None = None) -> dict[str, str]:
        """Return the sums paid, by kind of remedy."""
        sums: dict[str, Decimal] = {}
        for row in self.rows("steps", order_id=order_id):
            if row["kind"] in MONEY:
                sums[row["kind"]] = sums.get(row["kind"], Decimal("0.00")) + Decimal(row["amount"])
        return {kind: f"{amount:.2f}" for kind, amount in sums.items()}

    def _step(self, partner: str, key: str) -> Any:
        sql = "SELECT * FROM steps WHERE partner = ? AND key = ? ORDER BY id DESC LIMIT 1"
        return self._db.execute(sql, (partner, key)).fetchone()

    def _count(self, table: str) -> int:
        sql = f"SELECT count(*) FROM {table}"  # noqa: S608 (the name is ours)
        return int(self._db.execute(sql).fetchone()[0])

    def _add(self, report: Report, step_id: int | None) -> None:
        self._insert(
            "reports",
            {
                "step_id": step_id,
                "case_id": report.case_id,
                "workflow_id": report.workflow_id,
                "signal": report.signal,
                "payload": json.dumps(report.payload),
                "due_at": _text(report.due_at),
            },
        )

    def _insert(self, table: str, row: dict[str, Any], clause: str = "") -> sqlite3.Cursor:
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        sql = f"INSERT INTO {table} ({names}) VALUES ({values}) {clause}"  # noqa: S608 (the names are ours)
        return self._db.execute(sql, row)


def _report(row: Any) -> Report:
    return Report(
        id=row["id"],
        case_id=row["case_id"],
        workflow_id=row["workflow_id"],
        signal=row["signal"],
        payload=json.loads(row["payload"]),
        due_at=datetime.fromisoformat(row["due_at"]),
    )


def _fingerprint(command: StepCommand) -> str:
    return hashlib.sha256(command.model_dump_json().encode()).hexdigest()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
