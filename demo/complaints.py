"""The complaints of the demo, with a typical customer and order for each line of business."""

from datetime import UTC, datetime, timedelta
from typing import Any

_CUSTOMERS = {
    "building_materials": "王芳",
    "fresh_food": "周涛",
    "infant_formula": "林悦",
    "organic_food": "何静",
    "express": "吴磊",
}

_ORDERS: dict[str, dict[str, Any]] = {
    "building_materials": {
        "amount": "12800.00",
        "freight": "300.00",
        "carrier": "远通物流",
        "install_address": "上海市徐汇区",
        "items": [{"sku": "SLATE-9", "name": "岩板 900×1800", "quantity": 4, "unit_price": "3125.00"}],
    },
    "fresh_food": {
        "amount": "1880.00",
        "freight": "60.00",
        "carrier": "鲜达冷链",
        "items": [
            {"sku": "EGG-360", "name": "鲜鸡蛋 360 枚", "quantity": 4, "unit_price": "230.00"},
            {"sku": "TOMATO-5", "name": "番茄 5 kg", "quantity": 20, "unit_price": "45.00"},
        ],
    },
    "infant_formula": {
        "amount": "1404.00",
        "items": [{"sku": "FORMULA-2", "name": "较大婴儿配方奶粉 800 g", "quantity": 6, "unit_price": "234.00"}],
    },
    "organic_food": {
        "amount": "268.00",
        "freight": "12.00",
        "carrier": "绿野配送",
        "items": [{"sku": "RICE-5", "name": "有机大米 5 kg", "quantity": 2, "unit_price": "128.00"}],
    },
    # The order's amount is the freight; the goods belong to the customer.
    "express": {"amount": "28.00", "freight": "28.00", "carrier": "迅捷速运"},
}

_AFFECTED = {
    "building_materials": ("SLATE-9", 1),
    "fresh_food": ("EGG-360", 2),
    "infant_formula": ("FORMULA-2", 2),
    "organic_food": ("RICE-5", 1),
}


def complaint(  # noqa: PLR0913 (the parts of a complaint that stories set)
    *,
    case_id: str,
    topic: str,
    order_id: str,
    line: str = "building_materials",
    promised_days_ago: float = 0,
    delivered_days_ago: float | None = None,
    picked_up_after: float | None = None,
    order: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return a complaint received now. `picked_up_after`: seconds until the call or chat was answered."""
    now = datetime.now(UTC)
    full_order = {
        "order_id": order_id,
        "currency": "CNY",
        "promised_at": (now - timedelta(days=promised_days_ago)).isoformat(),
        "tracking_no": f"YT-{order_id}",
        **_ORDERS[line],
        **(order or {}),
    }
    if delivered_days_ago is not None:
        full_order["delivered_at"] = (now - timedelta(days=delivered_days_ago)).isoformat()
    found = {
        "case_id": case_id,
        "line": line,
        "topic": topic,
        "channel": "hotline",
        "received_at": (now - timedelta(seconds=picked_up_after or 0)).isoformat(),
        "customer": {"name": _CUSTOMERS[line], "phone": "+8613800000001", "locale": "zh-CN"},
        "order": full_order,
        **more,
    }
    if picked_up_after is not None:
        found["answered_at"] = now.isoformat()
    if line in _AFFECTED and "." in topic:
        sku, quantity = _AFFECTED[line]
        found.setdefault("affected", [{"sku": sku, "quantity": quantity}])
    return found
