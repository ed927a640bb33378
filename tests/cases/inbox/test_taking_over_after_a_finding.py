"""What a second complaint adds to a finding that was made already goes to a person (G12)."""

from datetime import timedelta
from typing import Any

import pytest

from cases.inbox.receiving import receive
from cases.views.needs import needs
from cases.vocabulary import Status
from tests.cases.inbox.merging import PHOTO, first, judged, merge, offered, second
from tests.cases.world import START, World, a_trail, moved, snapshot


def assessed() -> World:
    one = first(("A", 1))
    one.says("assess", upheld=True, by="li")
    return one


def executing() -> World:
    one = offered()
    one.says("customer-approved")
    return one


def following_up() -> World:
    one = executing()
    one.says("step-reported", step="replacement", state="done")
    one.says("step-reported", step="collection", state="done")
    return one


@pytest.mark.parametrize("story", [assessed, offered, executing, following_up])
@pytest.mark.parametrize(
    ("claims", "new"),
    [
        ({"affected": [("B", 1)]}, "1 × B"),
        ({"affected": [("A", 1)], "wish": "refund"}, "wishes refund"),
        ({"affected": [("A", 1)], "description": "and it smells"}, "says more"),
        ({"affected": [("A", 1)], "description": "broken", "evidence": [PHOTO]}, "shows photo"),
    ],
    ids=["items", "wish", "words", "evidence"],
)
def test_what_is_new_to_a_finding_that_was_made_goes_to_a_person(story: Any, claims: Any, new: str) -> None:
    """G12: the agents are notified, and the case shows what it is and what to do."""
    one = story()
    before = len(one.letters("needs_offer"))
    items = claims["affected"]
    said = {name: value for name, value in claims.items() if name != "affected"}

    merge(one, second(*items, **said))

    assert new in judged(one)[0]
    assert [x.facts["reason"]["code"] for x in one.letters("needs_offer")[before:]] == ["second_complaint"]
    assert snapshot(one.case)["second_complaints"][0]["judged"] is False


@pytest.mark.parametrize("story", [assessed, offered, executing, following_up])
def test_what_a_case_says_of_a_second_complaint_can_be_done_as_it_stands(story: Any) -> None:
    one = story()
    merge(one, second(("B", 1)))

    for need in needs(one.case):
        for way in need.ways:
            receive(one.case.model_copy(deep=True), way.message, way.example, one.now)


def test_an_open_offer_is_replaced_when_an_agent_has_looked_at_what_is_new() -> None:
    one = offered()
    merge(one, second(("B", 1)))

    one.says("assess", upheld=True, by="li")

    assert one.offer.id == "o2"
    assert [i["sku"] for i in one.options["replace"]["replacement"]["items"]] == ["A", "B"]
    assert judged(one) == []


def test_what_was_agreed_is_carried_out_and_then_an_agent_offers_what_is_new() -> None:
    """G12: the case is not closed over it, and what was granted is not granted again."""
    one = executing()
    merge(one, second(("B", 1)))
    one.says("step-reported", step="replacement", state="done")
    one.says("step-reported", step="collection", state="done")

    assert one.status is Status.ASSESSING
    (need,) = needs(one.case)
    assert need.example["affected"] == [{"sku": "B", "quantity": 1}]
    one.says("assess", **need.example)
    assert one.options["replace"]["replacement"]["items"] == [{"sku": "B", "quantity": 1}]


def test_approval_of_the_first_offer_does_not_settle_the_second_complaint() -> None:
    one = offered()
    merge(one, second(("B", 1)))
    one.says("customer-approved")
    one.says("step-reported", step="replacement", state="done")
    one.says("step-reported", step="collection", state="done")

    assert one.status is Status.ASSESSING
    assert "1 × B" in judged(one)[0]


def test_silence_to_an_offer_does_not_close_over_what_nobody_has_judged() -> None:
    """G5, G12."""
    one = offered()
    merge(one, second(("B", 1)))

    one.after(days=8)

    assert (one.status, one.case.outcome) == (Status.ASSESSING, None)


def test_nothing_is_offered_by_itself_before_a_person_has_looked() -> None:
    """G12: a technician's finding comes after the second complaint."""
    one = first(topic="installation.defect")
    one.says("assess", upheld=True, by="li")
    two = second(topic="installation.defect", wish="cancel", looked_up=False)
    merge_before_it_began(one, two)

    one.says("step-reported", step="inspection", state="done", finding={"severity": "severe"})

    assert (one.status, one.case.offers) == (Status.ASSESSING, [])
    one.says("assess", severity="severe", by="li")
    assert one.case.offers


def merge_before_it_began(one: World, two: World) -> None:
    """A second case that has been merged before its own site check began."""
    two.case.steps.clear()
    merge(one, two)


def test_what_an_agent_found_in_the_second_case_is_not_lost() -> None:
    """G3, G12: they had assessed it before it was merged, while our records were down."""
    one, two = first(("A", 1)), second(("B", 1))
    two.says("assess", severity="severe", by="zhao")

    merge(one, two)

    assert "found there: severity severe" in judged(one)[0]


def test_before_anything_was_found_a_second_complaint_needs_nobody() -> None:
    """G12: both are judged together."""
    trail = a_trail(promised_at=START - timedelta(days=4), events=moved(START))
    one = first(topic="transport.delay", looked_up=False)
    merge(one, second(topic="transport.delay", looked_up=False, wish="compensate"))

    for what, answer in (("trail", trail), ("dispatch", None)):
        one.finds(what, answer)

    assert one.status is Status.AWAITING_CONSENT
    assert judged(one) == []
