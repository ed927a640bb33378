"""Two complaints about one matter, and the second is merged into the first."""

import json
from datetime import datetime
from typing import Any

from cases.inbox import same_matter as linking
from cases.inbox.same_matter import link_message
from cases.policy.policy import Policy
from cases.state.second_complaint import ComplaintLinked
from cases.views.needs import needs
from tests.cases.world import START, World, building_materials, open_case

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}
TWO = {
    "items": [
        {"sku": "A", "name": "Slate", "quantity": 4, "unit_price": "1000.00"},
        {"sku": "B", "name": "Sill", "quantity": 2, "unit_price": "500.00"},
    ]
}


def merging(policy: Policy | None = None, **changes: Any) -> Policy:
    return (policy or building_materials()).model_copy(update={"second_complaint": "merge", **changes})


def first(*affected: tuple[str, int], **fields: Any) -> World:
    return open_case(order=TWO, affected=_named(affected), **{"policy": merging(), **fields})


def second(*affected: tuple[str, int], at: datetime | None = None, **fields: Any) -> World:
    """A second complaint as its own case has it, before it is merged."""
    arguments = {"case_id": "HL-2", "description": "the sill is cracked, too", "policy": merging(), **fields}
    received = arguments.pop("received", at or START)
    return open_case(order=TWO, affected=_named(affected), received=received, opened_at=at or received, **arguments)


def _named(affected: tuple[tuple[str, int], ...]) -> list[dict[str, Any]] | None:
    return [{"sku": sku, "quantity": count} for sku, count in affected] or None


def merge(one: World, two: World) -> None:
    """What the two cases do, with the message as it travels."""
    assert linking.can_merge(two.case)
    travelled = ComplaintLinked.model_validate(json.loads(link_message(two.case, merges=True).model_dump_json()))
    assert linking.link(one.case, travelled, one.now)
    linking.merge(two.case, one.case.id, two.now)
    one.attend()


def affected(world: World) -> dict[str, int]:
    return {item.sku: item.quantity for item in world.case.finding.affected or []}


def judged(world: World) -> list[str]:
    return [need.text for need in needs(world.case) if need.what == "second_complaint"]


def offered() -> World:
    one = first(("A", 1))
    one.says("assess", severity="moderate", by="li")
    return one
