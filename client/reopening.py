"""A closed case takes no messages: who has more to say reaches the case that lives, or opens one that follows it.

G12, S22. Where Temporal has forgotten the old case, our own records tell what it was about.
"""

import asyncio
from datetime import datetime
from typing import Any

from cases.complaint import Complaint
from cases.entitlement.follow_up import Earlier, follow_up, follow_up_id, hindrances, how_to_go_on
from cases.errors import Refusal
from cases.policy.admission import admitted
from cases.views.snapshot import Snapshot
from cases.vocabulary import LinkKind, Outcome
from client.cases import Engine, NoSuchCase, archived
from client.late_reports import ON_STEPS, kept
from policies import known_policies
from settings import configured

Json = dict[str, Any]
EVIDENCE, YES = "evidence-received", "customer-approved"


async def reopen(
    engine: Engine, case_id: str, now: datetime, *, by: str | None = None, **changes: Any
) -> tuple[str, str]:
    """Open the case that follows `case_id`; its id, and `opened` or what there is already.

    `changes` are fields of the new complaint; `by` goes on its timeline. Raises `Refusal` where the case cannot be
    taken up again, and `NoSuchCase`.
    """
    seen = await closed(engine, case_id)
    if handled_by := _merged_into(seen):
        raise Refusal(f"{case_id} was merged into {handled_by}, and closed with it: reopen {handled_by}")
    raw = follow_up(await _complaint_of(engine, case_id), now, **changes)
    complaint, policy = admitted(raw, now, known_policies())
    if problems := hindrances(complaint, Earlier.of(seen.as_json()), policy):
        raise Refusal("; ".join(problem.problem for problem in problems))
    how = await engine.open(complaint, raw, policy)
    if how != "opened" and (await _complaint_of(engine, complaint.case_id)).follows != case_id:
        taken = f"{complaint.case_id} is there already, and does not follow {case_id}"
        raise Refusal(f'{taken}: open a complaint of your own with "follows": "{case_id}"')
    if by and how == "opened":
        note = {"text": f"takes {case_id} up again", "by": by, "message_id": "reopened"}
        await engine.tell(complaint.case_id, "note", note)
    return complaint.case_id, how


async def late(engine: Engine, case_id: str, name: str, payload: Json, now: datetime) -> Json:
    """What becomes of a message to a case that is over: `case` is where it went, `why` says so.

    Evidence, and a yes after `no_response`, mean that the customer wants us to go on. What is reported of a payment or
    shipment is kept in the order's ledger (S27). Raises `Refusal` for every other message, with the case to send it to.
    """
    seen = await closed(engine, case_id)
    when = seen.closed_at or now
    over = f"{case_id} closed as {seen.outcome} on {when.astimezone():%Y-%m-%d}"
    if name in ON_STEPS and (
        done := await asyncio.to_thread(kept, case_id, over, name, payload, configured().database_url)
    ):
        return done
    heir = await _living(engine, seen)
    if heir and name == EVIDENCE:
        answer: Json = await engine.tell(heir, name, payload)
        return {**answer, "case": heir, "why": f"{over}; {heir} has the evidence"}
    if heir:
        raise Refusal(f"{over}: send it to {heir}")
    if name != EVIDENCE and (name, seen.outcome) != (YES, Outcome.NO_RESPONSE):
        last = _merged_into(seen) or case_id
        policy = known_policies().get(seen.line or "")
        raise Refusal(f"{over}: {how_to_go_on(last, policy.reopen_within if policy else 'its time')}")
    occurred = datetime.fromisoformat(payload.get("occurred_at", now.isoformat()))
    at = occurred if when < occurred < now else now
    new, _ = await reopen(engine, case_id, at, evidence=payload.get("evidence"))
    then = "has the evidence" if name == EVIDENCE else "asks the customer anew, for an offer holds in its own case only"
    return {"applied": name == EVIDENCE, "case": new, "why": f"{over}; {new} takes it up again and {then}"}


async def closed(engine: Engine, case_id: str) -> Snapshot:
    """The final snapshot of a closed case; raises `Refusal` where it is open, and `NoSuchCase`."""
    try:
        seen = await engine.snapshot(case_id)
    except NoSuchCase:
        kept_here = archived(case_id, configured().database_url)
        if kept_here is None:
            raise
        return kept_here.record
    if seen.closed_at is None:
        raise Refusal(f"{case_id} is open: send the message to it")
    return seen


async def _complaint_of(engine: Engine, case_id: str) -> Complaint:
    raw = await engine.complaint(case_id)
    if raw is None:
        kept_here = archived(case_id, configured().database_url)
        raw = kept_here.complaint if kept_here else None
    if raw is None:
        raise Refusal(
            f'nobody knows any more what {case_id} complained about: open a complaint with "follows": "{case_id}"'
        )
    return Complaint.model_validate(raw)


def _merged_into(seen: Snapshot) -> str | None:
    return next((link.case for link in seen.links if link.kind == LinkKind.MERGED_INTO), None)


async def _living(engine: Engine, seen: Snapshot) -> str | None:
    """The open case that goes on with a closed one: what it was merged into, or the last that follows it."""
    case_id = _merged_into(seen) or seen.case_id
    while not await engine.is_open(case_id):
        raw = await engine.complaint(case_id)
        heir = follow_up_id(Complaint.model_validate(raw)) if raw else f"{case_id}.2"
        following = await engine.complaint(heir)
        if following is None or following.get("follows") != case_id:
            return None
        case_id = heir
    return case_id
