"""What was established: facts from look-ups, and people's words, which override them; both stay on record (G3)."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from cases.complaint import Affected, Complaint, pieces
from cases.money import Money
from cases.partner_calls import InstallationRecord, Trail, TrailState
from cases.scalars import NUMERIC, Flag
from cases.text import Clean
from cases.vocabulary import Liable, Severity

MAX_DAYS = 36_500
MAX_CAUSE = 1_000
"""Characters."""
EARLIER = "earlier case"
"""The source of what was established in the case that this one follows (G12)."""
PEOPLE = frozenset({"agent", EARLIER})
"""Sources whose word a derived fact does not override."""


def _merged(items: list[Affected]) -> list[Affected]:
    """One entry for each sku: what names it twice counts together, as it does against what was ordered (S35)."""
    counted = pieces(items)
    if len(counted) == len(items):
        return items
    return [Affected.model_construct(sku=sku, quantity=quantity) for sku, quantity in counted.items()]


class PartialFinding(BaseModel):
    """Any of the things that can be established; absent means not known (yet)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity | None = None
    days_late: Annotated[int, Field(ge=0, le=MAX_DAYS), NUMERIC] | None = None
    hours_late: Annotated[float, Field(ge=0, le=24 * MAX_DAYS), NUMERIC] | None = None
    lost: Flag | None = None
    upheld: Flag | None = None
    liable: Liable | None = None
    cause: Annotated[str, StringConstraints(max_length=MAX_CAUSE), Clean] | None = None
    sealed: Flag | None = None
    goods_value: Money | None = None
    """What the goods were worth, as documents prove; in place of what the order says (E12)."""
    affected: Annotated[list[Affected], Field(min_length=1, max_length=500), AfterValidator(_merged)] | None = None

    def known(self) -> dict[str, Any]:
        """The fields that are established, as JSON values."""
        return self.model_dump(mode="json", exclude_none=True, include=set(PartialFinding.model_fields))


class Fact(BaseModel):
    """One thing that one source said: `source` is a partner's name or `agent`."""

    model_config = ConfigDict(frozen=True)

    field: str
    value: Any
    source: str
    at: AwareDatetime
    by: str | None = None


class Finding(PartialFinding):
    """What holds now, and under `facts` everything that was ever said, oldest first."""

    facts: list[Fact] = []

    def with_facts(
        self, new: PartialFinding, *, source: str, at: datetime, by: str | None = None, binding: bool = False
    ) -> "Finding":
        """Return the finding with `new` added; a person's word stays above a derived fact, unless that is `binding`."""
        stated = new.known()
        person = {fact.field for fact in self.facts if fact.source in PEOPLE}
        effective = {k: getattr(new, k) for k in stated if binding or source == "agent" or k not in person}
        facts = [Fact(field=k, value=v, source=source, at=at, by=by) for k, v in stated.items()]
        return self.model_copy(update={**effective, "facts": [*self.facts, *facts]})


def days_between(promised: datetime, actual: datetime, zone: ZoneInfo) -> int:
    """Whole calendar days from the promised date to the actual one, never negative (§2)."""
    return max(0, (actual.astimezone(zone).date() - promised.astimezone(zone).date()).days)


def from_trail(
    trail: Trail, complaint: Complaint, now: datetime, zone: ZoneInfo, stalled_after: timedelta
) -> PartialFinding:
    """What the logistics trail shows: lost, days and hours late (G3, §2 *Loss*).

    Lost: the trail says so, or has not moved for `stalled_after`. Otherwise late counts from the promised
    arrival to delivery, or to `now`.
    """
    order = complaint.order
    delivered = trail.delivered_at or (order.delivered_at if order else None)
    promised = trail.promised_at or (order.promised_at if order else None)
    last_move = max((event.at for event in trail.events), default=None)
    stalled = last_move is not None and now - last_move >= stalled_after
    lost = trail.state is TrailState.LOST or (delivered is None and trail.state is not TrailState.SIGNED and stalled)
    late_until = delivered or now
    late = None if promised is None or lost else late_until - promised
    return PartialFinding(
        lost=lost,
        days_late=None if late is None or promised is None else days_between(promised, late_until, zone),
        hours_late=None if late is None else max(0.0, round(late / timedelta(hours=1), 2)),
        cause=trail.cause and trail.cause[:MAX_CAUSE],
    )


def from_installation(record: InstallationRecord, now: datetime, zone: ZoneInfo) -> PartialFinding:
    """What the installation record shows: days late against the appointment (B19, B20)."""
    cause = record.cause and record.cause[:MAX_CAUSE]
    if record.promised_at is None:
        return PartialFinding(cause=cause)
    return PartialFinding(days_late=days_between(record.promised_at, record.installed_at or now, zone), cause=cause)
