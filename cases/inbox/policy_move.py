"""An open case is moved to another policy on purpose, and what that would change can be seen before (S18).

The time consumed stays: a running promise takes over what the new policy allows, not when its clock ran. What is kept,
broken or void stays so; nobody is notified again for the same rung; what was agreed stays agreed,
and an open offer stays as offered until somebody assesses anew. No promise begins in the past: one that the case has
not made begins when its start comes next.
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
"""Fields of a policy that say which it is, or come from the order, and not what holds."""


class Asked(BaseModel):
    """What the query for a preview takes: another policy of the case's line, whole, and what time it is."""

    model_config = ConfigDict(extra="forbid")

    policy: Policy
    now: Instant


def move(case: Case, wanted: MovePolicy, in_force: Policy, now: datetime) -> Json:
    """Move the case; answers with the version and the promises that have changed. Raises `Refusal`."""
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


def previewed(case: Case, payload: Any) -> Json | None:
    """The answer to a query for a preview; raises `Refusal` for one that makes no sense."""
    try:
        asked = Asked.model_validate(payload)
    except ValidationError as error:
        raise Refusal("; ".join(str(problem) for problem in problems_of(error))) from None
    return preview(case, asked.policy, asked.now)


def preview(case: Case, policy: Policy, now: datetime) -> Json | None:
    """What moving the case to `policy` at `now` would change; None: nothing. The case stays as it is.

    `promises`: those whose terms or state change (`before`, `after`); `begins`: what is promised from its start on,
    and was not before; `rungs`: who is notified at once; `at_once`: what else would happen then; `offer`: what would
    be offered instead of the open offer; `differs`: the parts of the policy that are not the same. Where the case
    cannot be moved, only `refused`: why.
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
    """Pin the case to another policy; whether that is another one. Raises `Refusal` where it cannot be."""
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
    """What the policy says of a promise that was made: by its name, and by its rule where several have the name."""
    named = [rule for rule in promised if rule.name == promise.name]
    return next((rule for rule in named if rule.rule == promise.rule), named[0] if named else None)


def _claimed(claimed: list[int], old: list[Rung], new: list[Rung]) -> list[int]:
    """The rungs of another ladder that are settled: those of the roles that were notified, by their order."""
    notified = {rank for number, rank in enumerate(_ranks(old), start=1) if number in claimed}
    return [number for number, rank in enumerate(_ranks(new), start=1) if rank in notified]


def _ranks(ladder: list[Rung]) -> list[tuple[Role, int]]:
    """Each rung as the first, the second, … of its role."""
    times: Counter[Role] = Counter()
    ranks = []
    for rung in ladder:
        times[rung.role] += 1
        ranks.append((rung.role, times[rung.role]))
    return ranks


def _silence_steps(case: Case, now: datetime, *, notified: bool) -> int:
    """How far the new plan for silence is done: no reminder is repeated, and nobody is notified again (G5).

    If somebody has to be notified now, a past reminder that follows in the plan is sent with it, once.
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
    """Promises whose terms or state are not the same, in their order."""
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
    """What the new policy promises and the old one did not; `passed`: its start is over, at least in this cycle."""
    known = {rule.name for rule in here.policy.promised(urgent=here.urgent)}
    over = {Starts.RECEIVED} if here.awaited else {Starts.RECEIVED, Starts.DOCUMENTS}
    return [
        {"name": r.name.value, "within": r.within, "starts": r.starts.value, "passed": r.starts in over}
        for r in there.policy.promised(urgent=there.urgent)
        if r.name not in known and not r.complex
    ]


def _offer(here: Case, there: Case) -> Json | None:
    """What would be offered instead, were it assessed anew; an agent's own offer is no policy's."""
    offer = here.offer
    if offer is None or offer.made_by or offer.state not in (OfferState.OPEN, OfferState.AWAITING_APPROVAL):
        return None
    instead = granted(there).options
    if instead == granted(here).options:
        return None
    return {"id": offer.id, "instead": [o.model_dump(mode="json", exclude_none=True) for o in instead]}
