"""An example of each message's payload, without the sender. Shown by the HTTP API and in the Temporal UI."""

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
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
