"""Cases with an offer, agreed offers, and offers of an agent's own."""

from typing import Any

from cases.partner_calls import StepCommand
from tests.cases.world import Answer, World, open_case


def offered(severity: str = "severe", **fields: Any) -> World:
    """A damage with the offer that the policy grants; "severe" brings a full refund with 10 to 20 % on top."""
    world = open_case(**fields)
    world.says("assess", severity=severity, by="li")
    return world


def agreed(severity: str = "moderate", topic: str = "transport.damage", **answers: Answer) -> World:
    """What the policy grants, and the customer's yes."""
    world = open_case(topic, looked_up=False, answers=answers)
    world.says("assess", severity=severity, by="li")
    world.says("customer-approved")
    return world


def money(amount: str, *, kind: str = "compensation", key: str = "own", **remedy: Any) -> list[dict[str, Any]]:
    """An agent's own offer of one remedy."""
    return [{"key": key, "remedies": [{"kind": kind, "amount": amount, **remedy}]}]


def of_kind(world: World, kind: str) -> list[StepCommand]:
    return [command for command in world.commands if command.kind.value == kind]
