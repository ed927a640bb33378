"""An example complaint: invented, received now, and valid for its line of business."""

from datetime import datetime
from typing import Any

from cases.policy.policy import Policy

GOODS = {
    "building_materials": ("SLATE-9", "Slate 90 x 180", "3125.00", "12800.00"),
    "fresh_food": ("EGG-360", "Fresh eggs, 360", "230.00", "1220.00"),
    "infant_formula": ("FORMULA-2", "Infant formula, stage 2, 800 g", "234.00", "1236.00"),
    "organic_food": ("RICE-5", "Organic rice, 5 kg", "128.00", "812.00"),
}
"""A product for each included line of business: sku, name, unit price, and the amount of an order of four."""
OTHER_GOODS = ("ITEM-1", "An item", "100.00", "700.00")
FREIGHT = "300.00"


def example(policy: Policy, topic: str | None, now: datetime) -> dict[str, Any]:
    """Return a complaint as another system would send it at `now`. The default topic is about damage."""
    number = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}"
    chosen = topic or next((name for name in policy.topics if name.endswith(".damage")), next(iter(policy.topics)))
    found: dict[str, Any] = {
        "case_id": f"HL-{number}",
        "line": policy.line,
        "topic": chosen,
        "channel": "hotline",
        "received_at": now.isoformat(timespec="seconds"),
        "customer": {"name": "Wang Fang", "phone": "+8613800000001"},
    }
    about = {"description": f"This is an example: {policy.topics[chosen].title.en}."}
    if policy.goods_may_cost_more:  # the order's amount is the freight; the goods belong to the customer
        order = {"order_id": f"SO-{number}", "amount": "28.00", "freight": "28.00", "declared_value": "500.00"}
        return {**found, "order": order, **about}
    sku, name, price, amount = GOODS.get(policy.line, OTHER_GOODS)
    items = [{"sku": sku, "name": name, "quantity": 4, "unit_price": price}]
    bought = {"order_id": f"SO-{number}", "amount": amount, "freight": FREIGHT, "items": items}
    return {**found, "order": bought, **about, "affected": [{"sku": sku, "quantity": 1}]}
