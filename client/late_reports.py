"""What is reported of a step after its case has closed is kept in the order's ledger, and goes to a person (S27).

A payment that was done may be taken back days later. Nothing is free for that alone: the entry is *contested*, and
`starter.py stuck` lists it, until somebody who has looked in the partner's books says what is true.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cases.errors import AfterSalesError, Refusal
from cases.partner_calls import ReceiptState
from cases.state.step import tried

if TYPE_CHECKING:
    from records import Records

Json = dict[str, Any]
REPORT, DECISION = "step-reported", "resolve-step"
ON_STEPS = frozenset({REPORT, DECISION})


def kept(case_id: str, over: str, name: str, payload: Json, database_url: str) -> Json | None:
    """Apply a message about a step of a closed case to the order's ledger; None: it is nothing to the ledger.

    `over` says how the case ended. Raises `Refusal` for what the ledger cannot take.
    """
    with records_of(database_url) as records:
        entry = records and _entry(records, case_id, payload)
        if not records or not entry:
            return None
        change = _decided if name == DECISION else _reported
        answer = change(records, entry, payload)
    if answer is None:
        return None
    applied, why = answer
    return {"applied": applied, "case": case_id, "why": f"{over}; {why}"}


def contested(database_url: str) -> list[Json]:
    """A row of `client.stuck` for each contested entry of a closed case."""
    try:
        with records_of(database_url) as records:
            return [_row(entry) for entry in records.contested()] if records else []
    except AfterSalesError as error:
        do = "start the database, then look again: payments of closed cases that are contested were not looked at"
        return [{"case_id": None, "workflow_id": None, "what": "records", "since": None, "why": str(error), "do": do}]


@contextmanager
def records_of(database_url: str) -> Iterator["Records | None"]:
    """Our own records; None where nothing was recorded here yet, for looking would create the file."""
    file = database_url.removeprefix("sqlite:///")
    if file != database_url and not Path(file).exists():
        yield None
        return
    from records import Records  # noqa: PLC0415 (the database library is slow to load, and this is rarely asked)

    records = Records(database_url)
    try:
        yield records
    finally:
        records.close()


def _entry(records: "Records", case_id: str, payload: Json) -> Json | None:
    """The entry of that key, else the last of that step that was not given up."""
    from records import EntryState  # noqa: PLC0415 (as above)

    there = [e for e in records.entries(case_id) if _step(e) == payload["step"]]
    if key := payload.get("key"):
        return next((e for e in there if e["key"] == key), None)
    live = [e for e in there if e["state"] != EntryState.RELEASED]
    return next(reversed(live or there), None)


def _step(entry: Json) -> str:
    """The step of a key `case/cycle/offer/step`, or `…/step/2`."""
    first, _ = tried(entry["key"], entry["case_id"])
    return first.rpartition("/")[2]


def _reported(records: "Records", entry: Json, payload: Json) -> tuple[bool, str] | None:
    from records import EntryState  # noqa: PLC0415 (as above)

    key, state, what = entry["key"], entry["state"], _what(entry)
    match payload["state"]:
        case ReceiptState.FAILED:
            if state == EntryState.CONTESTED:
                return False, f"{what} is contested already"
            if state == EntryState.RELEASED:
                return False, f"{what} counts as not done already"
            detail = payload.get("detail") or "no reason given"
            records.contest(key, f"reported as failed after the case had closed: {detail}"[:2000])
            return True, f"{what} is contested now: it counts as done until somebody decides, see starter.py stuck"
        case ReceiptState.DONE:
            if state == EntryState.COMMITTED:
                return False, f"{what} counts as done already"
            number, whose = entry["reference"], payload.get("by") or "reported"
            late = records.commit(key, number) if number else records.vouch(key, whose)
            beyond = "; it had been given up, so see whether the order was paid more than it may be" if late else ""
            return True, f"{what} counts as done{beyond}"
    return None


def _decided(records: "Records", entry: Json, payload: Json) -> tuple[bool, str] | None:
    from records import EntryState  # noqa: PLC0415 (as above)

    if entry["state"] != EntryState.CONTESTED:
        return None
    case_id, what = entry["case_id"], _what(entry)
    if payload["action"] != "waive":
        first = f"starter.py resolve-step {case_id} --step {_step(entry)} --action waive --by YOU --reason TEXT"
        raise Refusal(
            f"{case_id} is closed and sends nothing any more: where nothing was done, {first}; "
            f"then starter.py reopen {case_id}"
        )
    if not payload.get("by"):
        raise Refusal(f"{what} is contested: say who has looked in the partner's books: by")
    records.release(entry["key"], f"{payload['by']}: {payload['reason']}")
    return True, f"{what} counts as not done and is free again; to do it anew, starter.py reopen {case_id}"


def _what(entry: Json) -> str:
    amount = f"{entry['amount']} {entry['currency']}" if entry["amount"] else entry["kind"]
    return f"{entry['key']} ({amount})"


def _row(entry: Json) -> Json:
    case_id, step = entry["case_id"], _step(entry)
    do = (
        f"look in the partner's books for {entry['key']}"
        f"; where it was done: starter.py step-reported {case_id} --step {step} --key {entry['key']} --state done"
        f"; where it was not: starter.py resolve-step {case_id} --step {step} --action waive --by YOU --reason TEXT"
        f", and to do it anew starter.py reopen {case_id}"
    )
    since = entry["settled_at"]
    return {
        "case_id": case_id,
        "workflow_id": None,
        "what": "contested",
        "since": since.astimezone(UTC).isoformat() if isinstance(since, datetime) else None,
        "why": f"closed, and {_what(entry)} is contested: {entry['reason']}",
        "do": do,
    }
