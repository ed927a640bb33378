"""What both programs share: requests to the partners, notices with their delays, and the archive.

Imports nothing from the engine, because the programs run in an environment without it.
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

HOUR = 3600.0
DAY = 24 * HOUR
PARTNERS, RECORDS = "RIVALS_PARTNERS", "RIVALS_RECORDS"
"""Variables: the address of all partners, and the SQLite file for records of closed cases."""
SEVERITIES = ("minor", "moderate", "severe")
MESSAGES = ("assess", "customer_approved", "step_reported", "satisfaction_reported")
STEPS = {"replacement": "warehouse", "collection": "logistics"}
"""The steps and their partners. New goods leave before old ones are collected (G6)."""

Json = dict[str, Any]
Notice = tuple[float, str, str]
"""Seconds after the previous notice, event, and recipient: `customer` or a role. An empty event notifies nobody."""
SILENCE: tuple[Notice, ...] = (
    (DAY, "reminder", "customer"),
    (DAY, "reminder", "customer"),
    (DAY, "silence", "team_lead"),
    (4 * DAY, "", ""),
)
"""While the customer's consent is missing (G5). After the last delay the case closes as `no_response`."""
CALLBACKS: tuple[Notice, ...] = ((DAY, "callback", "customer"), (DAY, "callback", "customer"), (DAY, "", ""))
"""While the answer to the callback is missing (G8). After the last delay the case closes as `unreachable`."""


class Refused(Exception):
    """The partner refuses: a retry is useless."""


def promised(complaint: Json) -> tuple[Notice, ...]:
    """Return the notices until the result is due: owner at 80 %, team lead at 100 %, then up the ladder (G10)."""
    within = float(complaint.get("promised_seconds", 2 * DAY))
    return (
        (0.8 * within, "promise_warning", "owner"),
        (0.2 * within, "promise_broken", "team_lead"),
        (0.5 * within, "promise_broken", "manager"),
        (0.5 * within, "promise_broken", "director"),
        (365 * DAY, "", ""),
    )


async def look_up(what: str, complaint: Json) -> Json | None:
    """Ask a partner about the order. None: the partner does not know it."""
    return await _call(
        "GET", what, params={"order_id": complaint["order"]["order_id"], "case_id": complaint["case_id"]}
    )


async def notify(complaint: Json, event: str, to: str, number: int = 1) -> None:
    """Send a notification once per key. The callback partner asks the customer itself."""
    case_id, customer = complaint["case_id"], complaint["customer"]
    key = f"{case_id}/{event}/{to}/{number}"
    contact = {name: customer.get(name) for name in ("name", "phone", "email")}
    if event == "callback":
        await _call("POST", "callbacks", {"key": key, "case_id": case_id, "attempt": number, "to": contact})
        return
    staff = to != "customer"
    message = {
        "key": key,
        "case_id": case_id,
        "event": event,
        "audience": "staff" if staff else "customer",
        "channel": None if staff else "sms",
        "to": {"role": to, "team": "logistics"} if staff else contact,
        "locale": customer["locale"],
        "subject": f"{case_id}: {event}",
        "body": f"{customer['name']}, {complaint['order']['order_id']}: {event.replace('_', ' ')}.",
    }
    await _call("POST", "messages", message)


async def carry_out(kind: str, complaint: Json) -> Json:
    """Have a step carried out, once per key. If the outcome is unknown, the partner is asked by key (S13)."""
    order, key = complaint["order"], f"{complaint['case_id']}/{kind}"
    step = {
        "key": key,
        "case_id": complaint["case_id"],
        "step": kind,
        "kind": kind,
        "order_id": order["order_id"],
        "currency": order["currency"],
        "items": complaint["affected"],
        "contact": complaint["customer"],
        "address": order.get("install_address"),
        "tracking_no": order.get("tracking_no"),
        "reply_to": complaint["case_id"],
    }
    path = f"{STEPS[kind]}/steps"
    try:
        receipt = await _call("POST", path, step)
    except (ClientError, TimeoutError):
        receipt = await _call("GET", path, params={"key": key})
        if receipt is None:
            raise
    return receipt or {}


def archive(complaint: Json, record: Json) -> None:
    """Store the record of a closed case. Repeating it is harmless."""
    with closing(sqlite3.connect(os.environ[RECORDS], timeout=30)) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE IF NOT EXISTS records (case_id TEXT PRIMARY KEY, complaint TEXT, record TEXT)")
        db.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
            (complaint["case_id"], json.dumps(complaint, ensure_ascii=False), json.dumps(record, ensure_ascii=False)),
        )


def outcome(score: int) -> str:
    """Return how the case ends (G8)."""
    return "satisfied" if score >= 4 else "neutral" if score == 3 else "dissatisfied"  # noqa: PLR2004 (points)


_sessions: list[ClientSession] = []


async def _call(method: str, path: str, body: Json | None = None, params: Mapping[str, str] | None = None) -> Any:
    """Return the answer, or None for a 404. Raises `Refused`, `ClientError` or `TimeoutError`."""
    if not _sessions:
        _sessions.append(ClientSession(timeout=ClientTimeout(total=8)))
    headers = {"Idempotency-Key": body["key"]} if body else None
    address = f"{os.environ[PARTNERS]}/{path}"
    async with _sessions[0].request(method, address, json=body, params=params, headers=headers) as response:
        if method == "GET" and response.status == 404:  # noqa: PLR2004 (not found)
            return None
        if response.status == 422:  # noqa: PLR2004 (the partner did nothing)
            raise Refused(await response.text())
        response.raise_for_status()
        return await response.json()
