"""Examples in the OpenAPI document, and the bodies of requests that show them."""

from typing import Any

from cases.inbox.examples import EXAMPLES
from cases.inbox.messages import MESSAGES

A_COMPLAINT: dict[str, Any] = {
    "case_id": "HL-20261122-7",
    "line": "fresh_food",
    "topic": "goods.damage",
    "channel": "app",
    "received_at": "2026-11-22T09:00:00+08:00",
    "customer": {"name": "Wang Fang", "phone": "+8613800000001"},
    "order": {
        "order_id": "SO-7",
        "amount": "1220.00",
        "freight": "300.00",
        "items": [{"sku": "EGG-360", "name": "Fresh eggs, 360", "quantity": 4, "unit_price": "230.00"}],
    },
    "description": "One box of eggs arrived broken.",
    "affected": [{"sku": "EGG-360", "quantity": 1}],
}


def body(schema: dict[str, Any], example: Any, media_type: str = "application/json") -> dict[str, Any]:
    """Return the description of a request's body."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema, "example": example}}}}


def ref(name: str) -> dict[str, Any]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


COMPLAINT = body(ref("Complaint"), A_COMPLAINT)
BATCH = body(
    {"type": "string", "format": "binary"}, '{"case_id": "HL-1", …}\n{"case_id": "HL-2", …}\n', "application/x-ndjson"
)
PLAN = body(
    {
        "type": "object",
        "properties": {
            "complaint": ref("Complaint"),
            "finding": {"anyOf": [ref("PartialFinding"), {"type": "null"}]},
            "now": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        },
        "required": ["complaint"],
        "additionalProperties": False,
    },
    {"complaint": A_COMPLAINT, "finding": {"upheld": True}},
)
PLANNED: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
MESSAGE = {name: body(ref(MESSAGES[name].__name__), EXAMPLES[name]) for name in MESSAGES}
