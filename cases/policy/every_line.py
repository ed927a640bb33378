"""What holds for every line of business: the ladder, silence, the callback, evidence, limits (§1)."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cases.calendar import Duration
from cases.policy.amounts import AmountText, OrderLimitText
from cases.policy.parts import Part, Share
from cases.vocabulary import Role


class Rung(Part):
    """One rung of the ladder (G10): at a share of a promise's time, `role` is notified."""

    role: Role
    at: Share
    urgent: Share | None = None

    def share(self, *, urgent: bool) -> float:
        """The share of the promise's time at which this rung is due."""
        return self.urgent if urgent and self.urgent is not None else self.at


class Silence(Part):
    """What we do when the customer does not answer an offer (G5); all counted from its delivery."""

    reminders: list[Duration]
    tell: Role
    tell_after: Duration
    close_after: Duration


class Callback(Part):
    """How we ask whether the customer is satisfied (G8)."""

    attempts: Annotated[int, Field(ge=1, le=10)]
    every: Duration
    satisfied_from: Annotated[int, Field(ge=1, le=5)] = 4
    dissatisfied_to: Annotated[int, Field(ge=1, le=5)] = 2
    dissatisfied_tells: Annotated[list[Role], Field(min_length=1)]
    """The role to notify of the first, second, … dissatisfied answer; the last one also of all further answers."""


class EvidenceTerms(Part):
    """How we wait for evidence that we asked for (G11): a reminder, then on without it, or the end of the case."""

    remind_after: Duration
    go_on_after: Duration | None = None
    close_after: Duration | None = None
    """Nothing can be decided without it (a claim's documents): the case closes as `no_response`."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.go_on_after is None) == (self.close_after is None):
            raise ValueError("evidence needs one of go_on_after and close_after")
        return self


class CarrierClaimTerms(Part):
    """When a carrier claim can be filed, counted from the promised arrival (B16)."""

    not_before: Duration
    not_after: Duration
    documents: list[str]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name}; write one such as Asia/Shanghai") from None
    return name


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class EveryLine(Part):
    """What holds for every line of business (§1); a line's own file may say otherwise."""

    timezone: Annotated[str, AfterValidator(_zone)]
    escalation: Annotated[list[Rung], Field(min_length=1)]
    silence: Silence
    callback: Callback
    evidence: EvidenceTerms
    second_complaint: Literal["link", "merge"] = "link"
    """What becomes of a second complaint about the same order and topic: a linked case that a person looks at before
    anything is offered, or one that rests while the first case handles both (G12)."""
    reopen_within: Duration
    """How long after its closing a case can be taken up again, as a linked one (G12)."""
    progress_before_warning: Duration
    """How long before the owner would be warned the daily update goes out by itself (G7)."""
    stalled_after: Duration
    """A shipment whose trail has not moved for so long counts as lost."""
    carrier_claim: CarrierClaimTerms
    manager_limit: AmountText
    """What money beyond an agent's range a manager may approve, in all."""
    compensation_limit: Annotated[list[OrderLimitText], BeforeValidator(_listed)] = []
    """The limit for payments beside refunds over all cases of an order: the first amount that can be computed (S15).

    Empty only in policies that were pinned before the limit existed. Then there is no limit.
    """
    key_lifetime: Duration
    """How long partners remember an idempotency key; nothing is sent again after it (S13)."""

    @model_validator(mode="after")
    def _breaks(self) -> Self:
        shares = [rung.at for rung in self.escalation]
        if 1.0 not in shares or shares != sorted(set(shares)):
            raise ValueError("escalation must rise from rung to rung and have one at 100%, where the promise breaks")
        urgent = [rung.share(urgent=True) for rung in self.escalation]
        if urgent != sorted(set(urgent)) or urgent[shares.index(1.0)] != 1.0:
            raise ValueError("escalation of urgent cases must rise from rung to rung, and break at 100% as well")
        return self
