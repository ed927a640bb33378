"""Generate complaints from a seed: who complains about what, what the partners know, and how people react."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from cases.policy.policy import Policy
from cases.policy.remedy_kinds import MONEY
from demo.complaints import complaint

TRAILS: list[dict[str, Any]] = [
    {"state": "in_transit", "promised_at": "-2d", "expected_at": "+1d", "cause": "road closed"},
    {"state": "in_transit", "promised_at": "-7d", "expected_at": "+3d", "cause": "storm"},
    {"state": "in_transit", "promised_at": "-12d", "events": [{"at": "-12d", "place": "Wuhan", "what": "departed"}]},
    {"state": "signed", "delivered_at": "-1d"},
    {"state": "lost"},
]


class Odds(NamedTuple):
    """Probabilities, from 0 to 1."""

    shared_order: float = 0.15
    """A complaint has the order and topic of another open complaint."""
    same_items: float = 0.25
    """A complaint has the order and the items of another open complaint, and another topic (S35)."""
    nothing_else: float = 0.5
    """An order contains only the items that the complaint is about."""
    no_stock: float = 0.1
    """The ordered goods are out of stock (S28)."""
    contradict: float = 0.1
    """A partner contradicts itself about a step; approximate (S25–S27)."""


USUAL = Odds()


@dataclass
class Scenario:
    """One complaint and everything that follows from it, determined by seed and number."""

    complaint: dict[str, Any]
    order: dict[str, Any]
    """What the partners know about the order."""
    finding: dict[str, Any]
    chance: Random = field(repr=False)

    @property
    def case_id(self) -> str:
        """The case's id."""
        id_: str = self.complaint["case_id"]
        return id_

    @property
    def order_id(self) -> str:
        """The order's id; empty where there is none."""
        return str((self.complaint.get("order") or {}).get("order_id") or "")


def scenarios(seed: int, count: int, policies: dict[str, Policy], odds: Odds = USUAL) -> list[Scenario]:
    """Generate `count` scenarios over all topics of all lines; the same seed gives the same scenarios."""
    chance = Random(seed)
    topics = [(line, topic) for line in sorted(policies) for topic in sorted(policies[line].topics)]
    made: list[Scenario] = []
    for number in range(count):
        # Topics take turns, so that a small run covers all of them.
        line, topic = topics[number % len(topics)]
        made.append(_scenario(f"F{seed}-{number}", line, topic, Random(f"{seed}/{number}"), odds))
        made[-1].order |= _payment_reports(Random(f"{seed}/{number}/money"), odds.contradict)
        earlier = made[-1 - len(topics)] if number >= len(topics) else None
        if earlier and chance.random() < odds.shared_order:
            _share(made[-1], earlier)
        elif number and topics[(number - 1) % len(topics)][0] == line and chance.random() < odds.same_items:
            _share(made[-1], made[-2])
    return made


def _share(scenario: Scenario, earlier: Scenario) -> None:
    """Give the scenario the order of an earlier one."""
    order = scenario.complaint["order"] = earlier.complaint["order"]
    # A complaint cannot be received before its goods were delivered.
    scenario.complaint["received_at"] = max(scenario.complaint["received_at"], order.get("delivered_at", ""))


def _only_what_is_affected(complaint: dict[str, Any]) -> None:
    """Reduce the order to the affected items, so that making good uses all of it."""
    order, wrong = complaint["order"], {item["sku"]: item["quantity"] for item in complaint.get("affected", [])}
    if not wrong:
        return
    order["items"] = [{**item, "quantity": wrong[item["sku"]]} for item in order["items"] if item["sku"] in wrong]
    goods = sum((Decimal(item["unit_price"]) * item["quantity"] for item in order["items"]), Decimal(0))
    order["amount"] = str(goods + Decimal(order.get("freight", "0.00")))


def _scenario(case_id: str, line: str, topic: str, chance: Random, odds: Odds) -> Scenario:
    late, delivered = chance.randrange(6), chance.choice([0.1, 2, 5])
    complained_of = complaint(
        case_id=case_id,
        line=line,
        topic=topic,
        order_id=f"O-{case_id}",
        promised_days_ago=late,
        delivered_days_ago=None if "delay" in topic or "loss" in topic else delivered,
        description="what happened",
        wish=chance.choice(["replace", "refund", "compensate", "repair"]),
    )
    if chance.random() < odds.nothing_else:
        _only_what_is_affected(complained_of)
    if chance.random() < 0.1:  # received long ago, but registered only now
        received = datetime.now(UTC) - timedelta(hours=chance.choice([1, 30, 60]))
        complained_of["received_at"] = max(
            received, datetime.fromisoformat(complained_of["order"].get("delivered_at", "2020-01-01T00:00:00Z"))
        ).isoformat()
    finding = {
        "severity": chance.choice(["minor", "moderate", "severe"]),
        "days_late": chance.randrange(1, 6),
        "hours_late": chance.randrange(1, 30),
        "lost": chance.random() < 0.5,
        "upheld": chance.random() < 0.9,
        "liable": chance.choice(["warehouse", "delivery", "supplier", "customer"]),
        "cause": "established",
        "sealed": chance.random() < 0.7,
        "goods_value": "300.00",
    }
    return Scenario(complained_of, _order(complained_of, chance, odds), finding, chance)


def _payment_reports(chance: Random, contradict: float) -> dict[str, Any]:
    """Return the reports on payments. Usually none: payments are done at once (S26, S27)."""
    if chance.random() >= 2 * contradict:
        return {}
    # Reported before or after the call returns; a payment may be taken back after the case has closed.
    done = {"state": "done", "after": chance.choice([0, 0, 1, 5])}
    failed = {"state": "failed", "after": chance.choice([1, 8, 40]), "detail": "account closed"}
    reports = chance.choice([[done], [done], [failed], [done, failed]])
    return {"reports_by_kind": dict.fromkeys(MONEY, reports)}


def _order(complained_of: dict[str, Any], chance: Random, odds: Odds) -> dict[str, Any]:
    """Return what the sandbox knows about the order; usually nothing is wrong."""
    # Reported before the call returns, soon after, late, or never.
    after = chance.choice([0.0, 0.0, 0.3, 2.0])
    known: dict[str, Any] = {"reports": [{"state": "dispatched", "after": after}, {"state": "done", "after": after}]}
    if chance.random() < 0.05:
        known["reports"] = "never"
    if chance.random() < 0.1:
        known["reports_by_kind"] = {"replacement": [{"state": "failed", "after": 0, "detail": "lost in the warehouse"}]}
    if chance.random() < odds.no_stock:
        known["stock"] = {item["sku"]: 0 for item in complained_of["order"].get("items", [])}
    if chance.random() < 0.05:
        known["crew"] = "none"
    if chance.random() < 0.6:
        # No low scores: a customer who is never satisfied would keep a case open forever.
        known["satisfaction"] = chance.choice([5, 5, 4, 3])
    if chance.random() < 0.8:
        known["trail"] = chance.choice(TRAILS)
    if complained_of["topic"].startswith("installation"):
        known["installation"] = {"installer": "Crew 7", "installed_at": "-2d"}
        known["inspection"] = {
            "severity": chance.choice(["minor", "severe"]),
            "cause": "loose",
            "evidence": [{"kind": "photo", "uri": "s3://visit/1"}],
        }
    return known
