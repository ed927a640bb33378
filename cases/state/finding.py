"""The finding: facts from look-ups and from people. A person's fact overrides; all facts stay on record (G3)."""

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
"""The source of facts from the case that this one follows (G12)."""
PEOPLE = frozenset({"agent", EARLIER})
"""Sources whose facts are not overridden by facts from look-ups."""


def _merged(items: list[Affected]) -> list[Affected]:
    """Return one entry for each SKU. Quantities of the same SKU are added, as in comparisons with the order (S35)."""
    counted = pieces(items)
    if len(counted) == len(items):
        return items
    return [Affected.model_construct(sku=sku, quantity=quantity) for sku, quantity in counted.items()]


class PartialFinding(BaseModel):
    """Some of the facts that can be established. An absent field is not known (yet)."""

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
    """The value of the goods as proved by documents. It overrides the order's value (E12)."""
    affected: Annotated[list[Affected], Field(min_length=1, max_length=500), AfterValidator(_merged)] | None = None

    def known(self) -> dict[str, Any]:
        """Return the established fields as JSON values."""
        return self.model_dump(mode="json", exclude_none=True, include=set(PartialFinding.model_fields))


class Fact(BaseModel):
    """One fact from one source. `source` is a look-up's name, a step's kind, `agent`, or another case."""

    model_config = ConfigDict(frozen=True)

    field: str
    value: Any
    source: str
    at: AwareDatetime
    by: str | None = None


class Finding(PartialFinding):
    """The current finding. `facts` has every fact that was ever stated, oldest first."""

    facts: list[Fact] = []

    def with_facts(
        self, new: PartialFinding, *, source: str, at: datetime, by: str | None = None, binding: bool = False
    ) -> "Finding":
        """Return the finding with `new` added. A person's fact is only overridden by a person, or if `binding`."""
        stated = new.known()
        person = {fact.field for fact in self.facts if fact.source in PEOPLE}
        effective = {k: getattr(new, k) for k in stated if binding or source == "agent" or k not in person}
        facts = [Fact(field=k, value=v, source=source, at=at, by=by) for k, v in stated.items()]
        return self.model_copy(update={**effective, "facts": [*self.facts, *facts]})


def days_between(promised: datetime, actual: datetime, zone: ZoneInfo) -> int:
    """Return the number of calendar days from the promised date to the actual date; zero if it is earlier (§2)."""
    return max(0, (actual.astimezone(zone).date() - promised.astimezone(zone).date()).days)


def from_trail(
    trail: Trail, complaint: Complaint, now: datetime, zone: ZoneInfo, stalled_after: timedelta
) -> PartialFinding:
    """Return the facts in a parcel's tracking history: lost, days late and hours late (G3, §2 *Loss*).

    A parcel is lost if its state says so, or if it has had no event for `stalled_after`. Otherwise lateness counts from
    the promised arrival to delivery, or to `now`.
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
    """Return the facts in an installation record: days late against the appointment (B19, B20)."""
    cause = record.cause and record.cause[:MAX_CAUSE]
    if record.promised_at is None:
        return PartialFinding(cause=cause)
    return PartialFinding(days_late=days_between(record.promised_at, record.installed_at or now, zone), cause=cause)
