"""Terms for all lines of business: escalation ladder, silence, callback, evidence, limits (§1)."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cases.calendar import WORKED, Duration, length
from cases.policy.amounts import AmountText, OrderLimitText
from cases.policy.parts import Part, Share
from cases.vocabulary import Role


class Rung(Part):
    """One rung of the escalation ladder (G10): `role` is notified after a share of a promise's time."""

    role: Role
    at: Share
    urgent: Share | None = None

    def share(self, *, urgent: bool) -> float:
        """Return the share of the promise's time at which this rung is due."""
        return self.urgent if urgent and self.urgent is not None else self.at


class Silence(Part):
    """The terms for an offer that is not answered (G5). All durations count from its delivery or a later contact."""

    reminders: list[Duration]
    tell: Role
    tell_after: Duration
    close_after: Duration


class Callback(Part):
    """The terms for asking whether the customer is satisfied (G8)."""

    attempts: Annotated[int, Field(ge=1, le=10)]
    every: Duration
    satisfied_from: Annotated[int, Field(ge=1, le=5)] = 4
    dissatisfied_to: Annotated[int, Field(ge=1, le=5)] = 2
    dissatisfied_tells: Annotated[list[Role], Field(min_length=1)]
    """The roles to notify of the first, second, … dissatisfied answer. The last one also gets all further ones."""


class EvidenceTerms(Part):
    """The terms for requested evidence (G11): a reminder, then the case continues without it or closes."""

    remind_after: Duration
    go_on_after: Duration | None = None
    close_after: Duration | None = None
    """For evidence without which nothing can be decided, such as documents: the case closes as `no_response`."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.go_on_after is None) == (self.close_after is None):
            raise ValueError("evidence needs one of go_on_after and close_after")
        return self


class CarrierClaimTerms(Part):
    """The window for filing a carrier claim, counted from the promised arrival (B16)."""

    not_before: Duration
    not_after: Duration
    documents: list[str]


class MeasureTerms(Part):
    """The terms for an improvement measure that a person has adopted (G13)."""

    team: str
    """The team whose roles are notified."""
    remind_before: Duration
    """How long before the end of its due date the owner is reminded."""
    overdue: Annotated[list[Role], Field(min_length=1)]
    """The roles to notify once it is overdue, one after the other. The last one also gets all further notices."""
    every: Duration
    """The time between two notices that it is overdue."""

    @model_validator(mode="after")
    def _counted_in_days(self) -> Self:
        if any(length(text).measure in WORKED for text in (self.remind_before, self.every)):
            raise ValueError("measures cannot count working time: write a time such as 3 days")
        return self

    @property
    def remind(self) -> timedelta:
        """The time of `remind_before`."""
        return length(self.remind_before).amount

    @property
    def repeat(self) -> timedelta:
        """The time of `every`."""
        return length(self.every).amount


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name}; write one such as Asia/Shanghai") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone, such as Asia/Shanghai."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class EveryLine(Part):
    """Terms for all lines of business (§1). A line's own file can override them."""

    timezone: TimeZone
    escalation: Annotated[list[Rung], Field(min_length=1)]
    silence: Silence
    callback: Callback
    evidence: EvidenceTerms
    second_complaint: Literal["link", "merge"] = "link"
    """How to handle a second complaint about the same order and topic (G12). `link`: in a separate case, which a person
    assesses before an offer. `merge`: in the first case, while the second one waits."""
    reopen_within: Duration
    """How long after closing a case can be followed up by a linked one (G12)."""
    progress_before_warning: Duration
    """How long before the owner would be warned the daily update is sent (G7)."""
    stalled_after: Duration
    """A shipment without tracking events for this time counts as lost."""
    carrier_claim: CarrierClaimTerms
    manager_limit: AmountText
    """The maximum total of payments that a manager may approve beyond an agent's range."""
    compensation_limit: Annotated[list[OrderLimitText], BeforeValidator(_listed)] = []
    """The limit for payments beside refunds over all cases of an order: the first amount that can be computed (S15).

    Empty only in policies that were pinned before the limit existed. Then there is no limit.
    """
    key_lifetime: Duration
    """How long partners remember an idempotency key. Nothing is sent again after that (S13)."""
    measures: MeasureTerms | None = None
    """None in the policy of a case, which has no measures (G13), and in policies from before there were any."""

    @model_validator(mode="after")
    def _breaks(self) -> Self:
        shares = [rung.at for rung in self.escalation]
        if 1.0 not in shares or shares != sorted(set(shares)):
            raise ValueError("escalation must rise from rung to rung and have one at 100%, where the promise breaks")
        urgent = [rung.share(urgent=True) for rung in self.escalation]
        if urgent != sorted(set(urgent)) or urgent[shares.index(1.0)] != 1.0:
            raise ValueError("escalation of urgent cases must rise from rung to rung, and break at 100% as well")
        return self
