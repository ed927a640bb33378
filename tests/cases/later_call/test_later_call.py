"""G13: some time after a case has closed, an agent is asked to call, again and again until there is an answer."""

from datetime import timedelta
from typing import Any

import pytest

from cases.errors import Refusal
from cases.later_call.later_call import ANSWERED, LaterCall, LaterCallView, keep_refused, later_call_terms, receive
from cases.policy.policy import LaterCallRule
from cases.vocabulary import LinkKind, Role
from tests.cases.world import World, in_force, open_case

DAY = timedelta(days=1)
RETURN = "return.quality"
PHOTOS = [{"kind": "photo", "uri": "s3://p"}, {"kind": "batch_number", "uri": "b-1"}]
ANSWER = {"score": 5, "comment": "the child takes it well", "by": "li.na"}


def closed(topic: str = RETURN, score: int = 5) -> World:
    """A case about infant formula that was remedied."""
    policy = in_force()["infant_formula"]
    items = [{"sku": "TIN-2", "name": "Formula", "quantity": 2, "unit_price": "199.00"}]
    order = {"amount": "398.00", "freight": "0.00", "items": items}
    world = open_case(topic, policy=policy, order=order, evidence=PHOTOS, line="infant_formula", affected=None)
    world.says("assess", upheld=True, by="li.na")
    world.says("customer-approved", option="refund")
    world.says("step-reported", step="collection", state="done")
    world.says("satisfaction-reported", score=score)
    return world


def call() -> LaterCall:
    terms = later_call_terms(closed().case)
    assert terms is not None
    return LaterCall(terms=terms)


def test_agent_of_the_case_is_asked_thirty_days_after_closing_and_twice_more() -> None:
    """G13: a week apart; then it is given up."""
    world = closed()
    terms = later_call_terms(world.case)
    assert terms is not None
    assert world.case.closed_at is not None
    later = LaterCall(terms=terms)

    asked, times = [], []
    while later.open:
        times.append(later.next_at - world.case.closed_at)
        asked.append(later.ask(later.next_at))

    assert times == [30 * DAY, 37 * DAY, 44 * DAY, 51 * DAY]
    keys = [f"later-call-{world.case.id}/{number}" for number in (1, 2, 3)]
    assert [notice and notice.key for notice in asked] == [*keys, None]
    notice = asked[0]
    assert notice is not None
    assert (notice.role, notice.team, notice.case_id) == (Role.OWNER, "quality", world.case.id)
    assert later.given_up_at == world.case.closed_at + 51 * DAY


@pytest.mark.parametrize(
    ("change", "is_called"),
    [
        ({}, True),
        ({"outcome": "unreachable"}, True),
        ({"outcome": "withdrawn"}, False),
        ({"outcome": "no_response"}, False),
        ({"links": [{"kind": LinkKind.MERGED_INTO, "case": "HL-2"}]}, False),
        ({"closed_at": None}, False),
    ],
)
def test_only_customers_for_whom_something_was_done_are_called(change: dict[str, Any], is_called: bool) -> None:
    """G13."""
    case = closed().case.model_copy(update=change)

    assert (later_call_terms(case) is not None) is is_called


def test_only_lines_and_topics_whose_policy_asks_for_it_are_called_about() -> None:
    """G13: inquiries are not."""
    lines = {line for line, policy in in_force().items() if policy.later_call}
    policy = in_force()["infant_formula"]
    assert lines == {"infant_formula"}
    assert closed().case.policy.later_call == policy.later_call
    inquiry = open_case("inquiry", policy=policy, line="infant_formula")
    assert inquiry.case.policy.later_call is None


def test_policy_may_give_only_the_time() -> None:
    rule = LaterCallRule.model_validate("30 days")

    assert (rule.after, rule.topics, rule.attempts, rule.every) == ("30 days", ["*"], 3, "7 days")
    with pytest.raises(ValueError, match="later calls cannot count working time"):
        LaterCallRule.model_validate("30 working days")


def test_answer_is_kept_once() -> None:
    """G13: also before the call is due, because the customer may call first."""
    later = call()

    assert receive(later, ANSWERED, ANSWER, later.terms.due_at - DAY) == {"applied": True}

    kept = LaterCallView.of(later)
    assert (kept.score, kept.comment, kept.by, kept.reached, kept.asked) == (5, ANSWER["comment"], "li.na", True, 0)
    assert not later.open
    with pytest.raises(Refusal, match=r"was answered on .*, entered by li.na; nothing changes it"):
        receive(later, ANSWERED, {**ANSWER, "score": 1}, later.terms.due_at)


def test_customer_who_was_not_reached_is_not_called_again() -> None:
    later = call()

    receive(later, ANSWERED, {"reached": False, "by": "li.na"}, later.terms.due_at)

    kept = LaterCallView.of(later)
    assert (kept.reached, kept.score, later.open) == (False, None, False)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"by": "li.na"}, "give a score or a comment, or reached: false"),
        ({"by": "li.na", "comment": "  "}, "give a score or a comment"),
        ({"by": "li.na", "score": 6}, "score: input should be less than or equal to 5"),
        ({"by": "li.na", "score": 3, "reached": False}, "a customer who was not reached gave no score"),
        ({"score": 3}, "by: is required"),
        (None, "by: is required"),
        ("good", "takes a JSON object"),
    ],
)
def test_answer_that_says_nothing_is_refused_with_a_sentence(payload: Any, why: str) -> None:
    later = call()
    before = later.model_copy(deep=True)

    with pytest.raises(Refusal) as refused:
        receive(later, ANSWERED, payload, later.terms.due_at)

    assert why in str(refused.value)
    assert later == before
    assert keep_refused(later, ANSWERED, payload, refused.value, later.terms.due_at)


def test_message_id_is_applied_once() -> None:
    """Contract, *Messages*."""
    later = call()
    receive(later, ANSWERED, {**ANSWER, "message_id": "m-1"}, later.terms.due_at)

    answer = receive(later, ANSWERED, {**ANSWER, "message_id": "m-1"}, later.terms.due_at)

    assert answer == {"applied": False, "why": "message m-1 was applied before"}
