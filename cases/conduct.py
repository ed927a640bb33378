"""How a case goes on: found → offered → agreed → carried out → asked → closed (G3–G9)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from cases.calendar import length
from cases.case import Audience, Case, Satisfaction
from cases.commands import (
    DispatchRecord,
    InstallationRecord,
    Receipt,
    StepFinding,
    Trail,
)
from cases.finding import PartialFinding, from_installation, from_trail
from cases.names import (
    WORDS,
    OfferState,
    Outcome,
    Partner,
    PromiseName,
    RemedyKind,
    Role,
    Severity,
    Starts,
    Status,
    StepState,
)
from cases.offer import Assessment, Offer, Option, Remedy, assess, check_finding
from cases.step import CHECK, Step, depends_on
from cases.telling import describe, paid

UNDECIDED = frozenset(
    {
        Status.RECEIVED,
        Status.ASSESSING,
        Status.AWAITING_EVIDENCE,
        Status.AWAITING_APPROVAL,
        Status.OFFERING,
        Status.AWAITING_CONSENT,
    }
)
"""Where a new finding or another offer still changes what will be done."""

# Finding


def looked_up(case: Case, what: str, answer: Trail | DispatchRecord | InstallationRecord | None, at: datetime) -> None:
    """A partner answered a look-up (G3); None: it knows of nothing, or could not be asked."""
    if what in case.looking_up:
        case.looking_up.remove(what)
    if case.closing:
        return
    if answer is not None:
        case.look_ups = case.look_ups.model_copy(update={what: answer})
        zone = ZoneInfo(case.policy.timezone)
        if isinstance(answer, Trail):
            learn(case, from_trail(answer, case.complaint, at, zone, case.policy.stalled), "trail", at)
        elif isinstance(answer, InstallationRecord):
            learn(case, from_installation(answer, at, zone), "installation", at)
    if case.looking_up or case.offers:
        return
    late = case.status is Status.ASSESSING and answer is not None
    if case.status is Status.RECEIVED or (late and _granted(case).options):
        consider(case, at)


def learn(case: Case, new: PartialFinding, source: str, at: datetime, by: str | None = None) -> None:
    """Add to the finding what one source says."""
    case.finding = case.finding.told(new, source=source, at=at, by=by)
    if stated := new.known():
        said = ", ".join(f"{k} {v}" for k, v in stated.items() if k != "affected")
        case.note("found", at, f"{source}: {said}" if said else source, by)


def consider(case: Case, at: datetime) -> Assessment:
    """Work out the offer from the finding; where something is missing, see to it that somebody establishes it."""
    found = _granted(case)
    if found.options:
        make_offer(case, found.options, at, rule=found.rule, outcome=found.outcome)
        return found
    retire(case, OfferState.REPLACED)
    case.status = Status.ASSESSING
    investigations = [i for i in case.policy.investigations if i.establishes in found.missing]
    fresh = [i for i in investigations if not any(s.kind is i.do and s.cycle == case.cycle for s in case.steps)]
    for investigation in fresh:
        add_step(case, Remedy(kind=investigation.do, at_once=True), CHECK, at)
    if not any(s.offer == CHECK and s.cycle == case.cycle for s in case.unsettled):
        case.tell(Role.OWNER, "needs_assessment", missing=found.missing)
        case.note(
            "assessing",
            at,
            f"a person has to establish: {', '.join(found.missing)}" if found.missing else "no rule fits",
        )
    return found


def _granted(case: Case) -> Assessment:
    return assess(case.policy, case.complaint, case.finding, refunded=case.refunded)


# Offer and consent


def make_offer(  # noqa: PLR0913 (what an offer is)
    case: Case,
    options: list[Option],
    at: datetime,
    *,
    rule: str | None = None,
    outcome: Outcome | None = None,
    made_by: str | None = None,
    over: list[str] | None = None,
) -> Offer:
    """Put an offer in place of the one before; beyond an agent's limits it waits for approval (G4)."""
    retire(case, OfferState.REPLACED)
    offer = Offer(
        id=f"o{len(case.offers) + 1}",
        state=OfferState.AWAITING_APPROVAL if over else OfferState.OPEN,
        made_at=at,
        options=options,
        cycle=case.cycle,
        rule=rule,
        outcome=outcome,
        made_by=made_by,
        over_limits=over or [],
    )
    case.offers.append(offer)
    case.needs_offer = None
    if over:
        case.status = Status.AWAITING_APPROVAL
        case.note("awaiting approval", at, f"{offer.id}: {'; '.join(over)}", made_by)
        case.tell(Role.MANAGER, "needs_approval", approval=offer.id, asked_by=made_by, over=over)
    else:
        publish(case, offer, at)
    return offer


def retire(case: Case, state: OfferState) -> None:
    """An offer that nobody answered gives way."""
    for offer in case.offers:
        if offer.state in (OfferState.OPEN, OfferState.AWAITING_APPROVAL):
            offer.state = state


def publish(case: Case, offer: Offer, at: datetime) -> None:
    """Put an offer to the customer; what is done at once begins now (G5)."""
    offer.state = OfferState.OPEN
    case.status = Status.OFFERING
    case.silence_steps = 0
    case.note("offered", at, f"{offer.id}: {' or '.join(describe(o) for o in offer.options)}", offer.made_by)
    if offer.outcome is None:
        case.begin_promises(Starts.FINDING, at)
    case.say(
        "offer",
        about=f"offer:{offer.id}",
        offer=offer.id,
        consent_required=offer.consent_required,
        reply_by=case.policy.working_days.add(at, length(case.policy.silence.close_after)).isoformat(),
        options=[o.model_dump(mode="json", exclude_none=True) for o in offer.options],
        finding=case.finding.known(),
    )
    for remedy in (r for option in offer.options for r in option.remedies if r.at_once):
        _begin_once(case, remedy, offer, at)
    if not offer.consent_required:
        accept(case, offer, offer.options[0], at)


def delivered_offer(case: Case, offer: Offer, at: datetime) -> None:
    """Findings and offer have reached the customer: the detailed result is delivered (B4)."""
    offer.delivered_at = at
    if offer.cycle == case.cycle:
        case.keep(PromiseName.DETAILED_RESULT, at)
    if case.status is Status.OFFERING and offer is case.offer and offer.state is OfferState.OPEN:
        case.status = Status.AWAITING_CONSENT


def accept(case: Case, offer: Offer, option: Option, at: datetime, by: str | None = None) -> None:
    """The customer's yes, or an offer that needs none: the rest of the option is carried out."""
    offer.state = OfferState.ACCEPTED
    offer.accepted = option.key
    case.ending = offer.outcome
    case.status = Status.EXECUTING
    if offer.consent_required:
        case.note("agreed", at, f"{offer.id}: {option.key}", by)
        case.keep(PromiseName.DETAILED_RESULT, at)
    for remedy in option.remedies:
        if not remedy.at_once:
            add_step(case, remedy, offer.id, at)
    _order_steps(case, offer)
    if offer.outcome is None:
        case.begin_promises(Starts.CONSENT, at)
    dispatch = case.promise(PromiseName.DISPATCH)
    if dispatch and not any(_visit(s) and s.cycle == case.cycle for s in case.steps):
        dispatch.lapse(at)
    settle(case, at)


def _visit(step: Step) -> bool:
    """Whether a crew goes to the customer to put things right; an inspection does not."""
    return step.partner is Partner.INSTALLATION and step.kind is not RemedyKind.INSPECTION


def _begin_once(case: Case, remedy: Remedy, offer: Offer, at: datetime) -> None:
    """Begin what is done at once, unless another option, or an earlier offer of this cycle, has begun it already."""
    if not any(s.remedy == remedy and s.cycle == case.cycle and s.state is not StepState.WAIVED for s in case.steps):
        add_step(case, remedy, offer.id, at)


def add_step(case: Case, remedy: Remedy, offer_id: str, at: datetime) -> Step:
    """One more step; its id is its kind, numbered where the case has had one of that kind before."""
    taken = sum(s.kind is remedy.kind for s in case.steps)
    step = Step(
        id=remedy.kind if not taken else f"{remedy.kind}-{taken + 1}",
        kind=remedy.kind,
        remedy=remedy,
        cycle=case.cycle,
        offer=offer_id,
        since=at,
    )
    case.steps.append(step)
    return step


def _order_steps(case: Case, offer: Offer) -> None:
    """What an earlier offer of this cycle has begun at once counts as well: money waits for that crew, too."""
    others = [s for s in case.steps if s.cycle == offer.cycle and s.offer != CHECK and s.state is not StepState.WAIVED]
    for step in (s for s in others if s.offer == offer.id and not s.begun):
        step.after = depends_on(step.kind, [s for s in others if s is not step])


# Steps


def started(case: Case, step: Step, at: datetime) -> None:
    """A step is about to be asked of its partner; what is only said goes out as a letter."""
    step.attempts += 1
    step.turn(StepState.RUNNING, at)
    if step.partner is Partner.MESSAGING:
        trail, record = case.look_ups.trail, case.look_ups.installation
        expected = (trail and trail.expected_at) or (record and record.expected_at)
        case.say(
            step.kind,
            about=f"step:{step.id}",
            **case.finding.known(),
            expected_at=expected.isoformat() if expected else None,
            due=case.ending is not Outcome.REJECTED,
        )


def heard(case: Case, step: Step, receipt: Receipt, at: datetime) -> None:
    """A partner's word on a step: from its answer, or reported later."""
    before = step.state
    step.heard(receipt, at)
    if step.state is before:
        return
    money = f", {step.remedy.amount} {case.currency} as {step.reference}" if step.remedy.amount else ""
    case.note(f"step {step.state}", at, f"{step.id}{money}{f': {receipt.detail}' if receipt.detail else ''}")
    if _visit(step) and step.state in (StepState.DISPATCHED, StepState.DONE):
        case.keep(PromiseName.DISPATCH, at)
    if step.state is StepState.BLOCKED:
        _blocked(case, step, at)
    if receipt.finding:
        _found(case, step, receipt.finding, at)
    elif step.offer == CHECK and step.settled and case.status is Status.ASSESSING:
        consider(case, at)
    settle(case, at)


def refused(case: Case, step: Step, reason: str, at: datetime, *, final: bool = True) -> None:
    """The step cannot be done: it goes to a person, and money that moved stays moved (G6, S17)."""
    if final:
        step.number += 1
    step.turn(StepState.BLOCKED, at, reason)
    _blocked(case, step, at)


def unknown(case: Case, step: Step, reason: str, at: datetime) -> None:
    """The partner may or may not have done it: it is asked before anything is sent again (S13)."""
    step.uncertain = True
    step.turn(StepState.UNKNOWN, at, reason)
    case.note("step unknown", at, f"{step.id}: {reason}")


def _blocked(case: Case, step: Step, at: datetime) -> None:
    step.team = case.team
    case.note("step blocked", at, f"{step.id}: {step.reason}")
    case.tell(Role.OWNER, "step_blocked", step=step.id, kind=step.kind, reason=step.reason, team=case.team)


def _found(case: Case, step: Step, finding: StepFinding, at: datetime) -> None:
    case.evidence += [e for e in finding.evidence if e not in case.evidence]
    facts = PartialFinding.model_validate(finding.model_dump(exclude={"evidence"}))
    if problems := check_finding(case.policy, case.complaint, facts):
        case.note("finding ignored", at, f"{step.id}: {'; '.join(str(p) for p in problems)}")
        return
    learn(case, facts, step.kind, at)
    if case.status in (Status.RECEIVED, Status.ASSESSING) and step.cycle == case.cycle:
        consider(case, at)


def waive(case: Case, step: Step, reason: str, at: datetime) -> None:
    """A step that will not be carried out."""
    step.turn(StepState.WAIVED, at, reason)
    case.note("step waived", at, f"{step.id}: {reason}")
    settle(case, at)


def settle(case: Case, at: datetime) -> None:
    """When nothing is left to carry out, go on: another offer, the end, or the callback."""
    if case.status is not Status.EXECUTING or any(s.offer != CHECK for s in case.unsettled):
        return
    progress = case.promise(PromiseName.PROGRESS_UPDATE)
    if progress:
        progress.lapse(at)
    if case.needs_offer:
        case.status = Status.ASSESSING
        case.tell(Role.OWNER, "needs_offer", reason="step_replaced")
    elif case.ending:
        end(case, case.ending, at)
    else:
        case.status = Status.FOLLOWING_UP
        case.callbacks = 0
        call_back(case, at)


# Callback and closing


def call_back(case: Case, at: datetime) -> None:
    """Have the customer asked whether the result satisfies (G8)."""
    case.callbacks += 1
    case.called_at = at
    case.note("callback", at, f"attempt {case.callbacks}")
    case.write(Audience.CALLBACK, "callback", {"attempt": case.callbacks})


def answered(case: Case, score: int, comment: str, at: datetime, by: str | None) -> None:
    """The customer's answer to the callback: the end, or another cycle (G8, S10)."""
    case.satisfaction.append(Satisfaction(at=at, cycle=case.cycle, score=score, comment=comment))
    case.note("satisfaction", at, f"score {score}", by)
    rules = case.policy.callback
    if score >= rules.satisfied_from:
        end(case, Outcome.SATISFIED, at)
    elif score > rules.dissatisfied_to:
        end(case, Outcome.NEUTRAL, at)
    else:
        _once_more(case, score, at)


def _once_more(case: Case, score: int, at: datetime) -> None:
    """Dissatisfied: a new cycle with promises of its own; past cycles never change (S10)."""
    done = case.accepted
    times = sum(s.score <= case.policy.callback.dissatisfied_to for s in case.satisfaction)
    tells = case.policy.callback.dissatisfied_tells
    case.tell(tells[min(times, len(tells)) - 1], "dissatisfied", score=score, times=times)
    case.cycle += 1
    case.begin_promises(Starts.RECEIVED, at, only=PromiseName.DETAILED_RESULT)
    case.status = Status.ASSESSING
    rule = next((r for r in case.policy.remedies if done and r.rule == done.rule and r.repeat_at_most), None)
    if rule is None:
        case.needs_offer = f"the customer is dissatisfied (score {score})"
        case.tell(Role.OWNER, "needs_offer", reason="dissatisfied")
        return
    if sum(o.rule == rule.rule and o.state is OfferState.ACCEPTED for o in case.offers) >= (rule.repeat_at_most or 0):
        worse = PartialFinding(severity=rule.then or Severity.SEVERE)
        case.finding = case.finding.told(worse, source="repeated without success", at=at, binding=True)
        case.note("found", at, f"repeated without success: severity {worse.severity}")
    consider(case, at)


def end(case: Case, outcome: Outcome, at: datetime) -> None:
    """Settle the outcome and report to the customer (G9); delivering the report closes the case."""
    case.outcome = outcome
    retire(case, OfferState.EXPIRED)
    for step in case.unsettled:
        # What a partner has taken on goes on without us, and its money counts as gone; a check has no purpose any more.
        idle = step.state is StepState.WAITING or (step.state is StepState.BLOCKED and not step.uncertain)
        if idle or step.offer == CHECK:
            step.turn(StepState.WAIVED, at, f"the case ended as {outcome}")
    for promise in case.promises:
        promise.lapse(at)
    prevention = case.topic.prevention
    done = [s for s in case.steps if s.state is StepState.DONE and s.kind not in WORDS]
    case.note("ended", at, outcome)
    case.say(
        "report",
        about="report",
        outcome=outcome,
        finding=case.finding.known(),
        done=[
            {"kind": s.kind, "reference": s.reference, **s.remedy.model_dump(mode="json", include={"amount", "items"})}
            for s in done
        ],
        prevention=prevention.model_dump() if prevention else None,
        paid=paid(case),
    )
