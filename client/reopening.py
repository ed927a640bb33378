"""Messages to closed cases: they go to the open case that follows, or open one (G12, S22).

If Temporal no longer has the closed case, our database has it.
"""

import asyncio
from datetime import datetime
from typing import Any

from cases.complaint import Complaint
from cases.entitlement.follow_up import Earlier, follow_up, follow_up_id, follow_up_problems, how_to_follow_up
from cases.errors import Refusal
from cases.policy.admission import admitted
from cases.views.snapshot import Snapshot
from cases.vocabulary import LinkKind, Outcome
from client.archive import archived
from client.cases import Engine
from client.errors import NoSuchCase
from client.late_reports import ABOUT_STEPS, apply_to_ledger
from policies import known_policies
from settings import configured

Json = dict[str, Any]
EVIDENCE, YES = "evidence-received", "customer-approved"


class GoesOn(Refusal):
    """The case is closed, and `case` goes on with it."""

    def __init__(self, text: str, case: str) -> None:
        self.case = case
        super().__init__(text)


async def reopen(
    engine: Engine, case_id: str, now: datetime, *, by: str | None = None, **changes: Any
) -> tuple[str, str]:
    """Open the case that follows `case_id`. Return its id, and `opened` or a sentence if it exists already.

    `changes` are fields of the new complaint; `by` goes on its timeline. Raises `Refusal` if the case cannot be
    reopened, and `NoSuchCase`.
    """
    seen = await closed(engine, case_id)
    if handled_by := _merged_into(seen):
        raise Refusal(f"{case_id} was merged into {handled_by} and closed with it: reopen {handled_by}")
    raw = follow_up(await _complaint_of(engine, case_id), now, **changes)
    complaint, policy = admitted(raw, now, known_policies())
    if problems := follow_up_problems(complaint, Earlier.of(seen.as_json()), policy):
        raise Refusal("; ".join(problem.problem for problem in problems))
    how = await engine.open(complaint, raw, policy)
    if how != "opened" and (await _complaint_of(engine, complaint.case_id)).follows != case_id:
        taken = f"{complaint.case_id} exists already and does not follow {case_id}"
        raise Refusal(f'{taken}: open a complaint with another id and "follows": "{case_id}"')
    if by and how == "opened":
        note = {"text": f"reopens {case_id}", "by": by, "message_id": "reopened"}
        await engine.send(complaint.case_id, "note", note)
    return complaint.case_id, how


async def late(engine: Engine, case_id: str, name: str, payload: Json, now: datetime) -> Json:
    """Handle a message to a closed case. In the answer `case` is the case that has it, and `why` says so.

    Evidence, and consent after `no_response`, mean that the customer wants to continue. A report about a payment or
    shipment changes the order's ledger (S27). Raises `Refusal` for other messages, with the case to send them to.
    """
    seen = await closed(engine, case_id)
    when = seen.closed_at or now
    ended = f"{case_id} closed as {seen.outcome} on {when.astimezone():%Y-%m-%d}"
    if name in ABOUT_STEPS and (
        done := await asyncio.to_thread(apply_to_ledger, case_id, ended, name, payload, configured().database_url)
    ):
        return done
    successor = await _open_successor(engine, seen)
    if successor and name == EVIDENCE:
        answer: Json = await engine.send(successor, name, payload)
        return {**answer, "case": successor, "why": f"{ended}; {successor} has the evidence"}
    if successor:
        raise GoesOn(f"{ended}: send it to {successor}", successor)
    if name != EVIDENCE and (name, seen.outcome) != (YES, Outcome.NO_RESPONSE):
        last = _merged_into(seen) or case_id
        policy = known_policies().get(seen.line or "")
        raise Refusal(f"{ended}: {how_to_follow_up(last, policy.reopen_within if policy else 'its time')}")
    occurred = datetime.fromisoformat(payload.get("occurred_at", now.isoformat()))
    at = occurred if when < occurred < now else now
    new, _ = await reopen(engine, case_id, at, evidence=payload.get("evidence"))
    then = "has the evidence" if name == EVIDENCE else "asks the customer again, because consent holds in one case only"
    return {"applied": name == EVIDENCE, "case": new, "why": f"{ended}; {new} reopens it and {then}"}


async def closed(engine: Engine, case_id: str) -> Snapshot:
    """Return the final snapshot of a closed case. Raises `Refusal` if it is open, and `NoSuchCase`."""
    try:
        seen = await engine.snapshot(case_id)
    except NoSuchCase:
        kept_here = await asyncio.to_thread(archived, case_id, configured().database_url)
        if kept_here is None:
            raise
        return kept_here.record
    if seen.closed_at is None:
        raise Refusal(f"{case_id} is open: send the message to it")
    return seen


async def _complaint_of(engine: Engine, case_id: str) -> Complaint:
    raw = await engine.complaint(case_id)
    if raw is None:
        kept_here = await asyncio.to_thread(archived, case_id, configured().database_url)
        raw = kept_here.complaint if kept_here else None
    if raw is None:
        raise Refusal(f'the complaint of {case_id} is no longer stored: open a complaint with "follows": "{case_id}"')
    return Complaint.model_validate(raw)


def _merged_into(seen: Snapshot) -> str | None:
    return next((link.case for link in seen.links if link.kind == LinkKind.MERGED_INTO), None)


async def _open_successor(engine: Engine, seen: Snapshot) -> str | None:
    """Return the open case that continues a closed one: the one it was merged into, or the last that follows it."""
    case_id = _merged_into(seen) or seen.case_id
    while not await engine.is_open(case_id):
        raw = await engine.complaint(case_id)
        successor = follow_up_id(Complaint.model_validate(raw)) if raw else f"{case_id}.2"
        following = await engine.complaint(successor)
        if following is None or following.get("follows") != case_id:
            return None
        case_id = successor
    return case_id
