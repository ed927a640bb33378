"""Complaints of every line of business, and what is planned for them: promises and options by name.

Prices are chosen so that each amount in a test can be worked out in one's head.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from cases.entitlement.plan import as_errors, plan_or_errors
from cases.errors import InvalidInput
from cases.input.decoding import decode
from cases.policy.policy import Policy
from cases.state.offer import Option
from tests.cases.world import START, a_complaint, in_force, remedies_of

GREENS = [{"sku": "GREENS", "quantity": 4}]
"""Affected: 4 of 20, worth 60.00."""
TIN = [{"sku": "IF-3", "quantity": 1}]
"""Affected: 1 of 3, worth 398.00."""
PHOTO = {"kind": "photo", "uri": "s3://1"}

FOOD: dict[str, Any] = {
    "amount": "860.00",
    "freight": "60.00",
    "items": [
        {"sku": "BEEF", "quantity": 10, "unit_price": "50.00"},
        {"sku": "GREENS", "quantity": 20, "unit_price": "15.00"},
    ],
}
FORMULA: dict[str, Any] = {
    "amount": "1194.00",
    "freight": "0.00",
    "delivered_at": (START - timedelta(days=4)).isoformat(),
    "items": [{"sku": "IF-3", "quantity": 3, "unit_price": "398.00"}],
}
PARCEL: dict[str, Any] = {"amount": "18.00", "freight": "18.00", "tracking_no": "T-1", "items": []}
ORDERS: dict[str, tuple[dict[str, Any], list[dict[str, Any]] | None]] = {
    "fresh_food": (FOOD, GREENS),
    "organic_food": (FOOD, GREENS),
    "infant_formula": (FORMULA, TIN),
    "express": (PARCEL, None),
}
"""An order of each line, and the items complained about."""

AT_ONCE = {"at_once": True}


def complaint_of(line: str, topic: str, *, order: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A complaint as it comes in, on Wednesday 18 November 2026 at 09:00; `order` is put on top of the line's own."""
    usual, affected = ORDERS[line]
    ordered = {**usual, **(order or {})}
    return a_complaint(
        **{"line": line, "topic": topic, "order": ordered, "affected": affected if ordered["items"] else None, **fields}
    )


class Planned:
    """What `plan` answers, taken apart."""

    def __init__(self, answer: dict[str, Any]) -> None:
        assert "errors" not in answer, answer
        self.answer = answer
        self.missing: list[str] = answer["missing"]
        self.evidence: list[str] = answer["evidence_needed"]
        self.outcome: str | None = answer["outcome"]
        self.consent: bool = answer["consent_required"]
        offered = answer["offer"]["options"] if answer["offer"] else []
        self.options = remedies_of([Option.model_validate(option) for option in offered])
        self.due = {p["name"]: datetime.fromisoformat(p["due_at"]) for p in answer["promises"]}
        self.pausable = {p["name"] for p in answer["promises"] if p["pausable"]}
        self.provisional = {p["name"] for p in answer["promises"] if p["provisional"]}
        assert len(self.due) == len(answer["promises"]), "one promise is made twice"

    def within(self, received: datetime = START) -> dict[str, timedelta]:
        """Promises by name, and how long after receipt they are due."""
        return {name: due - received for name, due in self.due.items()}


def plan_of(
    line: str,
    topic: str,
    finding: dict[str, Any] | None = None,
    *,
    policies: dict[str, Policy] | None = None,
    now: datetime | None = None,
    **fields: Any,
) -> Planned:
    """The plan for a complaint of `line`, an hour after it was received unless `now` says otherwise."""
    complaint = complaint_of(line, topic, **fields)
    at = now or datetime.fromisoformat(complaint["received_at"]) + timedelta(hours=1)
    asked = {"complaint": complaint, "finding": finding, "now": at.isoformat()}
    return Planned(plan_line(json.dumps(asked), policies or in_force(), at))


def plan_line(line: str | bytes, policies: dict[str, Policy], now: datetime) -> dict[str, Any]:
    """What `starter.py plan` prints for one line of a file."""
    try:
        return plan_or_errors(decode(line), policies, now)
    except InvalidInput as error:
        return as_errors(error)
