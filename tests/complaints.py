"""Complaints as other systems send them: plain JSON, complete unless a test changes it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cases.complaint import Complaint, read_complaint
from cases.errors import InvalidInput

CUSTOMER = {"name": "Wang Li", "phone": "+86 130 0000 0000", "email": "li@example.org", "locale": "zh-CN"}
ORDER = {
    "order_id": "SO-1",
    "amount": "12800.00",
    "freight": "300.00",
    "currency": "CNY",
    "tracking_no": "T-1",
    "carrier": "Slow Freight",
    "items": [{"sku": "SLATE-9", "name": "Slate", "quantity": 4, "unit_price": "3125.00"}],
}


def complaint(*, order: dict[str, Any] | None = None, age: timedelta = timedelta(), **changes: Any) -> dict[str, Any]:
    """Return a complaint about damage in transit, received `age` ago; `order` and `changes` override its fields."""
    case_id = changes.pop("case_id", f"HL-{uuid4().hex[:12]}")
    content = {
        "case_id": case_id,
        "line": "building_materials",
        "topic": "transport.damage",
        "channel": "hotline",
        "received_at": (datetime.now(UTC) - age).isoformat(),
        "customer": CUSTOMER,
        # A separate order, so that refunds of one case do not affect another.
        "order": {**ORDER, "order_id": f"SO-{case_id}", **(order or {})},
        "description": "Two slabs arrived cracked.",
    }
    return content | changes


def check_complaint(raw: Any, now: datetime) -> Complaint:
    """Return the complaint in `raw`; raise `InvalidInput` with every problem that no policy is needed for."""
    complaint, problems = read_complaint(raw, now)
    if problems:
        raise InvalidInput(problems)
    return complaint
