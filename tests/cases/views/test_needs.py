"""A case says what a person has to do: what is missing, what would be accepted, and the message that does it."""

import json
import shlex
from collections.abc import Callable
from typing import Any

import click
import pytest

from cases.inbox.receiving import receive, refuse
from cases.state.letter import Audience
from cases.views.need_view import YOU, NeedView
from cases.views.needs import needs
from cases.views.ui_page import case_page
from console.reading import command
from starter import cli
from tests.cases.stages import over_limits
from tests.cases.world import START, World, late_by, open_case, snapshot

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}


def found_severe(**answers: Any) -> World:
    world = open_case(answers=answers)
    world.says("assess", severity="severe", by="zhao")
    world.says("customer-approved")
    return world


def claim() -> World:
    order = {"declared_value": "500.00", "items": []}
    world = open_case("claim.damage", line="express", order=order, evidence=[PHOTO])
    world.says("evidence-received", evidence=[{"kind": "proof_of_value", "uri": "x"}])
    return world


def declined() -> World:
    world = late_by(6)
    world.says("customer-declined", reason="too little")
    return world


def undelivered() -> World:
    world = open_case()
    world.closed.add(Audience.CUSTOMER)
    world.says("assess", severity="moderate")
    return world


def no_rule() -> World:
    """A site check has found something that no rule of the policy is about."""
    policy = open_case().case.policy
    rules = [rule for rule in policy.remedies if rule.when.get("severity") != "minor"]
    world = open_case(policy=policy.model_copy(update={"remedies": rules}))
    world.says("assess", severity="minor")
    return world


STORIES: dict[str, Callable[[], World]] = {
    "finding_incomplete": open_case,
    "no_rule_fits": no_rule,
    "offer_needed": declined,
    "evidence": lambda: open_case("goods.damage", line="fresh_food"),
    "approval": over_limits,
    "offer_undelivered": undelivered,
    "consent": lambda: late_by(6),
    "satisfaction": found_severe,
    "step_blocked": lambda: found_severe(refund="refused"),
    "step_unknown": lambda: found_severe(refund="unknown"),
}


def only(world: World) -> NeedView:
    (need,) = needs(world.case)
    return need


@pytest.mark.parametrize("what", STORIES)
def test_case_shows_what_it_needs_and_every_example_is_accepted_unchanged(what: str) -> None:
    world = STORIES[what]()
    need = only(world)

    assert need.what == what
    for way in need.ways:
        here = world.case.model_copy(deep=True)
        receive(here, way.message, way.example, world.now)
        named = {field.name for field in way.fields}
        assert way.example.keys() <= named
        assert {field.name for field in way.fields if field.required} <= way.example.keys()


@pytest.mark.parametrize("what", STORIES)
def test_every_need_has_a_command_that_the_command_line_takes(what: str) -> None:
    for way in only(STORIES[what]()).ways:
        _, verb, *rest = shlex.split(command("HL-1", way.message, way.example))
        found = cli.get_command(click.Context(cli), verb)
        assert found is not None
        context = found.make_context(verb, list(rest))

        assert context.params["case"] == "HL-1"
        assert context.params["by"] == YOU


def test_an_incomplete_finding_says_which_field_is_missing_and_what_this_topic_takes() -> None:
    """G3."""
    need = only(open_case("installation.attitude"))
    severity = only(open_case())

    assert need.text == ("the finding is incomplete: upheld is missing; assess, or propose an offer")
    assert severity.text.startswith("the finding is incomplete: severity (minor, moderate or severe) is missing")
    (field,) = (f for f in severity.fields if f.name == "severity")
    assert field.as_json() == {
        "name": "severity",
        "type": "text",
        "values": ["minor", "moderate", "severe"],
        "required": True,
    }


def test_what_no_message_can_add_is_not_asked_for() -> None:
    """M11: the day of delivery is in the order and cannot be entered later."""
    world = open_case("return.unwanted", line="infant_formula", order={"items": []}, channel="email")
    world.says("assess", sealed=True)

    need = only(world)

    assert need.text.startswith("the finding is incomplete: order.delivered_at is not in the complaint")
    assert need.message == "propose"


def test_a_blocked_step_has_a_headline_its_amount_a_line_for_each_choice_and_the_key_last() -> None:
    """G6."""
    need = only(found_severe(refund="refused"))

    assert need.text.splitlines() == [
        "step refund is blocked: partner: refused",
        "  12800.00 CNY",
        "  retry: send it to refunds again",
        "  replace: drop the step; an agent makes another offer",
        "  waive: drop the step",
        "  key HL-1/1/o1/refund/2",
    ]


def test_the_retry_of_what_is_contested_asks_by_the_old_key_first() -> None:
    """S25, S27."""
    world = found_severe()
    world.says("step-reported", step="refund", state="failed", by="refunds")

    need = only(world)

    retry = "ask refunds about the earlier request; only if nothing was done, send it again under a new key"
    assert f"  retry: {retry}" in need.text.splitlines()


def test_a_claim_is_decided_under_a_name() -> None:
    """S20: or the one who prepared it could decide it."""
    need = only(claim())

    assert [f.required for way in need.ways for f in way.fields if f.name == "by"] == [True, True]


@pytest.mark.parametrize(("number", "chosen"), [("1", "wait"), ("2", "cancel"), ("２", "cancel"), ("cancel", "cancel")])
def test_number_of_an_option_chooses_it(number: str, chosen: str) -> None:
    """G5: by its place in the current offer."""
    world = late_by(6)

    world.says("customer-approved", option=number)

    assert world.offer.accepted == chosen


@pytest.mark.parametrize("number", ["0", "3", "-1", "1.0"])
def test_a_number_that_no_option_has_is_refused_with_those_there_are(number: str) -> None:
    """G5."""
    assert f"has no option {number}: it has 1 wait, 2 cancel" in late_by(6).refuses("customer-approved", option=number)


def test_the_snapshot_has_the_complaint_as_it_came() -> None:
    """G1."""
    customer = {"name": "王芳", "phone": "+8613800000001", "email": "wang@example.com"}
    world = open_case(customer=customer, wish="replace", description="断成两半")
    world.says("assess", severity="severe", affected=[{"sku": "SLATE-9", "quantity": 2}])

    complaint = json.loads(json.dumps(snapshot(world.case)))["complaint"]

    assert complaint["customer"] == {**customer, "locale": "zh-CN"}
    assert (complaint["description"], complaint["wish"], complaint["channel"]) == ("断成两半", "replace", "hotline")
    assert complaint["affected"] == [{"sku": "SLATE-9", "quantity": 1}]
    assert complaint["received_at"] == "2026-11-18T09:00:00+08:00"
    assert complaint["order"]["amount"] == "12800.00"


def test_the_page_in_the_ui_has_a_payload_to_paste_for_each_message() -> None:
    page = case_page(late_by(6).case)

    assert '`customer-approved` `{"offer": "o1", "option": "wait", "by": "YOU"}`' in page
    assert "`customer-declined`" in page


def test_the_page_in_the_ui_says_what_is_claimed_and_nothing_personal() -> None:
    """The customer and their text are for those who may read the workflow's input."""
    page = case_page(open_case(description="![x](http://evil.example/p.png)", wish="refund").case)

    assert "- received: 2026-11-18 09:00+08:00 by hotline" in page
    assert "- affected: `1 × SLATE-9`" in page
    assert "- wishes: refund" in page
    assert not any(secret in page for secret in ("Wei Li", "13800000000", "evil"))


def test_what_strangers_called_a_message_is_no_markdown_on_the_page() -> None:
    """A link or an image of theirs must not become one of the page."""
    world = open_case()
    refuse(world.case.refused, "![x](http://evil.example)`", {}, "there is no message ![x](http://evil.example)", START)

    assert "- `![x](http://evil.example)'` once, at" in case_page(world.case)


def test_the_page_in_the_ui_counts_refused_signals_with_the_last_sentence() -> None:
    """A signal has no answer, so its sender does not see the refusal."""
    world = open_case()
    for _ in range(3):
        refuse(world.case.refused, "step-reported", {"by": "crew"}, "HL-1 has no step 9; it has none yet", world.now)

    assert (
        "- `step-reported` 3 times, the last at 2026-11-18 09:00+08:00: `HL-1 has no step 9; it has none yet`"
        in case_page(world.case)
    )
