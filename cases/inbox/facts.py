"""Facts: reports of what happened, and what they change (contract, *Facts*)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cases.entitlement.agent_offers import check_possible
from cases.entitlement.within_order import refundable
from cases.errors import Refusal
from cases.inbox import messages as m
from cases.inbox.checks import check_possible_finding, step_of
from cases.inbox.taking_over import evidence_added
from cases.partner_calls import Receipt, ReceiptState
from cases.patches import Holds
from cases.progress.carrying_out import apply_receipt, done_after_all, in_ledger, taken_back
from cases.progress.closing import end
from cases.progress.evidence import evidence_received
from cases.progress.offering import accept, offer_delivered
from cases.progress.promises import happened_earlier
from cases.progress.satisfaction import satisfaction_reported
from cases.progress.silence import record_contact
from cases.reasons import Reason
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.offer import Offer, describe
from cases.state.step import Step
from cases.vocabulary import KeptWhen, OfferState, Outcome, Role, Status, StepState


def _contact_made(case: Case, message: m.ContactMade, when: m.When) -> None:
    case.keep(KeptWhen.CUSTOMER_REACHED, when.at)
    record_contact(case, when.at, when.now)
    case.note("contact", when.at, message.note, message.by)
    if case.status is Status.OFFERING and case.offer and case.offer.undeliverable:
        offer_delivered(case, case.offer, when.at)


def _evidence_received(case: Case, message: m.EvidenceReceived, when: m.When) -> None:
    fresh = [e for e in message.evidence if e not in case.evidence]
    evidence_received(case, message.evidence, when.at, when.now, message.by)
    evidence_added(case, fresh, when.at)


def _customer_approved(case: Case, message: m.CustomerApproved, when: m.When) -> None:
    offer = _answerable(case, message.offer, when.at)
    option = offer.option(message.option)
    # Eligibility is checked again on execution (S20): other payments may have been made since the offer.
    later = option.model_copy(update={"remedies": [r for r in option.remedies if not r.at_once]})
    check_possible([later], case.complaint, left=refundable(case))
    accept(case, offer, option, when.at, message.by)


def _customer_declined(case: Case, message: m.CustomerDeclined, when: m.When) -> None:
    offer = _answerable(case, message.offer, when.at)
    offer.state = OfferState.DECLINED
    case.enter(Status.ASSESSING)
    wish = f"; wishes {message.wish}" if message.wish else ""
    case.needs_offer = Reason.of("declined", offer=offer.id)
    case.note("declined", when.at, f"{offer.id}: {message.reason}{wish}", message.by)
    case.notify_staff(Role.OWNER, "needs_offer", reason=case.needs_offer)


def _answerable(case: Case, offer_id: str | None, at: datetime) -> Offer:
    """Return the offer that an answer is for. Only the current offer can be answered (S19)."""
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


def _step_reported(case: Case, message: m.StepReported, when: m.When) -> None:
    step = step_of(case, message.step)
    if not step.begun:
        raise Refusal(f"step {step.id} has not begun: it is {step.state}")
    if message.key in (None, step.key(case.id)) and happened_earlier(case, step, message.state, when.at):
        return
    if step.failed and _done_after_all(case, step, message):
        done_after_all(case, step, when.at)
        return
    failed_later = message.state is ReceiptState.FAILED and step.can_be_taken_back
    key = step.key_in_question(case.id)
    _check_report(step, message, key, failed_later=failed_later)
    if failed_later:
        case.vouched.pop(key, None)
        taken_back(case, step, message.detail[:2000], when.at)
        return
    if message.finding:
        check_possible_finding(case, PartialFinding.model_validate(message.finding.model_dump(exclude={"evidence"})))
    reference = step.reference or f"{message.by or step.partner}"
    latest, step.number = step.number, step.asking or step.number
    apply_receipt(
        case,
        step,
        Receipt(reference=reference, state=message.state, detail=message.detail[:2000], finding=message.finding),
        when.at,
    )
    if step.failed:
        step.number = max(latest, step.number)  # a number is used once
    if in_ledger(case, step) and message.state is ReceiptState.DONE:
        case.vouched[key] = reference


def _done_after_all(case: Case, step: Step, message: m.StepReported) -> bool:
    """Return whether a report says that an attempt that had failed was carried out (S26)."""
    return message.state is not ReceiptState.FAILED and message.key in (None, step.key(case.id, step.number - 1))


def _check_report(step: Step, message: m.StepReported, key: str, *, failed_later: bool) -> None:
    """Raise `Refusal` for a report that changes nothing any more. `failed_later`: it revokes an earlier "done"."""
    if step.settled and not failed_later:
        raise Refusal(f"step {step.id} is {step.state} already")
    if step.state is StepState.BLOCKED and (step.contested or not step.uncertain):
        raise Refusal(f"step {step.id} is blocked ({step.reason}): use resolve-step")
    if step.state is StepState.DISPATCHED and message.state is ReceiptState.DISPATCHED:
        raise Refusal(f"step {step.id} is dispatched already")
    if message.key not in (None, key):
        raise Refusal(f"step {step.id} is carried out under {key}: a report on {message.key} changes nothing any more")


def failed_while_closing(case: Case, message: m.StepReported, now: datetime, holds: Holds) -> bool:
    """Record a payment that is reported as failed while its case closes, and return whether the report is one.

    The ledger keeps the payment as disputed, and `stuck` shows it (S27).
    """
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


def _satisfaction(case: Case, message: m.SatisfactionReported, when: m.When) -> None:
    if case.status is not Status.FOLLOWING_UP:
        raise Refusal(f"{case.id} is {case.status}: satisfaction is asked once the steps are done")
    satisfaction_reported(case, message.score, message.comment, when.at, message.by)


def _withdrawn(case: Case, message: m.ComplaintWithdrawn, when: m.When) -> None:
    begun = [s.id for s in case.steps if s.begun]
    if begun:
        instead = "; decline the offer instead" if case.offer and case.offer.state is OfferState.OPEN else ""
        raise Refusal(f"{case.id} cannot be withdrawn any more: {', '.join(begun)} has begun{instead}")
    case.note("withdrawn", when.at, message.reason, message.by)
    end(case, Outcome.WITHDRAWN, when.at)


FACTS: dict[type[m.Message], Callable[[Case, Any, m.When], dict[str, Any] | None]] = {
    m.ContactMade: _contact_made,
    m.EvidenceReceived: _evidence_received,
    m.CustomerApproved: _customer_approved,
    m.CustomerDeclined: _customer_declined,
    m.StepReported: _step_reported,
    m.SatisfactionReported: _satisfaction,
    m.ComplaintWithdrawn: _withdrawn,
}
"""The handler of each fact. It may return fields for the answer, in addition to the status."""
