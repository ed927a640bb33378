"""Offers: they are made, approved, sent to the customer and accepted. An accepted option becomes steps (G4, G5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cases.progress.closing import retire, settle
from cases.progress.promises import lapse_unkeepable
from cases.progress.silence import closes_at
from cases.reasons import Reason, Why
from cases.state.case import Case
from cases.state.letter import OfferLetter
from cases.state.offer import Offer, Option, Remedy, describe
from cases.state.step import CHECK, depends_on
from cases.vocabulary import (
    KeptWhen,
    OfferState,
    Outcome,
    Role,
    Starts,
    Status,
    StepState,
)


def make_offer(  # noqa: PLR0913 (what an offer is)
    case: Case,
    options: list[Option],
    at: datetime,
    *,
    rule: str | None = None,
    outcome: Outcome | None = None,
    made_by: str | None = None,
    over: Sequence[Why] = (),
) -> Offer:
    """Make an offer that replaces the current one. Beyond an agent's limits, or for a claim, it needs approval (G4)."""
    retire(case, OfferState.REPLACED)
    waits = bool(over or case.topic.audit)
    offer = Offer(
        id=f"o{len(case.offers) + 1}",
        state=OfferState.AWAITING_APPROVAL if waits else OfferState.OPEN,
        made_at=at,
        options=options,
        cycle=case.cycle,
        rule=rule,
        outcome=outcome,
        made_by=made_by,
        over_limits=list(over),
    )
    case.offers.append(offer)
    case.needs_offer, case.exhausted, case.unjudged = None, None, []
    if waits:
        case.enter(Status.AWAITING_APPROVAL)
        why = "; ".join(map(str, offer.over_limits)) or case.topic.audit
        case.note("awaiting approval", at, f"{offer.id}: {why}", made_by)
        to, team = (Role.MANAGER, None) if over else (Role.TEAM_LEAD, case.topic.audit)
        beyond = offer.over_limits or [Reason.of("audit", team=case.topic.audit)]
        case.notify_staff(to, "needs_approval", to_team=team, approval=offer.id, over=beyond, options=_options(offer))
    else:
        publish(case, offer, at)
    return offer


def publish(case: Case, offer: Offer, at: datetime) -> None:
    """Send an offer to the customer, and begin the remedies that are done at once (G5)."""
    offer.state = OfferState.OPEN
    case.enter(Status.OFFERING)
    case.silence_steps = 0
    case.note("offered", at, f"{offer.id}: {' or '.join(describe(o) for o in offer.options)}", offer.made_by)
    if offer.outcome is None:
        case.begin_promises(Starts.FINDING, at)
        _put_to_customer(case, offer, at)
    if case.topic.answered_from == "policy":
        case.notify_staff(Role.OWNER, "suggestion")
    for remedy in (r for option in offer.options for r in option.remedies if r.at_once):
        _begin_once(case, remedy, offer, at)
    if not offer.consent_required:
        accept(case, offer, offer.options[0], at)


def _put_to_customer(case: Case, offer: Offer, at: datetime) -> None:
    """Queue the letter with the finding and the options."""
    case.notify_customer(
        "offer",
        about=OfferLetter(offer.id),
        offer=offer.id,
        consent_required=offer.consent_required,
        reply_by=closes_at(case, at).isoformat(),
        options=_options(offer),
        finding=case.finding.known(),
    )


def _options(offer: Offer) -> list[dict[str, Any]]:
    return [option.model_dump(mode="json", exclude_none=True) for option in offer.options]


def offer_delivered(case: Case, offer: Offer, at: datetime) -> None:
    """Record that the customer has the finding and the offer, which is the detailed result (B4)."""
    offer.delivered_at = at
    case.keep(KeptWhen.OFFER_DELIVERED, at, cycle=offer.cycle)
    if case.status is Status.OFFERING and offer is case.offer and offer.state is OfferState.OPEN:
        case.enter(Status.AWAITING_CONSENT)


def accept(case: Case, offer: Offer, option: Option, at: datetime, by: str | None = None) -> None:
    """Accept an option and add the remaining steps. The customer agreed, or the offer needs no consent."""
    offer.state = OfferState.ACCEPTED
    offer.accepted = option.key
    case.ending = offer.outcome
    case.enter(Status.EXECUTING)
    if offer.consent_required:
        case.note("agreed", at, f"{offer.id}: {option.key}", by)
        case.keep(KeptWhen.OFFER_DELIVERED, at, cycle=offer.cycle)
    for remedy in option.remedies:
        if not remedy.at_once:
            case.add_step(remedy, offer.id, at)
    _order_steps(case, offer)
    if offer.outcome is None:
        case.begin_promises(Starts.CONSENT, at)
    lapse_unkeepable(case, at)
    settle(case, at)


def _begin_once(case: Case, remedy: Remedy, offer: Offer, at: datetime) -> None:
    """Begin a remedy that is done at once, unless another option, an earlier offer or a precaution has begun it."""
    if not any(s.remedy == remedy and s.cycle == case.cycle and s.state is not StepState.WAIVED for s in case.steps):
        case.add_step(remedy, offer.id, at)


def _order_steps(case: Case, offer: Offer) -> None:
    """Set the dependencies of an offer's steps, also on steps that an earlier offer of this cycle began at once."""
    others = [s for s in case.steps if s.cycle == offer.cycle and s.offer != CHECK and s.state is not StepState.WAIVED]
    for step in (s for s in others if s.offer == offer.id and not s.begun):
        step.after = depends_on(step.kind, [s for s in others if s is not step])
