"""Steps: what a partner answers or reports, and what becomes of a step that cannot be done (G6)."""

from datetime import datetime
from typing import Any

from cases.entitlement.granting import check_finding
from cases.entitlement.payout_limits import approved
from cases.partner_calls import Receipt, ReceiptState, StepFinding
from cases.policy.remedy_kinds import MONEY, ROWS, SEARCHES, Says
from cases.progress.assessing import consider_soon
from cases.progress.closing import settle
from cases.progress.promises import keep_by_steps, lapse_unkeepable, promise_update
from cases.reasons import Reason, Why
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.letter import StepLetter
from cases.state.status import NOTHING_OFFERED
from cases.state.step import CHECK, Step
from cases.state.summary import about_step, paid
from cases.vocabulary import (
    Outcome,
    Partner,
    Role,
    Status,
    StepState,
)


def started(case: Case, step: Step, at: datetime) -> None:
    """A step is about to be asked of its partner; what is only said goes out as a letter."""
    step.attempts += 1
    step.reference = None
    step.enter(StepState.RUNNING, at)
    if step.partner is Partner.MESSAGING:
        trail, record = case.look_ups.trail, case.look_ups.installation
        case.notify_customer(
            step.kind,
            about=StepLetter(step.id),
            **case.finding.known(),
            expected_at=trail.expected_at.isoformat() if trail and trail.expected_at else None,
            installed_by=record.expected_at.isoformat() if record and record.expected_at else None,
            due=case.ending is not Outcome.REJECTED,
            **_words(case, step),
        )


def _words(case: Case, step: Step) -> dict[str, Any]:
    """What one kind of message says beyond the finding."""
    match ROWS[step.kind].says:
        case Says.ANSWER:
            trail = case.look_ups.trail if case.topic.answered_from == "trail" else None
            return {"text": case.finding.cause, "trail_state": trail.state if trail else None}
        case Says.SEARCHED:
            searched = any(s.kind in SEARCHES and s.state is StepState.DONE for s in case.steps)
            return {"found": searched and case.finding.lost is False}
        case Says.ITEMS:
            items = case.complaint.affected_items
            return {"items": [{"sku": i.sku, "name": i.name, "quantity": i.quantity} for i in items]}
        case None:
            return {}


def apply_receipt(case: Case, step: Step, receipt: Receipt, at: datetime) -> None:
    """Apply what a partner says of a step, in its answer or in a later report."""
    before, key = step.state, step.key(case.id)
    step.apply(receipt, at)
    if step.state is before:
        return
    money = f", {step.remedy.amount} {case.currency} as {step.reference}" if step.remedy.amount else ""
    case.note(f"step {step.state}", at, f"{step.id}{money}{f': {receipt.detail}' if receipt.detail else ''}")
    keep_by_steps(case, step.cycle)
    if step.state is StepState.BLOCKED:
        if in_ledger(case, step):
            case.unpaid.append(key)
        _blocked(case, step, at)
    if receipt.finding:
        _add_finding(case, step, receipt.finding, at)
    elif step.offer == CHECK and step.settled and case.status is Status.ASSESSING:
        consider_soon(case, at)
    settle(case, at)


def unnumbered(case: Case, step: Step, receipt: Receipt) -> bool:
    """Whether a step that was reported as done bears another reference than the partner now gives: the reporter's."""
    vouched = step.key(case.id) in case.vouched
    return step.state is StepState.DONE and vouched and step.reference != receipt.reference


def numbered(case: Case, step: Step, receipt: Receipt) -> None:
    """The partner's own number takes the place of the name of whoever reported the step."""
    step.reference = case.vouched[step.key(case.id)] = receipt.reference


def in_ledger(case: Case, step: Step) -> bool:
    """Whether the order's ledger has an entry of it: money, and goods of cases that know the order's account (S35).

    Units of other cases are counted as well, and stay so: their histories know of no release.
    """
    return step.kind in MONEY or bool(case.account and step.makes_good)


def is_spoken_for(case: Case, key: str) -> bool:
    """Whether the answer to a call has meanwhile contradicted the report that it failed (S26)."""
    return any(s.key(case.id) == key and s.state is not StepState.WAIVED for s in case.steps)


def never_paid(case: Case, step: Step) -> bool:
    """Whether the ledger has reserved what will never be paid or sent (S15)."""
    return in_ledger(case, step) and step.attempts > 0 and step.state is StepState.WAIVED and not step.uncertain


def to_ask_after(case: Case) -> list[Step]:
    """The steps whose partner is to be asked how they stand, because a report may have been lost; each time once."""
    steps = [case.step(step_id) for step_id in case.ask_after]
    case.ask_after = []
    return [step for step in steps if step and step.reference and not step.settled]


def to_clear_up(case: Case) -> list[Step]:
    """The steps whose partner is to be asked by key, because two reports contradict each other; each time once."""
    steps = [step for step in case.steps if step.to_clear_up]
    for step in steps:
        step.to_clear_up = False
    return steps


def claim_begun(case: Case, step: Step, workflow_id: str, at: datetime) -> None:
    """The claim against the carrier has begun; it outlives the case (B16)."""
    case.links.append({"kind": "carrier_claim", "workflow": workflow_id})
    apply_receipt(case, step, Receipt(reference=workflow_id, state=ReceiptState.DONE), at)


def refused(  # noqa: PLR0913 (what a refusal is)
    case: Case,
    step: Step,
    reason: Why,
    at: datetime,
    *,
    final: bool = True,
    over_limit: bool = False,
    reserved: bool = False,
) -> None:
    """The step cannot be done: it goes to a person, and money that moved stays moved (G6, S17).

    `over_limit`: it is the order's limit that refused it, up to a manager's limit somebody may approve it (S15).
    `reserved`: the ledger has reserved a payment for it, which is free again now.
    """
    if reserved:
        case.unpaid.append(step.key(case.id))
    if final:
        step.number += 1
    step.over_limit = over_limit
    if over_limit and not approved(case, step):
        reason = Reason.of("approvable", because=reason)
    step.enter(StepState.BLOCKED, at, reason)
    _blocked(case, step, at)


def unknown(case: Case, step: Step, reason: Why, at: datetime) -> None:
    """The partner may or may not have done it: it is asked before anything is sent again (S13)."""
    step.uncertain = True
    step.enter(StepState.UNKNOWN, at, reason)
    case.note("step unknown", at, f"{step.id}: {reason}")

    if isinstance(reason, Reason) and reason.code == "key_reused":
        notify_unknown(case, step)


def notify_unknown(case: Case, step: Step) -> None:
    """Notify the owner, once, that the result of a step is unknown."""
    step.told = True
    since = step.since.isoformat() if step.since else None
    case.notify_staff(Role.OWNER, "step_unknown", **about_step(case, step), since=since)


def not_done_before(step: Step, at: datetime) -> None:
    """Its partner did nothing under an earlier key: the step may be sent under the new one (S25)."""
    step.uncertain = False
    step.enter(StepState.RUNNING, at)


def contest(case: Case, step: Step, reason: Why, at: datetime) -> None:
    """Its partner says both that it was done and that it was not: nothing is free, and a person decides (S26, S27).

    The customer is not asked whether they are satisfied meanwhile.
    """
    step.contested = step.uncertain = True
    step.enter(StepState.BLOCKED, at, reason)
    if in_ledger(case, step):
        case.disputed.append(step.key(case.id))
    if case.status is Status.FOLLOWING_UP:
        case.enter(Status.EXECUTING)
        promise_update(case, at)
    _blocked(case, step, at)


def taken_back(case: Case, step: Step, detail: str, at: datetime) -> None:
    """A partner reports a step as failed that it had reported as done (S27)."""
    because = {"code": "taken_back_because", "words": detail} if detail else {"code": "taken_back"}
    contest(case, step, Reason.of(who=step.partner, **because), at)


def done_after_all(case: Case, step: Step, at: datetime) -> None:
    """A partner reports a step as done, or on its way, that it had reported as failed (S26).

    What the first word set free counts as taken again. Before anything is sent under another key it is asked (S25).
    """
    step.number -= 1
    key = step.key(case.id)
    if key in case.unpaid:
        case.unpaid.remove(key)
    contest(case, step, Reason.of("contradiction", who=step.partner), at)
    step.to_clear_up = True


def _blocked(case: Case, step: Step, at: datetime) -> None:
    step.team = case.team
    case.note("step blocked", at, f"{step.id}: {step.reason}")
    case.notify_staff(Role.OWNER, "step_blocked", **about_step(case, step), team=case.team, paid=paid(case))


def _add_finding(case: Case, step: Step, finding: StepFinding, at: datetime) -> None:
    case.add_evidence(finding.evidence)
    facts = PartialFinding.model_validate(finding.model_dump(exclude={"evidence"}))
    if problems := check_finding(case.policy, case.complaint, facts):
        case.note("finding ignored", at, f"{step.id}: {'; '.join(str(p) for p in problems)}")
        return
    case.add_to_finding(facts, step.kind, at)
    if case.status in NOTHING_OFFERED and step.cycle == case.cycle:
        consider_soon(case, at)


def waive(case: Case, step: Step, reason: Why, at: datetime, *, carry_out_dependents: bool = False) -> None:
    """A step that will not be carried out; nor will what depends on it, unless a person says otherwise (S28)."""
    _waive(case, step, reason, at, carry_out_dependents=carry_out_dependents)
    if not case.needs_offer:
        keep_by_steps(case, case.cycle)
        lapse_unkeepable(case, at)
    settle(case, at)


def _waive(case: Case, step: Step, reason: Why, at: datetime, *, carry_out_dependents: bool) -> None:
    step.enter(StepState.WAIVED, at, reason)
    case.note("step waived", at, f"{step.id}: {reason}")
    for dependent in [s for s in case.steps if s.state is StepState.WAITING and step.id in s.after]:
        if carry_out_dependents:
            dependent.after.remove(step.id)
        else:
            _waive(case, dependent, Reason.of("depends_on", step=step.id), at, carry_out_dependents=False)
