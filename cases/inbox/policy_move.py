"""Moves of an open case to another policy, with a preview of what would change (S18).

A running promise takes over the time allowed by the new policy. When its clock ran does not change. Promises that are
kept, broken or void stay so. No role is notified again for the same rung. Accepted offers stay accepted, and an open
offer remains until an agent assesses again. No promise begins in the past: a new promise begins at the next event that
starts it.
"""

from collections import Counter
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from cases.calendar import Instant
from cases.entitlement.granting import check_finding
from cases.errors import Refusal, problems_of
from cases.inbox.messages import MovePolicy
from cases.policy.every_line import Rung
from cases.policy.policy import Policy, PromiseRule, check_against
from cases.progress.alarms import alarms, fire
from cases.progress.assessing import granted
from cases.progress.silence import silence_plan
from cases.state.case import Case
from cases.state.promise import Promise
from cases.vocabulary import OfferState, Role, Starts

Json = dict[str, Any]
NO_TERMS = frozenset({"version", "name", "digits"})
"""Fields of a policy that are not terms: they identify it, or come from the order."""


class PreviewRequest(BaseModel):
    """The argument of the query for a preview: another complete policy of the case's line, and the current time."""

    model_config = ConfigDict(extra="forbid")

    policy: Policy
    now: Instant


def move(case: Case, wanted: MovePolicy, in_force: Policy, now: datetime) -> Json:
    """Move the case, and return the answer: the version and the promises that have changed. Raise `Refusal`."""
    if wanted.version not in (None, in_force.version):
        raise Refusal(
            f"the policy in force is {in_force.version}, not {wanted.version}: restart every worker with the edited"
            " file, then move the case again"
        )
    before, was = [promise.model_copy(deep=True) for promise in case.promises], case.policy.version
    if not _pin(case, in_force, now):
        return {"applied": False, "why": f"{case.id} has policy {was} already"}
    case.note("policy moved", now, f"{was} → {case.policy.version}: {wanted.reason}", wanted.by)
    return {"policy": case.policy.version, "promises": _changed(before, case.promises)}


def answer_preview(case: Case, payload: Any) -> Json | None:
    """Return the answer to a query for a preview. Raise `Refusal` for an invalid argument."""
    try:
        request = PreviewRequest.model_validate(payload)
    except ValidationError as error:
        raise Refusal("; ".join(str(problem) for problem in problems_of(error))) from None
    return preview(case, request.policy, request.now)


def preview(case: Case, policy: Policy, now: datetime) -> Json | None:
    """Return what a move to `policy` at `now` would change, or None if nothing. The case does not change.

    - `promises`: promises whose terms or state change (`before`, `after`)
    - `begins`: promises of the new policy that the old one did not have
    - `rungs`: the roles that would be notified at once
    - `at_once`: other alarms that would be due at once
    - `offer`: what would be offered instead of the open offer
    - `differs`: the fields of the policy that differ

    If the case cannot be moved, the answer only has `refused`, with the reason.
    """
    if case.closing or case.merged_into:
        return None
    here = case.model_copy(deep=True)
    _settle_due_rungs(here, now)
    there = here.model_copy(deep=True)
    versions = {"from": case.policy.version, "to": policy.version}
    try:
        if not _pin(there, policy, now):
            return None
    except Refusal as refusal:
        return {"policy": versions, "refused": str(refusal)}
    differs = sorted(f for f in Policy.model_fields if getattr(here.policy, f) != getattr(there.policy, f))
    promises = _changed(here.promises, there.promises)
    notified = len(there.escalations)
    _settle_due_rungs(there, now)
    found = {
        "promises": promises,
        "begins": _begins(here, there),
        "rungs": [
            e.model_dump(mode="json", include={"promise", "cycle", "rung", "role"})
            for e in there.escalations[notified:]
        ],
        "at_once": sorted(_due(there, now) - _due(here, now)),
        "offer": _offer(here, there),
        "differs": [field for field in differs if field not in NO_TERMS],
    }
    return {"policy": versions, **found} if any(found.values()) else None


# The move itself


def _pin(case: Case, policy: Policy, now: datetime) -> bool:
    """Pin the case to `policy`, and return whether it differs. Raise `Refusal` if the case does not fit it."""
    complaint = case.complaint
    if policy.line != complaint.line:
        raise Refusal(f"{case.id} is of line {complaint.line}, and the policy of line {policy.line}")
    problems = check_against(policy, complaint) or check_finding(policy, complaint, case.finding)
    if problems:
        raise Refusal(f"{case.id} does not fit policy {policy.version}: {'; '.join(str(p) for p in problems)}")
    pinned = policy.slice_for(complaint)
    if pinned == case.policy:
        return False
    notified = any(what != "remind" for _, what in silence_plan(case)[: case.silence_steps])
    ladder = case.policy.escalation
    case.policy = pinned
    case.urgent = complaint.urgent or case.topic.urgent or case.urgent_by_word
    case.silence_steps = _silence_steps(case, now, notified=notified)
    for promise in [p for p in case.promises if p.live]:
        promise.claimed = _claimed(promise.claimed, ladder, pinned.escalation)
        promise.moved_at = now
        rule = _rule(promise, pinned.promised(urgent=case.urgent))
        if rule:
            promise.take_terms(rule, pinned.working_days, case.awaited, now)
        elif promise.running:
            promise.lapse(now)
    return True


def _rule(promise: Promise, promised: list[PromiseRule]) -> PromiseRule | None:
    """Return the policy's rule for a promise, by its name. If several have the name, prefer the same rule id."""
    named = [rule for rule in promised if rule.name == promise.name]
    return next((rule for rule in named if rule.rule == promise.rule), named[0] if named else None)


def _claimed(claimed: list[int], old: list[Rung], new: list[Rung]) -> list[int]:
    """Return the rungs of the new ladder that are settled, because the same role was notified as often."""
    notified = {rank for number, rank in enumerate(_ranks(old), start=1) if number in claimed}
    return [number for number, rank in enumerate(_ranks(new), start=1) if rank in notified]


def _ranks(ladder: list[Rung]) -> list[tuple[Role, int]]:
    """Return for each rung its role, and a number that counts the rungs of that role."""
    times: Counter[Role] = Counter()
    ranks = []
    for rung in ladder:
        times[rung.role] += 1
        ranks.append((rung.role, times[rung.role]))
    return ranks


def _silence_steps(case: Case, now: datetime, *, notified: bool) -> int:
    """Return how many steps of the new plan for silence are done. No reminder or notice is repeated (G5).

    If a role has to be notified now, a past reminder that follows in the plan is sent too, once.
    """
    steps = 0
    for at, what in silence_plan(case):
        if what == "close" or (what == "remind" and at > now) or (what != "remind" and not notified):
            break
        steps += 1
    return steps


# What it changes


def _settle_due_rungs(case: Case, now: datetime) -> None:
    """Settle every rung that is due, as the case does when its timers fire."""
    while due := next((a for a in alarms(case) if a.name.startswith("promise-") and a.at <= now), None):
        fire(case, due.name, now)


def _due(case: Case, now: datetime) -> set[str]:
    return {alarm.summary for alarm in alarms(case) if alarm.at <= now}


def _changed(before: list[Promise], after: list[Promise]) -> list[Json]:
    """Return the promises whose terms or state differ, in order."""
    return [
        {"name": was.name, "cycle": was.cycle, "before": _terms(was), "after": _terms(now)}
        for was, now in zip(before, after, strict=True)
        if _terms(was) != _terms(now)
    ]


def _terms(promise: Promise) -> Json:
    due = promise.due_at()
    return {
        "within": promise.within,
        "due_at": due.isoformat() if due else None,
        "state": promise.state.value,
        "pausable": promise.pausable,
        "provisional": promise.provisional,
    }


def _begins(here: Case, there: Case) -> list[Json]:
    """Return the promises that only the new policy has. `passed`: their start is over, at least in this cycle."""
    known = {rule.name for rule in here.policy.promised(urgent=here.urgent)}
    over = {Starts.RECEIVED} if here.awaited else {Starts.RECEIVED, Starts.DOCUMENTS}
    return [
        {"name": r.name.value, "within": r.within, "starts": r.starts.value, "passed": r.starts in over}
        for r in there.policy.promised(urgent=there.urgent)
        if r.name not in known and not r.complex
    ]


def _offer(here: Case, there: Case) -> Json | None:
    """Return what would be offered after a new assessment. None for an agent's offer, or if nothing would change."""
    offer = here.offer
    if offer is None or offer.made_by or offer.state not in (OfferState.OPEN, OfferState.AWAITING_APPROVAL):
        return None
    instead = granted(there).options
    if instead == granted(here).options:
        return None
    return {"id": offer.id, "instead": [o.model_dump(mode="json", exclude_none=True) for o in instead]}
