"""The complaints of a scenario: when each arrives, its content as other systems send it, and what is true of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cases.complaint import WITHOUT_ORDER
from cases.policy.policy import Policy
from cases.vocabulary import Channel, Liable, Severity
from simulation.draws import Draws
from simulation.scenario import Mix, OrderTerms, Scenario

SKU, PIECES = "SIM-1", 4
CUSTOMER = {"name": "Simulated customer", "phone": "+8613800000000", "email": "customer@example.com"}


@dataclass(frozen=True)
class Truth:
    """What is true of a complaint, and what an agent or a partner will find."""

    topic: str
    received_at: datetime
    severity: Severity
    upheld: bool
    liable: Liable
    days_late: int
    hours_late: int
    lost: bool
    sealed: bool
    days_since_delivery: int
    on_record: bool
    goods_value: str

    @property
    def late(self) -> timedelta:
        """How late the delivery was when the complaint arrived."""
        return timedelta(hours=self.hours_late)

    @property
    def moving(self) -> bool:
        """Whether the goods are still on their way."""
        return "delay" in self.topic or "loss" in self.topic

    def finding(self, fields: list[str]) -> dict[str, Any]:
        """Return these facts as the fields of `assess`."""
        known = {"cause": "found in the simulation", **vars(self)}
        return {name: known[name] for name in fields if name in known}


class Arrival(NamedTuple):
    """A complaint that will be made."""

    number: str
    at: datetime
    mix: Mix
    channel: Channel


def arrivals(scenario: Scenario, draws: Draws) -> Iterator[Arrival]:
    """Yield the complaints in the order of their arrival."""
    mixes = {index: mix.share for index, mix in enumerate(scenario.complaints)}
    for day in scenario.dates:
        midnight = datetime(day.year, day.month, day.day, tzinfo=scenario.zone)
        for hour in range(24):
            per_hour = scenario.arrivals.per_hour(day, hour)
            for count, after in enumerate(draws.arrivals(per_hour, "arrival", day, hour)):
                number = f"{day:%m%d}-{hour:02}-{count:04}"
                mix = scenario.complaints[draws.one_of(mixes, number, "kind")]
                at = (midnight + timedelta(hours=hour) + after).astimezone(UTC)
                yield Arrival(number, at, mix, draws.one_of(mix.channels, number, "channel"))


def truth_of(arrival: Arrival, draws: Draws, order: OrderTerms) -> Truth:
    """Draw what is true of a complaint."""
    mix, number = arrival.mix, arrival.number

    def one_of(name: str) -> Any:
        return draws.one_of(getattr(mix, name), number, name)

    def is_so(name: str) -> bool:
        return draws.happens(getattr(mix, name), number, name)

    return Truth(
        topic=mix.topic,
        received_at=arrival.at,
        severity=one_of("severity"),
        upheld=is_so("upheld"),
        liable=one_of("liable"),
        days_late=one_of("days_late"),
        hours_late=one_of("hours_late") if mix.hours_late else 24 * one_of("days_late"),
        lost=is_so("lost"),
        sealed=is_so("sealed"),
        days_since_delivery=one_of("days_since_delivery"),
        on_record=is_so("on_record"),
        goods_value=f"{order.goods_value or order.amount:.2f}",
    )


def complaint(  # noqa: PLR0913, PLR0917 (what a complaint is made of)
    arrival: Arrival, case_id: str, truth: Truth, terms: OrderTerms, policy: Policy, draws: Draws
) -> dict[str, Any]:
    """Return a complaint as other systems send it."""
    mix, topic = arrival.mix, policy.topics[arrival.mix.topic]
    evidence = topic.evidence if draws.happens(mix.evidence_sent, arrival.number, "evidence") else []
    ordered = mix.topic not in WITHOUT_ORDER or bool(topic.look_up)
    return {
        "case_id": case_id,
        "line": mix.line,
        "topic": mix.topic,
        "channel": arrival.channel,
        "received_at": arrival.at.isoformat(),
        "customer": CUSTOMER,
        "order": _order(arrival, truth, terms, draws) if ordered else None,
        "description": "simulated",
        "affected": [{"sku": SKU, "quantity": 1}] if ordered and not terms.goods_value else None,
        "evidence": [{"kind": kind, "uri": f"simulated://{kind}"} for kind in evidence],
        "urgent": draws.happens(mix.urgent, arrival.number, "urgent"),
    }


def _order(arrival: Arrival, truth: Truth, terms: OrderTerms, draws: Draws) -> dict[str, Any]:
    """Return the order: four pieces of one item, or for parcels only the freight and the value of the goods."""
    amount = max(4.0, draws.lognormal(terms.amount, terms.variation, arrival.number, "amount"))
    order: dict[str, Any] = {"order_id": f"SO-{arrival.number}", "amount": f"{amount:.2f}", "tracking_no": "T-1"}
    if not truth.moving:
        order["delivered_at"] = (arrival.at - timedelta(days=truth.days_since_delivery)).isoformat()
    if terms.goods_value:
        insured = draws.happens(arrival.mix.insured, arrival.number, "insured")
        order |= {"freight": order["amount"], "goods_value": truth.goods_value}
        return order | ({"declared_value": truth.goods_value} if insured else {})
    freight = int(amount * terms.freight)
    item = {"sku": SKU, "quantity": PIECES, "unit_price": f"{int(amount - freight) // PIECES}.00"}
    return order | {"freight": f"{freight}.00", "items": [item]}
