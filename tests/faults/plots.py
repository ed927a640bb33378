"""What happens to one complaint, drawn from a seed: who complains of what, what the partners know, what people do."""

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
    """How likely it is, from 0 to 1, that …"""

    shared_order: float = 0.15
    """… a complaint is about an order and topic of which another complaint is under way."""
    same_items: float = 0.25
    """… it is about another topic of such an order, and about the very same items (S35)."""
    nothing_else: float = 0.5
    """… an order holds nothing but what the complaint is about."""
    no_stock: float = 0.1
    """… nothing is left of what was ordered (S28)."""
    contradict: float = 0.1
    """… a partner contradicts itself about a step, roughly (S25–S27)."""


USUAL = Odds()


@dataclass
class Plot:
    """One complaint with all that comes of it; everything is decided by its seed and number."""

    complaint: dict[str, Any]
    order: dict[str, Any]
    """What the partners know of the order."""
    finding: dict[str, Any]
    chance: Random = field(repr=False)

    @property
    def case_id(self) -> str:
        """Its id."""
        id_: str = self.complaint["case_id"]
        return id_

    @property
    def order_id(self) -> str:
        """The order's id; empty where there is none."""
        return str((self.complaint.get("order") or {}).get("order_id") or "")


def plots(seed: int, count: int, policies: dict[str, Policy], odds: Odds = USUAL) -> list[Plot]:
    """`count` plots over all topics of all lines; the same for the same seed."""
    chance = Random(seed)
    topics = [(line, topic) for line in sorted(policies) for topic in sorted(policies[line].topics)]
    made: list[Plot] = []
    for number in range(count):
        # Every topic in turn, so that a small load has all of them.
        line, topic = topics[number % len(topics)]
        made.append(_plot(f"F{seed}-{number}", line, topic, Random(f"{seed}/{number}"), odds))
        made[-1].order |= _told_of_money(Random(f"{seed}/{number}/money"), odds.contradict)
        earlier = made[-1 - len(topics)] if number >= len(topics) else None
        if earlier and chance.random() < odds.shared_order:
            _share(made[-1], earlier)
        elif number and topics[(number - 1) % len(topics)][0] == line and chance.random() < odds.same_items:
            _share(made[-1], made[-2])
    return made


def _share(plot: Plot, earlier: Plot) -> None:
    """Let it be about the earlier one's order."""
    order = plot.complaint["order"] = earlier.complaint["order"]
    # What arrived later than a complaint about it makes no complaint.
    plot.complaint["received_at"] = max(plot.complaint["received_at"], order.get("delivered_at", ""))


def _only_what_is_affected(complaint: dict[str, Any]) -> None:
    """An order of nothing but what the complaint is about: whatever is made good is then all of it."""
    order, wrong = complaint["order"], {item["sku"]: item["quantity"] for item in complaint.get("affected", [])}
    if not wrong:
        return
    order["items"] = [{**item, "quantity": wrong[item["sku"]]} for item in order["items"] if item["sku"] in wrong]
    goods = sum((Decimal(item["unit_price"]) * item["quantity"] for item in order["items"]), Decimal(0))
    order["amount"] = str(goods + Decimal(order.get("freight", "0.00")))


def _plot(case_id: str, line: str, topic: str, chance: Random, odds: Odds) -> Plot:
    late, delivered = chance.randrange(6), chance.choice([0.1, 2, 5])
    told = complaint(
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
        _only_what_is_affected(told)
    if chance.random() < 0.1:  # complained of long ago, and it only reaches us now
        received = datetime.now(UTC) - timedelta(hours=chance.choice([1, 30, 60]))
        told["received_at"] = max(
            received, datetime.fromisoformat(told["order"].get("delivered_at", "2020-01-01T00:00:00Z"))
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
    return Plot(told, _order(told, chance, odds), finding, chance)


def _told_of_money(chance: Random, contradict: float) -> dict[str, Any]:
    """What is reported of payments, which are done at once: usually nothing (S26, S27)."""
    if chance.random() >= 2 * contradict:
        return {}
    # Before the call has returned, or after it; a payment that was taken back, when the case may have closed.
    done = {"state": "done", "after": chance.choice([0, 0, 1, 5])}
    failed = {"state": "failed", "after": chance.choice([1, 8, 40]), "detail": "account closed"}
    told = chance.choice([[done], [done], [failed], [done, failed]])
    return {"reports_by_kind": dict.fromkeys(MONEY, told)}


def _order(told: dict[str, Any], chance: Random, odds: Odds) -> dict[str, Any]:
    """What the sandbox is told of the order: usually all is well."""
    # Reported before the call has returned, in an instant, late, or never.
    after = chance.choice([0.0, 0.0, 0.3, 2.0])
    known: dict[str, Any] = {"reports": [{"state": "dispatched", "after": after}, {"state": "done", "after": after}]}
    if chance.random() < 0.05:
        known["reports"] = "never"
    if chance.random() < 0.1:
        known["reports_by_kind"] = {"replacement": [{"state": "failed", "after": 0, "detail": "lost in the warehouse"}]}
    if chance.random() < odds.no_stock:
        known["stock"] = {item["sku"]: 0 for item in told["order"].get("items", [])}
    if chance.random() < 0.05:
        known["crew"] = "none"
    if chance.random() < 0.6:
        # None too low: whoever is never content would keep a case open for ever.
        known["satisfaction"] = chance.choice([5, 5, 4, 3])
    if chance.random() < 0.8:
        known["trail"] = chance.choice(TRAILS)
    if told["topic"].startswith("installation"):
        known["installation"] = {"installer": "Crew 7", "installed_at": "-2d"}
        known["inspection"] = {
            "severity": chance.choice(["minor", "severe"]),
            "cause": "loose",
            "evidence": [{"kind": "photo", "uri": "s3://visit/1"}],
        }
    return known
