"""Steps: the partners' answers and reports, and steps that cannot be done (G6)."""

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
    """Begin an attempt at a step: its partner is about to be called. A step that is a message is queued as a letter."""
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
    """Return the facts that a message of this kind contains in addition to the finding."""
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
    """Apply a partner's receipt for a step, from its answer or from a later report."""
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


def lacks_partner_reference(case: Case, step: Step, receipt: Receipt) -> bool:
    """Return whether a step that a person reported as done has another reference than the partner's."""
    vouched = step.key(case.id) in case.vouched
    return step.state is StepState.DONE and vouched and step.reference != receipt.reference


def use_partner_reference(case: Case, step: Step, receipt: Receipt) -> None:
    """Replace the reporter's name by the partner's own reference."""
    step.reference = case.vouched[step.key(case.id)] = receipt.reference


def in_ledger(case: Case, step: Step) -> bool:
    """Return whether the ledger entry of a step can be released: for payments, and for goods if there is an account.

    The ledger also counts the goods of cases without an account, but never releases them, because the histories of
    these cases have no such activity (S35).
    """
    return step.kind in MONEY or bool(case.account and step.makes_good)


def is_key_in_use(case: Case, key: str) -> bool:
    """Return whether a step uses this key again, because an answer contradicted the report that it failed (S26)."""
    return any(s.key(case.id) == key and s.state is not StepState.WAIVED for s in case.steps)


def never_paid(case: Case, step: Step) -> bool:
    """Return whether the ledger has a reservation for a step that will never be paid or sent (S15)."""
    return in_ledger(case, step) and step.attempts > 0 and step.state is StepState.WAIVED and not step.uncertain


def take_status_requests(case: Case) -> list[Step]:
    """Return the steps whose partner has to be asked for their status, and clear the list. A report may be lost."""
    steps = [case.step(step_id) for step_id in case.ask_after]
    case.ask_after = []
    return [step for step in steps if step and step.reference and not step.settled]


def take_contradictions(case: Case) -> list[Step]:
    """Return the steps whose partner has to be asked about two contradicting reports, and clear their flags."""
    steps = [step for step in case.steps if step.to_clear_up]
    for step in steps:
        step.to_clear_up = False
    return steps


def claim_begun(case: Case, step: Step, workflow_id: str, at: datetime) -> None:
    """Record that the claim against the carrier has begun. It continues after the case has closed (B16)."""
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
    """Block a step that cannot be done, so that a person resolves it. Money that was paid stays paid (G6, S17).

    `over_limit`: the order's limit refused it; up to a manager's limit it can be approved (S15). `reserved`: the ledger
    has a reservation for it, which has to be released.
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
    """Record that the partner may have done the step. It is asked before anything is sent again (S13)."""
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
    """Record that the partner did nothing under an earlier key, so that the new key can be used (S25)."""
    step.uncertain = False
    step.enter(StepState.RUNNING, at)


def contest(case: Case, step: Step, reason: Why, at: datetime) -> None:
    """Block a step that its partner reported both as done and as not done, so that a person decides (S26, S27).

    Reservations remain, and the customer is not asked whether they are satisfied until then.
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
    """Contest a step that its partner reports as failed after it was done (S27)."""
    because = {"code": "taken_back_because", "words": detail} if detail else {"code": "taken_back"}
    contest(case, step, Reason.of(who=step.partner, **because), at)


def done_after_all(case: Case, step: Step, at: datetime) -> None:
    """Contest a step that its partner reports as done, or dispatched, after it had failed (S26).

    Its reservation counts again. The partner is asked before anything is sent under another key (S25).
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
    """Waive a step and the steps that depend on it, unless `carry_out_dependents` (S28)."""
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
