"""A message is applied whole or not at all: first everything that forbids it, then what it changes.

What cannot be applied raises `Refusal` with a sentence that says why and what would be accepted; the same
`message_id` twice is applied once (contract, *Messages*).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cases import rate_limit
from cases.complaint import CLOCK_SKEW
from cases.contract import CASE_CLOSED, CLAIM_SETTLED, COMPLAINT_LINKED
from cases.entitlement.agent_offers import as_proposed, check_limit, check_possible, completed, over_limits
from cases.entitlement.follow_up import how_to_go_on
from cases.entitlement.granting import check_finding
from cases.entitlement.payout_limits import offer_of, prepared_by, somebody_else
from cases.entitlement.within_order import beyond, refundable, with_items
from cases.errors import Refusal, printable
from cases.inbox import messages as m
from cases.inbox.policy_move import move
from cases.inbox.repeats import remember, repeated
from cases.inbox.taking_over import shown_late
from cases.partner_calls import Receipt, ReceiptState
from cases.policy.policy import Policy
from cases.policy.remedy_kinds import PAYOUTS
from cases.progress.closing import end
from cases.progress.conduct import (
    UNDECIDED,
    accept,
    consider,
    delivered_offer,
    granted_by_policy,
    heard,
    in_ledger,
    make_offer,
    publish,
    taken_back,
    waive,
)
from cases.progress.evidence import arrived, go_on_without, insisted_on
from cases.progress.promises_kept import earlier_word
from cases.progress.satisfaction import answered
from cases.progress.silence import heard_from
from cases.progress.urgency import raise_urgency
from cases.reasons import Reason, Why
from cases.state.case import Case
from cases.state.entries import Refused
from cases.state.escalation import settled_on
from cases.state.finding import PartialFinding
from cases.state.offer import Offer, Option, describe
from cases.state.promise import Promise
from cases.state.step import Step
from cases.vocabulary import KeptWhen, OfferState, Outcome, PromiseName, PromiseState, Role, Status, StepState

MAX_ALIKE = 5
"""Lines about refused signals of one name (those that nobody knows are of one name): of a flood the rest is counted."""
KNOWN = frozenset({*m.MESSAGES, CLAIM_SETTLED, COMPLAINT_LINKED, CASE_CLOSED})


def receive(  # noqa: PLR0913, PLR0917 (what a message is judged by)
    case: Case,
    name: str,
    payload: Any,
    now: datetime,
    in_force: Policy | None = None,
    holds: m.Holds = m.always,
) -> dict[str, Any]:
    """Apply one message; answers where the case then stands, and for `assess` with the offer or what is missing.

    `in_force`: the policy that `move-policy` moves the case to; without it a move is only rehearsed (S18).
    """
    message = m.read(name, payload, holds=holds)
    if repeated(case.seen, name, message, holds):
        return {"applied": False, "status": case.status, "why": f"message {message.message_id} was applied before"}
    if case.status is Status.CLOSED or (case.closing and name != "note"):
        if isinstance(message, m.StepReported) and _taken_back_at_the_end(case, message, now, holds):
            remember(case.seen, name, message)
            return {"applied": True, "status": case.status, "outcome": case.outcome}
        again = how_to_go_on(case.id, case.policy.reopen_within)
        there = f"send it to {case.merged_into}" if case.merged_into else again
        raise Refusal(f"{case.id} is closed as {case.outcome}: {there}")
    if case.merged_into:
        raise Refusal(f"{case.id} was merged into {case.merged_into}: send it there")
    at = _when(case, message, now)
    m.counted(name, message, case.currency, holds)
    if why := rate_limit.too_much(case.paces, name, now, case):
        raise Refusal(why)
    if not isinstance(message, m.MovePolicy):
        due = [promise.due_at() for promise in case.promises] if at < now else []
        answer = _APPLY[type(message)](case, message, at, now) or {}
        if at < now:
            _entered_late(case, due, now)
    elif in_force:
        answer = move(case, message, in_force, now)
    else:
        return {"applied": True, "status": case.status, "outcome": case.outcome}
    if answer.get("applied", True):
        rate_limit.count(case.paces, name, now)
    remember(case.seen, name, message)
    return {"applied": True, "status": case.status, "outcome": case.outcome, **answer}


def _entered_late(case: Case, due: list[datetime | None], now: datetime) -> None:
    """Promises that begin or run on by what happened earlier: nobody could be told of them before now (S9)."""
    for index, promise in enumerate(case.promises):
        if promise.live and (index >= len(due) or promise.due_at() != due[index]):
            promise.known_at = now


def receive_signal(case: Case, name: str, payload: Any, now: datetime, holds: m.Holds = m.always) -> None:
    """Apply one signal: facts come as signals too, commands as updates only."""
    if name in m.COMMANDS:
        raise Refusal(f"{name} is a command: send it as an update, which is answered")
    receive(case, name, payload, now, holds=holds)


def refuse(kept: list[Refused], name: str, payload: Any, why: str, now: datetime) -> bool:
    """Keep a signal that could not be applied, without its content (it may be personal).

    The same once more, and what is too much of one name, is counted on the line that is there; answers whether it has
    a line of its own.
    """
    by = payload.get("by") if isinstance(payload, dict) else None
    new = Refused(
        at=now, message=printable(name)[:100], by=printable(by)[:100] if isinstance(by, str) else None, why=why[:1000]
    )
    alike = [line for line in kept if line.message == new.message or not {line.message, new.message} & KNOWN]
    same = [line for line in alike if (line.message, line.by, line.why) == (new.message, new.by, new.why)]
    if not same and len(alike) < MAX_ALIKE:
        kept.append(new)
        return True
    line = (same or alike)[-1]
    line.message, line.by, line.why = new.message, new.by, new.why
    line.count, line.last_at = line.count + 1, now
    return False


def _when(case: Case, message: m.Message, now: datetime) -> datetime:
    """The instant by which promises are judged (S9): never in the future, never before the complaint."""
    at = message.occurred_at
    if at is None:
        return now
    if at > now + CLOCK_SKEW:
        raise Refusal(f"occurred_at: {at.isoformat()} is in the future (it is {now.isoformat(timespec='seconds')})")
    if at < case.complaint.received_at:
        raise Refusal(f"occurred_at: {at.isoformat()} is before the complaint was received")
    return min(at, now)


# Facts


def _contact_made(case: Case, message: m.ContactMade, at: datetime, now: datetime) -> None:
    case.keep(KeptWhen.CUSTOMER_REACHED, at)
    heard_from(case, at, now)
    case.note("contact", at, message.note, message.by)
    if case.status is Status.OFFERING and case.offer and case.offer.undeliverable:
        delivered_offer(case, case.offer, at)


def _evidence_received(case: Case, message: m.EvidenceReceived, at: datetime, now: datetime) -> None:
    fresh = [e for e in message.evidence if e not in case.evidence]
    arrived(case, message.evidence, at, now, message.by)
    shown_late(case, fresh, at)


def _customer_approved(case: Case, message: m.CustomerApproved, at: datetime, _now: datetime) -> None:
    offer = _answerable(case, message.offer, at)
    option = offer.option(message.option)
    # Eligibility is checked again when it is carried out (S20): other money may have gone out since it was offered.
    later = option.model_copy(update={"remedies": [r for r in option.remedies if not r.at_once]})
    check_possible([later], case.complaint, left=refundable(case))
    accept(case, offer, option, at, message.by)


def _customer_declined(case: Case, message: m.CustomerDeclined, at: datetime, _now: datetime) -> None:
    offer = _answerable(case, message.offer, at)
    offer.state = OfferState.DECLINED
    case.status = Status.ASSESSING
    wish = f"; wishes {message.wish}" if message.wish else ""
    case.needs_offer = Reason.of("declined", offer=offer.id)
    case.note("declined", at, f"{offer.id}: {message.reason}{wish}", message.by)
    case.tell(Role.OWNER, "needs_offer", reason=case.needs_offer)


def _answerable(case: Case, offer_id: str | None, at: datetime) -> Offer:
    """The offer that an answer is for: consent binds to the current one only (S19)."""
    offer = case.offer
    if offer is None:
        raise Refusal(f"{case.id} has made no offer yet: it is {case.status}")
    if offer_id not in (None, offer.id):
        raise Refusal(f"offer {offer_id} is not the current one: that is {offer.id}, {_options(offer)}")
    if at < offer.made_at:
        raise Refusal(f"occurred_at: {at.isoformat()} is before offer {offer.id} was made")
    expired_but_not_closed = offer.state is OfferState.EXPIRED and not case.closing
    if not offer.consent_required:
        raise Refusal(f"offer {offer.id} needs no consent: it is carried out at once")
    if offer.state is not OfferState.OPEN and not expired_but_not_closed:
        raise Refusal(f"offer {offer.id} is {offer.state}, {_options(offer)}: there is nothing to answer")
    return offer


def _options(offer: Offer) -> str:
    chosen = f", chosen: {offer.accepted}" if offer.accepted else ""
    return " or ".join(describe(o) for o in offer.options) + chosen


def _step_reported(case: Case, message: m.StepReported, at: datetime, _now: datetime) -> None:
    step = _step(case, message.step)
    if not step.begun:
        raise Refusal(f"step {step.id} has not begun: it is {step.state}")
    if message.key in (None, step.key(case.id)) and earlier_word(case, step, message.state, at):
        return
    failed_later = message.state is ReceiptState.FAILED and step.can_be_taken_back
    if step.settled and not failed_later:
        raise Refusal(f"step {step.id} is {step.state} already")
    if step.state is StepState.BLOCKED and (step.contested or not step.uncertain):
        raise Refusal(f"step {step.id} is blocked ({step.reason}): it takes resolve-step")
    if step.state is StepState.DISPATCHED and message.state is ReceiptState.DISPATCHED:
        raise Refusal(f"step {step.id} is dispatched already")
    key = step.key(case.id)
    if message.key not in (None, key):
        raise Refusal(f"step {step.id} is carried out under {key}: a report on {message.key} changes nothing any more")
    if failed_later:
        case.vouched.pop(key, None)
        taken_back(case, step, message.detail[:2000], at)
        return
    if message.finding:
        _possible(case, PartialFinding.model_validate(message.finding.model_dump(exclude={"evidence"})))
    reference = step.reference or f"{message.by or step.partner}"
    heard(
        case,
        step,
        Receipt(reference=reference, state=message.state, detail=message.detail[:2000], finding=message.finding),
        at,
    )
    if in_ledger(case, step) and message.state is ReceiptState.DONE:
        case.vouched[key] = reference


def _taken_back_at_the_end(case: Case, message: m.StepReported, now: datetime, holds: m.Holds) -> bool:
    """A payment is reported as failed while its case closes: the ledger keeps it, and `stuck` shows it (S27)."""
    step = case.step(message.step)
    if step is None or message.state is not ReceiptState.FAILED or not step.can_be_taken_back:
        return False
    key = step.key(case.id)
    if message.key not in (None, key) or not in_ledger(case, step) or not holds(m.LATE_REPORTS):
        return False
    case.vouched.pop(key, None)
    case.disputed.append(key)
    case.note("step taken back", now, f"{step.id}: {message.detail[:2000]}", message.by)
    return True


def _satisfaction(case: Case, message: m.SatisfactionReported, at: datetime, _now: datetime) -> None:
    if case.status is not Status.FOLLOWING_UP:
        raise Refusal(f"{case.id} is {case.status}: satisfaction is asked once the steps are done")
    answered(case, message.score, message.comment, at, message.by)


def _withdrawn(case: Case, message: m.ComplaintWithdrawn, at: datetime, _now: datetime) -> None:
    begun = [s.id for s in case.steps if s.begun]
    if begun:
        instead = "; decline the offer instead" if case.offer and case.offer.state is OfferState.OPEN else ""
        raise Refusal(f"{case.id} cannot be withdrawn any more: {', '.join(begun)} has begun{instead}")
    case.note("withdrawn", at, message.reason, message.by)
    end(case, Outcome.WITHDRAWN, at)


# Commands


def _assess(case: Case, message: m.Assess, at: datetime, _now: datetime) -> dict[str, Any]:
    _undecided(case)
    new = PartialFinding.model_validate(message.model_dump(include=set(PartialFinding.model_fields)))
    if not new.known():
        raise Refusal(f"assess says nothing: give any of {', '.join(PartialFinding.model_fields)}")
    if case.topic.audit and not message.by:
        raise Refusal("a claim is decided by somebody other than the one who prepared it, so say who assesses: by")
    _possible(case, new)
    case.learn(new, "agent", at, message.by)
    if message.note:
        case.note("note", at, message.note, message.by)
    if case.awaited and not insisted_on(case):
        go_on_without(case, at, "an agent has assessed without it")
    case.unjudged = []  # an agent has looked
    found = consider(case, at)
    offer = case.offer if found.options else None
    return {
        "offer": offer.model_dump(mode="json", include={"id", "state", "options"}, exclude_none=True)
        if offer
        else None,
        "missing": found.missing,
        **({"withheld": [str(why) for why in found.withheld]} if found.withheld else {}),
    }


def _possible(case: Case, new: PartialFinding) -> None:
    if problems := check_finding(case.policy, case.complaint, new):
        raise Refusal("; ".join(str(problem) for problem in problems))


def _propose(case: Case, message: m.Propose, at: datetime, _now: datetime) -> dict[str, Any]:
    _undecided(case)
    policy_grants = granted_by_policy(case, case.finding)
    if insisted_on(case):
        raise Refusal(f"nothing can be offered before the documents have come: {', '.join(case.awaited)}")
    named = with_items(case, completed(message.options, policy_grants, case.complaint, case.finding))
    options = [as_proposed(option, policy_grants) for option in named]
    limits = policy_grants.model_copy(update={"options": with_items(case, policy_grants.options)})
    over = [*over_limits(options, limits), *beyond(case, options)]
    _possible_offer(case, options, over)
    if (over or case.topic.audit) and not message.by:
        why = "; ".join(map(str, over)) or case.topic.audit
        raise Refusal(f"this needs approval ({why}), so say who proposes it: by")
    if case.awaited:
        go_on_without(case, at, "an agent made an offer without it")
    offer = make_offer(case, options, at, made_by=message.by or "an agent", over=over)
    if message.note:
        case.note("note", at, message.note, message.by)
    return {
        "offer": offer.model_dump(mode="json", include={"id", "state", "options", "over_limits"}, exclude_none=True)
    }


def _possible_offer(case: Case, options: list[Option], over: Sequence[Why]) -> None:
    """Raises `Refusal` for what cannot be offered; `over`: what of it is beyond an agent's limits."""
    check_possible(options, case.complaint, left=refundable(case))
    if over:
        check_limit(options, case.policy, case.complaint, compensated=case.paid(PAYOUTS))


def _undecided(case: Case) -> None:
    if case.status not in UNDECIDED:
        raise Refusal(
            f"{case.id} is {case.status}: what was agreed is being carried out; use resolve-step for a blocked step"
        )


def _approval(case: Case, message: m.Approve | m.Reject) -> Offer:
    """The offer that waits for a decision, by somebody other than the one who made it (S20)."""
    waiting = [o for o in case.offers if o.state is OfferState.AWAITING_APPROVAL]
    offer = next((o for o in waiting if message.approval in (None, o.id)), None)
    if offer is None:
        there = f"{waiting[0].id} waits for one" if waiting else "nothing waits for one"
        raise Refusal(f"there is no approval {message.approval or ''} to decide: {there}".replace("  ", " "))
    # A claim is prepared by everybody whose word it rests on as well (E3).
    somebody_else(message.by, prepared_by(case, offer, finding=bool(case.topic.audit)), f"offer {offer.id}")
    return offer


def _approve(case: Case, message: m.Approve, at: datetime, _now: datetime) -> None:
    offer = _approval(case, message)
    # What other cases have taken since it was made is approved with it, up to the same limits.
    over = [*offer.over_limits, *(why for why in beyond(case, offer.options) if why not in offer.over_limits)]
    _possible_offer(case, offer.options, over)
    offer.over_limits = over
    case.note("approved", at, f"{offer.id}{f': {message.note}' if message.note else ''}", message.by)
    publish(case, offer, at)


def _reject(case: Case, message: m.Reject, at: datetime, _now: datetime) -> None:
    offer = _approval(case, message)
    offer.state = OfferState.REPLACED
    case.status = Status.ASSESSING
    case.needs_offer = Reason.of("not_approved", offer=offer.id)
    case.note("not approved", at, f"{offer.id}{f': {message.note}' if message.note else ''}", message.by)
    case.tell(Role.OWNER, "needs_offer", reason=case.needs_offer)


def _declare_complex(case: Case, message: m.DeclareComplex, at: datetime, _now: datetime) -> None:
    """The solution becomes a preliminary plan and a detailed result, with the time that has run (F3)."""
    solution, plan = case.promise(PromiseName.SOLUTION), case.promise(PromiseName.PRELIMINARY_PLAN)
    rules = [rule for rule in case.policy.promised(urgent=case.urgent) if rule.complex]
    if solution is None or not rules:
        raise Refusal(f"{case.complaint.line} promises nothing for {case.complaint.topic} that can be declared complex")
    if plan and not (plan.live and message.plan):
        raise Refusal(f"{case.id} was declared complex already; what is still accepted is the plan, while it is owed")
    if plan is None:
        solution.miss(at)
        if not solution.live or solution.state is PromiseState.BROKEN:
            raise Refusal(f"the solution promise is {solution.state}: a case is declared complex while it is open")
        made = [Promise.of(r, solution.started_at, cycle=case.cycle, calendar=case.policy.working_days) for r in rules]
        case.promises += [
            promise.instead_of(solution, settled_on(solution, promise, case.policy.escalation, at, urgent=case.urgent))
            for promise in made
        ]
        solution.lapse(at)
        case.note("declared complex", at, message.reason, message.by)
    if message.plan:
        result = case.promise(PromiseName.DETAILED_RESULT)
        due = result.due_at() if result else None
        case.say("preliminary_plan", about="plan", plan=message.plan, result_due=due.isoformat() if due else None)


def _resolve_step(case: Case, message: m.ResolveStep, at: datetime, _now: datetime) -> None:
    step = _step(case, message.step)
    if step.state is not StepState.BLOCKED:
        raise Refusal(f"step {step.id} is {step.state}, not blocked: there is nothing to resolve")
    if message.action == "retry" and step.over_limit:
        prepared = prepared_by(case, offer_of(case, step), finding=True)
        step.approved_by = somebody_else(message.by, prepared, f"{step.id}, which the order's limit refused")
    case.note("step resolved", at, f"{step.id}: {message.action}, {message.reason}", message.by)
    if message.action == "retry":
        if step.contested:  # its partner is asked by the old key before anything is sent under a new one (S25)
            step.disputed.append(step.number)
            step.number += 1
            step.contested = step.uncertain = False
        step.team = None
        step.turn(StepState.WAITING, at, message.reason)
        return
    if message.action == "replace":
        case.needs_offer = Reason.of("step_replaced", step=step.id)
    waive(case, step, message.reason, at, carry_out_dependents=message.dependents == "carry_out")


def _step(case: Case, step_id: str) -> Step:
    step = case.step(step_id)
    if step is None:
        there = ", ".join(s.id for s in case.steps) or "none yet"
        raise Refusal(f"{case.id} has no step {step_id}; it has {there}")
    return step


def _assign(case: Case, message: m.Assign, at: datetime, _now: datetime) -> None:
    if not message.team and not message.owner:
        raise Refusal("assign says nothing: give team, owner or both")
    case.team = message.team or case.team
    case.owner = message.owner or case.owner
    if message.owner:
        case.keep(KeptWhen.OWNER_NAMED, at)
    case.note("assigned", at, "/".join(x for x in (case.team, case.owner) if x), message.by)


def _acknowledge_escalation(case: Case, message: m.AcknowledgeEscalation, at: datetime, _now: datetime) -> None:
    mine = [e for e in case.escalations if e.promise == message.promise and e.cycle == case.cycle]
    if not mine:
        told = ", ".join(dict.fromkeys(e.promise for e in case.escalations if e.cycle == case.cycle)) or "nothing"
        raise Refusal(f"nothing about {message.promise} was escalated; {told} was")
    if mine[-1].acknowledged_by:
        raise Refusal(f"{mine[-1].acknowledged_by} has acknowledged it already")
    mine[-1].acknowledged_by = message.by or "somebody"
    promise = case.promise(message.promise)
    if promise and promise.live and mine[-1].due_at >= promise.started_at:
        promise.hold = 1
    case.note("escalation acknowledged", at, message.promise, message.by)


def _mark_urgent(case: Case, message: m.MarkUrgent, _at: datetime, now: datetime) -> dict[str, Any]:
    if not raise_urgency(case, message.reason, now, message.by):
        return {"applied": False, "why": f"{case.id} is urgent already"}
    return {}


def _note(case: Case, message: m.Note, at: datetime, _now: datetime) -> None:
    case.note("note", at, message.text, message.by)


_APPLY: dict[type[m.Message], Callable[[Case, Any, datetime, datetime], dict[str, Any] | None]] = {
    m.ContactMade: _contact_made,
    m.EvidenceReceived: _evidence_received,
    m.CustomerApproved: _customer_approved,
    m.CustomerDeclined: _customer_declined,
    m.StepReported: _step_reported,
    m.SatisfactionReported: _satisfaction,
    m.ComplaintWithdrawn: _withdrawn,
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
