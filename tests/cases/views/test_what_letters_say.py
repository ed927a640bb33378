"""What customers read is true: no prevention of what did not happen, no inner numbers, no offer of nothing."""

from datetime import timedelta
from typing import Any

import pytest

from cases.vocabulary import Outcome
from tests.cases.world import START, World, a_trail, moved, open_case

PARCEL = {"amount": "28.00", "freight": "28.00", "goods_value": "300.00", "items": []}
SHOWN = [{"kind": kind, "uri": "s3://1"} for kind in ("photo", "inspection_report")]


def the_report(world: World) -> dict[str, Any]:
    [report] = world.letters("report")
    return report.facts


def found_again() -> World:
    """A parcel that a search has found."""
    trail = a_trail(events=moved(START - timedelta(days=4)))
    world = open_case("transport.loss", trail=trail, line="express", affected=None, order=PARCEL)
    world.says("step-reported", step="search", state="done", finding={"lost": False}, by="l")
    return world


def test_nothing_is_prevented_that_did_not_happen() -> None:
    """G9: the report of a case that closed as rejected names no prevention."""
    assert found_again().case.outcome is Outcome.REJECTED
    assert the_report(found_again())["prevention"] is None


def test_customer_is_informed_that_the_parcel_has_been_found() -> None:
    """E13."""
    texts = [text.body for text in found_again().texts]

    assert any("We have found your parcel." in body for body in texts)
    assert any("您的包裹已经找到" in body for body in texts)


def test_a_message_of_ours_has_no_number_for_the_customer() -> None:
    """G9."""
    world = open_case("goods.safety", line="fresh_food", evidence=SHOWN)
    world.says("assess", upheld=False, cause="c", by="a")
    world.says("step-reported", step="collection", state="done", by="l")

    done = {step["kind"]: step["reference"] for step in the_report(world)["done"]}
    assert done["stop_use_notice"] is None
    assert done["collection"] is not None


def test_the_answer_to_an_inquiry_is_not_called_a_cause() -> None:
    """M14."""
    world = open_case("inquiry", line="infant_formula")
    world.says("assess", cause="until 18:00", by="a")

    assert the_report(world)["finding"] == {}


def test_a_stop_use_notice_names_the_goods_as_the_customer_knows_them() -> None:
    """F11."""
    world = open_case("goods.safety", line="fresh_food", evidence=SHOWN)

    assert any("Affected goods: Slate × 1." in text.body for text in world.texts)


def test_refused_withdrawal_suggests_declining_only_if_there_is_an_offer() -> None:
    """G12."""
    world = open_case("goods.safety", line="fresh_food", evidence=SHOWN)
    assert "decline the offer" not in world.refuses("complaint-withdrawn", reason="r", by="c")

    world.says("assess", upheld=True, liable="supplier", by="a")

    assert "decline the offer" in world.refuses("complaint-withdrawn", reason="r", by="c")


@pytest.mark.parametrize(
    ("line", "topic", "evidence", "comes_next"),
    [
        ("building_materials", "transport.damage", [], "verify"),
        ("fresh_food", "goods.damage", [], "evidence"),
        ("fresh_food", "goods.damage", SHOWN, "verify"),
        ("infant_formula", "inquiry", [], "answer"),
        ("express", "transport.loss", [], "search"),
        ("express", "tracking", [], "verify"),
        ("express", "suggestion", [], "answer"),
    ],
)
def test_the_acknowledgement_says_what_comes_next(
    line: str, topic: str, evidence: list[dict[str, str]], comes_next: str
) -> None:
    """G2."""
    world = open_case(topic, line=line, evidence=evidence)

    assert [letter.facts["next"] for letter in world.letters("acknowledged")] == [comes_next]
