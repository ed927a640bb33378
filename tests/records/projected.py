"""Cases as they are projected: what a list shows of them, and a snapshot with a complaint."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cases.views.listing import Listing, Projected

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LISTING: dict[str, Any] = {
    "line": "building_materials",
    "topic": "transport.damage",
    "order_id": "SO-1",
    "channel": "app",
    "status": "assessing",
    "outcome": None,
    "urgent": False,
    "team": "after_sales",
    "owner": None,
    "received_at": NOW,
    "opened_at": NOW,
    "closed_at": None,
    "next_due_at": NOW,
    "next_due": "solution",
    "broken": [],
    "escalation_rung": 0,
    "needs": ["assess"],
    "unknown_money": False,
    "paid": Decimal("0.00"),
    "currency": "CNY",
}
COMPLAINT: dict[str, Any] = {
    "customer": {"name": "王丽", "phone": "138 0013 8000", "email": "li@example.org", "locale": "zh-CN"},
    "order": {
        "order_id": "SO-1",
        "tracking_no": "SF-1234567",
        "items": [{"sku": "SLATE-9", "name": "岩板 60x120"}],
    },
    "description": "瓷砖到货时有三块裂开，需要补发。Cracked on arrival.",
}


def projected(case_id: str = "HL-1", seq: int = 1, complaint: dict[str, Any] = COMPLAINT, **listing: Any) -> Projected:
    """Return a case at its change `seq`, with other values where given."""
    row = Listing(**{"case_id": case_id, **LISTING, **listing})
    snapshot = {"case_id": case_id, "status": row.status, "complaint": complaint}
    return Projected(seq=seq, listing=row, snapshot=json.dumps(snapshot, ensure_ascii=False))
