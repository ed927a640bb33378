"""Reports about steps of closed cases. They change the order's ledger, and a person decides (S27).

A payment may be reported as failed days after it was reported as done. Its amount stays reserved: the entry becomes
*contested*, and `starter.py stuck` lists it until a person has checked the partner's records and reported the result.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cases.errors import AfterSalesError, Refusal
from cases.partner_calls import ReceiptState
from cases.state.step import split_key
from client.archive import records_of

if TYPE_CHECKING:
    from records import Records

Json = dict[str, Any]
REPORT, DECISION = "step-reported", "resolve-step"
ABOUT_STEPS = frozenset({REPORT, DECISION})


def apply_to_ledger(case_id: str, ended: str, name: str, payload: Json, database_url: str) -> Json | None:
    """Apply a message about a step of a closed case to the order's ledger. None: the ledger has no such step.

    `ended` says how the case ended. Raises `Refusal` if the ledger cannot accept the message.
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
    return {"applied": applied, "case": case_id, "why": f"{ended}; {why}"}


def contested(database_url: str) -> list[Json]:
    """Return a row for `starter.py stuck` for each contested entry of a closed case."""
    try:
        with records_of(database_url) as records:
            return [_row(entry) for entry in records.contested()] if records else []
    except AfterSalesError as error:
        do = "start the database, then run this again: contested payments of closed cases were not checked"
        return [{"case_id": None, "workflow_id": None, "what": "records", "since": None, "why": str(error), "do": do}]


def _entry(records: "Records", case_id: str, payload: Json) -> Json | None:
    """Return the entry with that key, else the latest entry of that step, preferably one that was not released."""
    from records import EntryState  # noqa: PLC0415 (as above)

    there = [e for e in records.entries(case_id) if _step(e) == payload["step"]]
    if key := payload.get("key"):
        return next((e for e in there if e["key"] == key), None)
    live = [e for e in there if e["state"] != EntryState.RELEASED]
    return next(reversed(live or there), None)


def _step(entry: Json) -> str:
    """Return the step in a key `case/cycle/offer/step` or `…/step/2`."""
    first, _ = split_key(entry["key"], entry["case_id"])
    return first.rpartition("/")[2]


def _reported(records: "Records", entry: Json, payload: Json) -> tuple[bool, str] | None:
    from records import EntryState  # noqa: PLC0415 (as above)

    key, state, what = entry["key"], entry["state"], _what(entry)
    match payload["state"]:
        case ReceiptState.FAILED:
            if state == EntryState.CONTESTED:
                return False, f"{what} is already contested"
            if state == EntryState.RELEASED:
                return False, f"{what} already counts as not done"
            detail = payload.get("detail") or "no reason given"
            records.contest(key, f"reported as failed after the case had closed: {detail}"[:2000])
            return True, f"{what} is now contested: it counts as done until a person decides, see starter.py stuck"
        case ReceiptState.DONE:
            if state == EntryState.COMMITTED:
                return False, f"{what} already counts as done"
            number, whose = entry["reference"], payload.get("by") or "reported"
            late = records.commit(key, number, settle=True) if number else records.vouch(key, whose, settle=True)
            beyond = "; it had been released, so check that not too much was paid on the order" if late else ""
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
            f"{case_id} is closed and cannot send anything. If nothing was done: {first}; "
            f"then starter.py reopen {case_id}"
        )
    if not payload.get("by"):
        raise Refusal(f"{what} is contested: --by must name who checked the partner's records")
    records.release(entry["key"], f"{payload['by']}: {payload['reason']}")
    return True, f"{what} counts as not done, and its amount is free; to do it again: starter.py reopen {case_id}"


def _what(entry: Json) -> str:
    amount = f"{entry['amount']} {entry['currency']}" if entry["amount"] else entry["kind"]
    return f"{entry['key']} ({amount})"


def _row(entry: Json) -> Json:
    case_id, step = entry["case_id"], _step(entry)
    do = (
        f"look up {entry['key']} in the partner's records"
        f"; if it was done: starter.py step-reported {case_id} --step {step} --key {entry['key']} --state done"
        f"; if not: starter.py resolve-step {case_id} --step {step} --action waive --by YOU --reason TEXT"
        f", then to do it again: starter.py reopen {case_id}"
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
