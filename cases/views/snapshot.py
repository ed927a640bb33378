"""The snapshot of a case, which other programs can read (contract, *The snapshot*).

Workers create it with `Snapshot.of`, and readers parse it into the same model. The two can be of different builds: a
reader keeps unknown fields, accepts new values of enumerations, and has defaults for fields that were added later.
"""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field
from pydantic.json_schema import SkipJsonSchema

from cases.policy.remedy_kinds import PAID_AS
from cases.state.case import Case
from cases.state.summary import paid
from cases.views.complaint_view import ComplaintView, EvidenceView, FindingView, HandledByView, SecondComplaintView
from cases.views.handling_view import EscalationView, OfferView, PromiseView, StepView
from cases.views.need_view import NeedView
from cases.views.needs import needs
from cases.views.view_fields import Amount, Cycle, OffsetTime, Omittable, View, one_of
from cases.vocabulary import EvidenceKind, LinkKind, Outcome, Status


class OwnerView(View):
    """The team and owner of the case."""

    team: str | None
    name: str | None


class PolicyView(View):
    """The policy that the case is pinned to."""

    line: str | None
    version: str | None
    timezone: str | None = None
    """The time zone of this line, such as Asia/Shanghai."""


class SatisfactionView(View):
    """The customer's answer to a callback."""

    at: AwareDatetime
    cycle: Cycle
    score: Annotated[int, Field(ge=1, le=5)]
    comment: str


class PaidView(View):
    """Completed payments in the order's currency. Payments that are under way are not included."""

    refund: Amount
    compensation: Amount
    coupon: Amount


class RefusedView(View):
    """A refused signal and similar ones after it, without their content."""

    at: AwareDatetime
    message: str
    by: str | None
    why: str
    """Why it could not be applied. For several signals, the latest reason."""
    count: Annotated[int, Field(ge=1)] = 1
    """The number of signals."""
    last_at: AwareDatetime | None = None
    """When the latest of several signals arrived."""


class EntryView(View):
    """One line of the timeline."""

    at: AwareDatetime
    what: str
    text: str
    by: Omittable[str] = None


class LinkView(View):
    """A link to another case or to a workflow."""

    kind: Annotated[str, one_of(LinkKind)]
    case: Omittable[str] = None
    """The other case's id. All kinds except carrier_claim have it."""
    workflow: Omittable[str] = None
    """The carrier claim's workflow id."""


class Snapshot(View):
    """A case as returned by the query `case`, by the workflow, and by `starter.py show CASE --json`.

    Fields may be added, but none is removed. While a complaint is being admitted, or if it was refused, only `case_id`
    is known. Other fields are then null or empty.
    """

    case_id: str
    line: str | None
    """The line of business. It selects the policy."""
    topic: str | None
    """The topic of the complaint, such as transport.damage."""
    order_id: str | None
    status: Annotated[str, one_of(Status)]
    outcome: Annotated[str, one_of(Outcome)] | None
    """How the case ended. It is set shortly before the report to the customer is delivered and the status is closed."""
    urgent: bool
    owner: OwnerView
    policy: PolicyView
    complaint: ComplaintView | None = None
    """null while the complaint is being admitted"""
    handled_by: Omittable[HandledByView] = None
    """Who handled the order before the complaint. An earlier build did not write it."""
    cycle: Cycle
    """A number that increases each time the customer is dissatisfied with the result."""
    opened_at: OffsetTime | None
    closed_at: OffsetTime | None
    finding: FindingView
    promises: list[PromiseView]
    offers: list[OfferView]
    steps: list[StepView]
    escalations: list[EscalationView]
    evidence: list[EvidenceView]
    awaited: list[Annotated[str, one_of(EvidenceKind)]] = Field(default=[])
    """Evidence that the customer was asked for and has not sent yet."""
    satisfaction: list[SatisfactionView]
    paid: PaidView
    refused: list[RefusedView]
    """Refused signals. Equal ones are one line with a count. Each message has at most 5 lines, and further signals are
    counted on the last one."""
    timeline: list[EntryView]
    links: list[LinkView]
    second_complaints: list[SecondComplaintView] = Field(default=[])
    needs: list[NeedView | SkipJsonSchema[str]]
    """What a person has to do next. Empty if the case continues by itself. An earlier build wrote sentences."""

    @classmethod
    def of(cls, case: Case) -> Self:
        """Return a snapshot of the case. Later changes of the case do not change it."""
        order, policy = case.complaint.order, case.policy
        return cls(
            case_id=case.id,
            line=case.complaint.line,
            topic=case.complaint.topic,
            order_id=order.order_id if order else None,
            status=case.status,
            outcome=case.outcome,
            urgent=case.urgent,
            owner=OwnerView(team=case.team, name=case.owner),
            policy=PolicyView(line=policy.line, version=policy.version, timezone=policy.timezone),
            complaint=case.complaint,
            handled_by=HandledByView.of(case),
            cycle=case.cycle,
            opened_at=case.opened_at,
            closed_at=case.closed_at,
            finding=case.finding,
            promises=[PromiseView.of(promise) for promise in case.promises],
            offers=[OfferView.of(case, offer) for offer in case.offers],
            steps=[StepView.of(case, step) for step in case.steps],
            escalations=case.escalations,
            evidence=case.evidence,
            awaited=case.awaited,
            satisfaction=case.satisfaction,
            paid=paid(case),
            refused=case.refused,
            timeline=case.timeline,
            links=case.links,
            second_complaints=[SecondComplaintView.of(case, record) for record in case.second_complaints],
            needs=needs(case),
        )

    @classmethod
    def being_admitted(cls, case_id: str) -> Self:
        """Return the snapshot of a case whose complaint has not been admitted. Only its id is known."""
        return cls(
            case_id=case_id,
            line=None,
            topic=None,
            order_id=None,
            status=Status.RECEIVED,
            outcome=None,
            urgent=False,
            owner=OwnerView(team=None, name=None),
            policy=PolicyView(line=None, version=None),
            cycle=1,
            opened_at=None,
            closed_at=None,
            handled_by=HandledByView(),
            finding=FindingView(facts=[]),
            promises=[],
            offers=[],
            steps=[],
            escalations=[],
            evidence=[],
            satisfaction=[],
            paid=PaidView.model_validate(dict.fromkeys(PAID_AS, "0.00")),
            refused=[],
            timeline=[],
            links=[],
            needs=[],
        )
