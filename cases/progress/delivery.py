"""What follows when a letter has arrived, or when no channel will ever take it (S7)."""

from datetime import datetime

from cases.partner_calls import Receipt, ReceiptState
from cases.progress.carrying_out import heard, refused
from cases.progress.offering import delivered_offer
from cases.reasons import Why
from cases.state.case import Case
from cases.state.letter import Audience, Letter
from cases.vocabulary import KeptWhen, PromiseName, Role, Starts, Status


def delivered(case: Case, letter: Letter, at: datetime) -> None:
    """A letter has arrived; what it was about goes on."""
    case.letters = [x for x in case.letters if x.number != letter.number]
    what, _, which = (letter.about or "").partition(":")
    if what == "acknowledge":
        case.keep(KeptWhen.CUSTOMER_REACHED, at)
        case.note("acknowledged", at)
    elif what == "offer":
        delivered_offer(case, next(o for o in case.offers if o.id == which), at)
    elif what == "plan":
        case.keep(KeptWhen.PLAN_DELIVERED, at)
    elif what == "progress":
        _progress_made(case, at)
    elif what == "step" and (step := case.step(which)):
        for offer in (o for o in case.offers if o.id == step.offer and o.outcome and not o.delivered_at):
            delivered_offer(case, offer, at)
        heard(case, step, Receipt(reference=letter.key(case.id), state=ReceiptState.DONE), at)
    elif what == "escalation":
        case.escalations[int(which)].sent_at = at
    elif what == "report":
        _closed(case, at)


def undeliverable(case: Case, letter: Letter, reason: Why, at: datetime) -> None:
    """A letter that no channel will take: a person has to see to it; nothing is held up (S7)."""
    case.letters = [x for x in case.letters if x.number != letter.number]
    case.note("undeliverable", at, f"{letter.event}: {reason}")
    what, _, which = (letter.about or "").partition(":")
    if what == "report":
        _closed(case, at)
    elif what == "step" and (step := case.step(which)):
        refused(case, step, reason, at)
    elif letter.audience is Audience.CUSTOMER:
        for offer in (o for o in case.offers if what == "offer" and o.id == which):
            offer.undeliverable = reason
        if what == "progress" and (promise := case.promise(PromiseName.PROGRESS_UPDATE)):
            promise.announced = True
        case.tell(Role.OWNER, "undelivered", letter=letter.event, reason=reason)


def _progress_made(case: Case, at: datetime) -> None:
    case.keep(KeptWhen.UPDATE_DELIVERED, at)
    if case.status is Status.EXECUTING and case.unsettled:
        case.begin_promises(Starts.CONSENT, at, only={KeptWhen.UPDATE_DELIVERED})


def _closed(case: Case, at: datetime) -> None:
    case.enter(Status.CLOSED)
    case.closed_at = at
    case.note("closed", at, case.outcome or "")
