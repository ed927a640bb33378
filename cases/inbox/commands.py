"""Commands: the decisions of people, who may make them, and what they change (contract, *Commands*)."""

from collections.abc import Callable, Sequence
from typing import Any

from cases.entitlement.agent_offers import as_proposed, check_limit, check_possible, completed, over_limits
from cases.entitlement.payout_limits import independent_approver, offer_of, prepared_by
from cases.entitlement.within_order import over_account, refundable, with_items
from cases.errors import Refusal
from cases.inbox import messages as m
from cases.inbox.checks import check_possible_finding, step_of
from cases.policy.remedy_kinds import PAYOUTS
from cases.progress.assessing import consider, granted_by_policy
from cases.progress.carrying_out import waive
from cases.progress.evidence import continue_without, is_evidence_required
from cases.progress.offering import make_offer, publish
from cases.progress.urgency import raise_urgency
from cases.reasons import Reason, Why
from cases.state.case import Case
from cases.state.escalation import rungs_settled_by
from cases.state.finding import PartialFinding
from cases.state.letter import PlanLetter
from cases.state.offer import Offer, Option
from cases.state.promise import Promise
from cases.state.status import UNDECIDED
from cases.vocabulary import KeptWhen, OfferState, PromiseName, PromiseState, Role, Status, StepState


def _assess(case: Case, message: m.Assess, when: m.When) -> dict[str, Any]:
    _undecided(case)
    new = PartialFinding.model_validate(message.model_dump(include=set(PartialFinding.model_fields)))
    if not new.known():
        raise Refusal(f"assess says nothing: give any of {', '.join(PartialFinding.model_fields)}")
    if case.topic.audit and not message.by:
        raise Refusal("a claim is decided by a person who did not prepare it, so state who assesses: by")
    check_possible_finding(case, new)
    case.add_to_finding(new, "agent", when.at, message.by)
    if message.note:
        case.note("note", when.at, message.note, message.by)
    if case.awaited and not is_evidence_required(case):
        continue_without(case, when.at, "an agent has assessed without it")
    case.unjudged = []  # an agent has assessed them
    found = consider(case, when.at)
    offer = case.offer if found.options else None
    return {
        "offer": offer.model_dump(mode="json", include={"id", "state", "options"}, exclude_none=True)
        if offer
        else None,
        "missing": found.missing,
        **({"withheld": [str(why) for why in found.withheld]} if found.withheld else {}),
    }


def _propose(case: Case, message: m.Propose, when: m.When) -> dict[str, Any]:
    _undecided(case)
    policy_grants = granted_by_policy(case, case.finding)
    if is_evidence_required(case):
        raise Refusal(f"nothing can be offered before the documents have come: {', '.join(case.awaited)}")
    named = with_items(case, completed(message.options, policy_grants, case.complaint, case.finding))
    options = [as_proposed(option, policy_grants) for option in named]
    limits = policy_grants.model_copy(update={"options": with_items(case, policy_grants.options)})
    over = [*over_limits(options, limits), *over_account(case, options)]
    _possible_offer(case, options, over)
    if (over or case.topic.audit) and not message.by:
        why = "; ".join(map(str, over)) or case.topic.audit
        raise Refusal(f"this needs approval ({why}), so state who proposes it: by")
    if case.awaited:
        continue_without(case, when.at, "an agent made an offer without it")
    offer = make_offer(case, options, when.at, made_by=message.by or "an agent", over=over)
    if message.note:
        case.note("note", when.at, message.note, message.by)
    return {
        "offer": offer.model_dump(mode="json", include={"id", "state", "options", "over_limits"}, exclude_none=True)
    }


def _possible_offer(case: Case, options: list[Option], over: Sequence[Why]) -> None:
    """Raise `Refusal` for an offer that is not possible. `over` are its parts that exceed an agent's limits."""
    check_possible(options, case.complaint, left=refundable(case))
    if over:
        check_limit(options, case.policy, case.complaint, compensated=case.paid(PAYOUTS))


def _undecided(case: Case) -> None:
    if case.status not in UNDECIDED:
        raise Refusal(
            f"{case.id} is {case.status}: what was agreed is being carried out; use resolve-step for a blocked step"
        )


def _approval(case: Case, message: m.Approve | m.Reject) -> Offer:
    """Return the offer that waits for approval. Raise `Refusal` if the approver prepared it (S20)."""
    waiting = [o for o in case.offers if o.state is OfferState.AWAITING_APPROVAL]
    offer = next((o for o in waiting if message.approval in (None, o.id)), None)
    if offer is None:
        there = f"{waiting[0].id} waits for one" if waiting else "nothing waits for one"
        raise Refusal(f"there is no approval {message.approval or ''} to decide: {there}".replace("  ", " "))
    # Everyone whose facts a claim is based on has also prepared it (E3).
    independent_approver(message.by, prepared_by(case, offer, finding=bool(case.topic.audit)), f"offer {offer.id}")
    return offer


def _approve(case: Case, message: m.Approve, when: m.When) -> None:
    offer = _approval(case, message)
    # The approval also covers what other cases have used since the offer was made, up to the same limits.
    over = [*offer.over_limits, *(why for why in over_account(case, offer.options) if why not in offer.over_limits)]
    _possible_offer(case, offer.options, over)
    offer.over_limits = over
    case.note("approved", when.at, f"{offer.id}{f': {message.note}' if message.note else ''}", message.by)
    publish(case, offer, when.at)


def _reject(case: Case, message: m.Reject, when: m.When) -> None:
    offer = _approval(case, message)
    offer.state = OfferState.REPLACED
    case.enter(Status.ASSESSING)
    case.needs_offer = Reason.of("not_approved", offer=offer.id)
    case.note("not approved", when.at, f"{offer.id}{f': {message.note}' if message.note else ''}", message.by)
    case.notify_staff(Role.OWNER, "needs_offer", reason=case.needs_offer)


def _declare_complex(case: Case, message: m.DeclareComplex, when: m.When) -> None:
    """Replace the solution promise by a preliminary plan and a detailed result. The time already used counts (F3)."""
    solution, plan = case.promise(PromiseName.SOLUTION), case.promise(PromiseName.PRELIMINARY_PLAN)
    rules = [rule for rule in case.policy.promised(urgent=case.urgent) if rule.complex]
    if solution is None or not rules:
        raise Refusal(f"{case.complaint.line} promises nothing for {case.complaint.topic} that can be declared complex")
    if plan and not (plan.live and message.plan):
        raise Refusal(f"{case.id} was declared complex already; only the plan is still accepted, while it is owed")
    if plan is None:
        solution.check_overdue(when.at)
        if not solution.live or solution.state is PromiseState.BROKEN:
            raise Refusal(f"the solution promise is {solution.state}: a case is declared complex while it is open")
        made = [Promise.of(r, solution.started_at, cycle=case.cycle, calendar=case.policy.working_days) for r in rules]
        ladder = case.policy.escalation
        case.promises += [
            promise.in_place_of(solution, rungs_settled_by(solution, promise, ladder, when.at, urgent=case.urgent))
            for promise in made
        ]
        solution.lapse(when.at)
        case.note("declared complex", when.at, message.reason, message.by)
    if message.plan:
        result = case.promise(PromiseName.DETAILED_RESULT)
        due = result.due_at() if result else None
        result_due = due.isoformat() if due else None
        case.notify_customer("preliminary_plan", about=PlanLetter(), plan=message.plan, result_due=result_due)


def _resolve_step(case: Case, message: m.ResolveStep, when: m.When) -> None:
    step = step_of(case, message.step)
    if step.state is not StepState.BLOCKED:
        raise Refusal(f"step {step.id} is {step.state}, not blocked: there is nothing to resolve")
    if message.action == "retry" and step.over_limit:
        prepared = prepared_by(case, offer_of(case, step), finding=True)
        step.approved_by = independent_approver(message.by, prepared, f"{step.id}, which the order's limit refused")
    case.note("step resolved", when.at, f"{step.id}: {message.action}, {message.reason}", message.by)
    if message.action == "retry":
        if step.contested:  # the partner is asked about the old key before anything is sent under a new one (S25)
            step.disputed.append(step.number)
            step.number += 1
            step.contested = step.uncertain = False
        step.team = None
        step.enter(StepState.WAITING, when.at, message.reason)
        return
    if message.action == "replace":
        case.needs_offer = Reason.of("step_replaced", step=step.id)
    waive(case, step, message.reason, when.at, carry_out_dependents=message.dependents == "carry_out")


def _assign(case: Case, message: m.Assign, when: m.When) -> None:
    if not message.team and not message.owner:
        raise Refusal("assign says nothing: give team, owner or both")
    case.team = message.team or case.team
    case.owner = message.owner or case.owner
    if message.owner:
        case.keep(KeptWhen.OWNER_NAMED, when.at)
    case.note("assigned", when.at, "/".join(x for x in (case.team, case.owner) if x), message.by)


def _acknowledge_escalation(case: Case, message: m.AcknowledgeEscalation, when: m.When) -> None:
    mine = [e for e in case.escalations if e.promise == message.promise and e.cycle == case.cycle]
    if not mine:
        escalated = ", ".join(dict.fromkeys(e.promise for e in case.escalations if e.cycle == case.cycle)) or "nothing"
        raise Refusal(f"nothing about {message.promise} was escalated; {escalated} was")
    if mine[-1].acknowledged_by:
        raise Refusal(f"{mine[-1].acknowledged_by} has acknowledged it already")
    mine[-1].acknowledged_by = message.by or "somebody"
    promise = case.promise(message.promise)
    if promise and promise.live and mine[-1].due_at >= promise.started_at:
        promise.hold = 1
    case.note("escalation acknowledged", when.at, message.promise, message.by)


def _mark_urgent(case: Case, message: m.MarkUrgent, when: m.When) -> dict[str, Any]:
    if not raise_urgency(case, message.reason, when.now, message.by):
        return {"applied": False, "why": f"{case.id} is urgent already"}
    return {}


def _note(case: Case, message: m.Note, when: m.When) -> None:
    case.note("note", when.at, message.text, message.by)


COMMANDS: dict[type[m.Message], Callable[[Case, Any, m.When], dict[str, Any] | None]] = {
    m.Assess: _assess,
    m.Propose: _propose,
    m.Approve: _approve,
    m.Reject: _reject,
    m.DeclareComplex: _declare_complex,
    m.ResolveStep: _resolve_step,
    m.Assign: _assign,
    m.AcknowledgeEscalation: _acknowledge_escalation,
    m.MarkUrgent: _mark_urgent,
    m.Note: _note,
}
"""The handler of each command. It may return fields for the answer, in addition to the status."""
