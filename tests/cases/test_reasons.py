"""A reason is a fact: each language has its own sentence for it, and the contract's fields the English one."""

from typing import Any

import pytest

from cases.reasons import SENTENCES, Reason, english
from cases.state.case import Case
from tests.cases.world import open_case, snapshot


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.of("declined", offer="o1"), "the customer declined o1"),
        (Reason.of("partner_says", who="refunds", words="account closed"), "refunds says: “account closed”"),
        (
            Reason.of("over_amount", option="own", kind="freight_refund", amount="30.00", limit="20.00"),
            "own: freight refund 30.00 is over 20.00",
        ),
        (
            Reason.of("over_paid", amount="9.00", currency="CNY", order="SO-1", paid="10.00", taken="5.00"),
            "9.00 CNY cannot be refunded on order SO-1: 10.00 was paid, 5.00 is refunded or reserved already",
        ),
        (
            Reason.of("no_channel", tried=["sms", "email"]),
            "the customer cannot be reached (sms, email): no configured channel has an address",
        ),
        (Reason(code="from_a_newer_version", params={"x": 1}), "from a newer version"),
        ("somebody's own words", "somebody's own words"),
    ],
)
def test_a_reason_has_an_english_sentence(reason: Any, sentence: str) -> None:
    assert english(reason) == str(reason) == sentence


def test_a_reason_holds_another() -> None:
    """S15: what the limit refused says who may approve it."""
    reason = Reason.of("approvable", because=Reason.of("partner_failed", who="refunds"))

    assert str(reason).startswith("refunds could not carry it out; a person who did not prepare it")
    assert reason == Reason.model_validate_json(reason.model_dump_json())


@pytest.mark.parametrize("code", SENTENCES)
def test_no_sentence_breaks_where_a_parameter_is_missing(code: str) -> None:
    assert "{" not in str(Reason(code=code))


def test_a_case_that_holds_plain_sentences_is_read_and_shown_as_before() -> None:
    """Cases that began before there were codes."""
    world = open_case("transport.damage", answers={"replacement": "refused"})
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    state = world.case.model_dump(mode="json")
    state["steps"][0]["reason"] = "Out of stock."
    state["offers"][0]["over_limits"] = ["own: the policy grants no gift here"]
    state["needs_offer"] = "replacement is to be replaced"

    shown = snapshot(Case.model_validate(state))

    assert shown["steps"][0]["reason"] == "Out of stock."
    assert shown["offers"][0]["over_limits"] == ["own: the policy grants no gift here"]


def test_the_snapshot_says_reasons_as_sentences() -> None:
    """The contract's `reason` and `over_limits` are sentences."""
    world = open_case("transport.damage", answers={"replacement": "failed"})
    world.says("propose", by="li", options=[{"key": "own", "remedies": [{"kind": "gift"}]}])

    assert snapshot(world.case)["offers"][0]["over_limits"] == ["own: the policy grants no gift here"]
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    assert snapshot(world.case)["steps"][0]["reason"] == "warehouse could not carry it out"
