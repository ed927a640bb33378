"""The parts of a snapshot about the handling of a case: promises, escalations, offers and steps."""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from cases.progress.silence import reply_by
from cases.state.case import Case
from cases.state.offer import Offer
from cases.state.promise import Promise
from cases.state.step import Step
from cases.views.complaint_view import ItemView
from cases.views.view_fields import Amount, Cycle, OffsetTime, Omittable, View, one_of
from cases.vocabulary import OfferState, Partner, PromiseName, PromiseState, RemedyKind, Role, StepState


class SegmentView(View):
    """A period in which the clock of a promise ran, and why it stopped."""

    ran_from: AwareDatetime
    ran_until: AwareDatetime | None
    why_stopped: str | None


class PromiseView(View):
    """One time commitment to the customer."""

    name: Annotated[str, one_of(PromiseName)]
    cycle: Cycle
    state: Annotated[str, one_of(PromiseState)]
    started_at: OffsetTime
    due_at: OffsetTime | None
    """null while the promise is paused"""
    kept_at: OffsetTime | None
    """When it was carried out; later than due_at if the promise stays broken."""
    segments: list[SegmentView]
    provisional: bool
    """Whether the deadline depends on working days that are not announced yet."""
    rule: str
    """The policy's rule, such as B4."""
    within: str
    """The time allowed, as the policy writes it."""

    @classmethod
    def of(cls, promise: Promise) -> Self:
        """Return the promise with its current deadline."""
        return cls(
            name=promise.name,
            cycle=promise.cycle,
            state=promise.state,
            started_at=promise.started_at,
            due_at=promise.due_at(),
            kept_at=promise.kept_at,
            segments=promise.segments,
            provisional=promise.provisional,
            rule=promise.rule,
            within=promise.within,
        )


class EscalationView(View):
    """A notice to a role that a promise is about to break or has broken."""

    promise: str
    cycle: Cycle
    rung: Annotated[int, Field(ge=1)]
    role: Annotated[str, one_of(Role)]
    due_at: AwareDatetime
    sent_at: AwareDatetime | None
    acknowledged_by: str | None
    remark: str | None


class RemedyView(View):
    """One thing that we do or pay."""

    kind: Annotated[str, one_of(RemedyKind)]
    amount: Omittable[Amount] = None
    items: Omittable[list[ItemView]] = None
    max_amount: Omittable[Amount] = None
    """The high end of a range."""
    at_once: bool


class OptionView(View):
    """One set of remedies that the customer can choose."""

    key: str
    remedies: list[RemedyView]


class OfferView(View):
    """An offer to the customer, with one or more options."""

    id: str
    state: Annotated[str, one_of(OfferState)]
    made_at: AwareDatetime
    cycle: Cycle
    rule: str | None
    made_by: str | None
    """The agent who made the offer; null if the policy grants it."""
    over_limits: list[str]
    delivered_at: AwareDatetime | None
    accepted: str | None
    """The key of the accepted option."""
    options: list[OptionView]
    consent_required: bool
    reply_by: OffsetTime | None = None
    """When the offer expires if there is no contact with the customer before. null unless it waits for consent."""

    @classmethod
    def of(cls, case: Case, offer: Offer) -> Self:
        """Return the offer, with its deadline, and its reasons as English sentences."""
        return cls(
            id=offer.id,
            state=offer.state,
            made_at=offer.made_at,
            cycle=offer.cycle,
            rule=offer.rule,
            made_by=offer.made_by,
            over_limits=[str(why) for why in offer.over_limits],
            delivered_at=offer.delivered_at,
            accepted=offer.accepted,
            options=offer.options,
            consent_required=offer.consent_required,
            reply_by=reply_by(case, offer),
        )


class StepView(View):
    """The execution of one remedy."""

    id: str
    kind: Annotated[str, one_of(RemedyKind)]
    cycle: Cycle
    offer: str
    """The id of its offer; `check` for a visit or search that only establishes the finding."""
    state: Annotated[str, one_of(StepState)]
    reference: str | None
    """The partner's own number for it."""
    attempts: int
    since: AwareDatetime | None
    team: str | None
    """The team that has to resolve it while it is blocked."""
    reason: str | None
    key: str | None = None
    """The business key of the requests to the partner; after a final refusal, the next key."""
    partner: Annotated[str, one_of(Partner)]
    amount: Omittable[Amount] = None
    items: Omittable[list[ItemView]] = None

    @classmethod
    def of(cls, case: Case, step: Step) -> Self:
        """Return the step with its amount or items, and its reason as an English sentence."""
        return cls(
            id=step.id,
            kind=step.kind,
            cycle=step.cycle,
            offer=step.offer,
            state=step.state,
            reference=step.reference,
            attempts=step.attempts,
            since=step.since,
            team=step.team,
            reason=None if step.reason is None else str(step.reason),
            key=step.key_in_question(case.id),
            partner=step.partner,
            amount=step.remedy.amount,
            items=step.remedy.items,
        )
