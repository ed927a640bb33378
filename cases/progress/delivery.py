"""The consequences of a letter that was delivered or that cannot be delivered (S7)."""

from datetime import datetime

from cases.partner_calls import Receipt, ReceiptState
from cases.progress.carrying_out import apply_receipt, refused
from cases.progress.offering import offer_delivered
from cases.progress.promises import promise_update
from cases.reasons import Why
from cases.state.case import Case
from cases.state.letter import (
    Acknowledgement,
    Audience,
    EscalationNotice,
    Letter,
    OfferLetter,
    PlanLetter,
    ReportLetter,
    StepLetter,
    UpdateLetter,
)
from cases.vocabulary import KeptWhen, PromiseName, Role, Status


def delivered(case: Case, letter: Letter, at: datetime) -> None:
    """Record that a letter was delivered, and apply the consequences."""
    case.letters = [x for x in case.letters if x.number != letter.number]
    match letter.about:
        case Acknowledgement():
            case.keep(KeptWhen.CUSTOMER_REACHED, at)
            case.note("acknowledged", at)
        case OfferLetter(offer=offer_id):
            offer_delivered(case, next(o for o in case.offers if o.id == offer_id), at)
        case PlanLetter():
            case.keep(KeptWhen.PLAN_DELIVERED, at)
        case UpdateLetter():
            _update_delivered(case, at)
        case StepLetter(step=step_id):
            _message_delivered(case, letter, step_id, at)
        case EscalationNotice(index=index):
            case.escalations[index].sent_at = at
        case ReportLetter():
            _closed(case, at)


def undeliverable(case: Case, letter: Letter, reason: Why, at: datetime) -> None:
    """Record that no channel can deliver a letter. The owner is notified, and nothing else waits for it (S7)."""
    case.letters = [x for x in case.letters if x.number != letter.number]
    case.note("undeliverable", at, f"{letter.event}: {reason}")
    match letter.about:
        case ReportLetter():
            _closed(case, at)
            return
        case StepLetter(step=step_id) if step := case.step(step_id):
            refused(case, step, reason, at)
            return
        case OfferLetter(offer=offer_id):
            next(o for o in case.offers if o.id == offer_id).undeliverable = reason
        case UpdateLetter():
            if promise := case.promise(PromiseName.PROGRESS_UPDATE):
                promise.announced = True
    if letter.audience is Audience.CUSTOMER:
        case.notify_staff(Role.OWNER, "undelivered", letter=letter.event, reason=reason)


def _message_delivered(case: Case, letter: Letter, step_id: str, at: datetime) -> None:
    """Complete a step that is a message. If the message explains an offer, the offer counts as delivered."""
    if step := case.step(step_id):
        for offer in (o for o in case.offers if o.id == step.offer and o.outcome and not o.delivered_at):
            offer_delivered(case, offer, at)
        apply_receipt(case, step, Receipt(reference=letter.key(case.id), state=ReceiptState.DONE), at)


def _update_delivered(case: Case, at: datetime) -> None:
    case.keep(KeptWhen.UPDATE_DELIVERED, at)
    if case.status is Status.EXECUTING and case.unsettled:
        promise_update(case, at)


def _closed(case: Case, at: datetime) -> None:
    case.enter(Status.CLOSED)
    case.closed_at = at
    case.note("closed", at, case.outcome or "")
