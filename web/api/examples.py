"""Examples in the OpenAPI document, and the bodies of requests that show them."""

from typing import Any

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
OF_MESSAGES: dict[str, dict[str, Any]] = {
    "contact-made": {"note": "Called the customer back."},
    "evidence-received": {"evidence": [{"kind": "photo", "uri": "https://files.example.com/eggs.jpg"}]},
    "customer-approved": {"offer": "o1", "option": "replace"},
    "customer-declined": {"offer": "o1", "reason": "Too little."},
    "step-reported": {"step": "replacement", "state": "done", "detail": "Left at the door."},
    "satisfaction-reported": {"score": 5, "comment": "Quick."},
    "complaint-withdrawn": {"reason": "Found it."},
    "assess": {"upheld": True, "liable": "delivery", "cause": "stacked too high"},
    "propose": {
        "options": [{"key": "own", "remedies": [{"kind": "compensation", "amount": "10.00"}]}],
        "note": "Agreed on the phone.",
    },
    "approve": {"approval": "o1", "note": "Fine."},
    "reject": {"approval": "o1", "note": "Too much."},
    "declare-complex": {"reason": "Several deliveries.", "plan": "Inspect on Monday."},
    "resolve-step": {"step": "replacement", "action": "retry", "reason": "The address is corrected."},
    "assign": {"team": "quality", "owner": "li.na"},
    "acknowledge-escalation": {"promise": "solution"},
    "mark-urgent": {"reason": "A child has eaten of it."},
    "move-policy": {"reason": "New terms."},
    "note": {"text": "Called twice."},
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
MESSAGE = {name: body(ref(MESSAGES[name].__name__), OF_MESSAGES[name]) for name in MESSAGES}
