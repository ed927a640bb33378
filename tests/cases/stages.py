"""One case at each stage of its life, for tests that go through all of them."""

from datetime import UTC, datetime

from tests.cases.world import World, open_case


def assessing() -> World:
    return open_case()


def escalated() -> World:
    """Opened hours after it was received."""
    return open_case(opened_at=datetime(2026, 11, 18, 12, 0, tzinfo=UTC))


def offered() -> World:
    world = assessing()
    world.says("assess", severity="moderate")
    return world


def over_limits() -> World:
    """An agent's offer waits for approval."""
    world = assessing()
    world.says("propose", options=[{"key": "more", "remedies": [{"kind": "coupon", "amount": "1.00"}]}], by="zhao")
    return world


def executing() -> World:
    world = offered()
    world.says("customer-approved")
    return world


def replaced() -> World:
    """Two pieces, with a photo."""
    world = assessing()
    world.says("assess", severity="moderate", affected=[{"sku": "SLATE-9", "quantity": 2}], by="li")
    world.says("evidence-received", evidence=[{"kind": "photo", "uri": "https://example.com/1"}])
    world.says("customer-approved")
    return world


def blocked() -> World:
    world = open_case(answers={"replacement": "refused"})
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    return world


def paid_out() -> World:
    world = assessing()
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved", option="refund", by="li")
    return world


def following_up() -> World:
    world = executing()
    world.says("step-reported", step="replacement", state="done")
    world.says("step-reported", step="collection", state="done")
    return world


def dissatisfied() -> World:
    world = paid_out()
    world.says("satisfaction-reported", score=1, comment="late")
    return world


def closed() -> World:
    world = paid_out()
    world.says("satisfaction-reported", score=5)
    return world
