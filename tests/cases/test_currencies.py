"""An amount has the digits of its currency, as CLDR counts them; what we do not count in is refused (S30)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from babel.numbers import get_currency_precision

from cases.claim.claim import Claim, receive
from cases.claim.terms import claim_terms
from cases.errors import InvalidInput, Refusal
from cases.money import digits_of, excess_digits, rounded, unsupported_currency
from cases.state.case import Case
from tests.cases.lines import complaint_of, plan_line
from tests.cases.world import START, World, a_complaint, in_force, open_case, remedies_of
from tests.complaints import check_complaint


def faults(**order: Any) -> dict[str, str]:
    """The problems of an order, by field."""
    raw = a_complaint(order={"items": [], "freight": "0.00", **order}, affected=None)
    try:
        check_complaint(raw, START)
    except InvalidInput as error:
        return {problem.field: problem.problem for problem in error.problems}
    return {}


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("CNY", 2), ("USD", 2), ("HUF", 2), ("TWD", 2), ("IDR", 2), ("COP", 2), ("UYU", 2), ("JPY", 0), ("KRW", 0),
     ("VND", 0), ("CLP", 0), ("ISK", 0), ("XAF", 0), ("PYG", 0), ("RSD", 0), ("MGA", 0)],
)  # fmt: skip
def test_digits_come_from_cldr(currency: str, digits: int) -> None:
    """S30: some have fewer digits in cash (HUF, TWD), but payments are not cash."""
    assert (digits_of(currency), unsupported_currency(currency)) == (digits, None)
    assert get_currency_precision(currency) == digits


@pytest.mark.parametrize("currency", ["KWD", "BHD", "JOD", "OMR", "TND", "LYD"])
def test_currency_with_three_digits_is_refused_with_the_reason(currency: str) -> None:
    """S30: money is kept in hundredths."""
    problems = faults(amount="1000.00", currency=currency)

    assert list(problems) == ["order.currency"]
    assert "has 3 digits after the point, and only 2 are kept" in problems["order.currency"]


@pytest.mark.parametrize("currency", ["XXX", "XTS", "XAU", "UYW", "UYI", "CLF", "DEM", "ITL", "HRK", "ABC", "ZZZ"])
def test_currency_that_is_not_used_for_payments_is_refused(currency: str) -> None:
    """S30: unknown, withdrawn, or a unit of account."""
    assert set(faults(amount="1000.00", currency=currency)) == {"order.currency"}


@pytest.mark.parametrize("field", ["amount", "freight", "declared_value", "goods_value"])
@pytest.mark.parametrize(
    ("currency", "amount", "fine"),
    [("JPY", "1000.50", False), ("JPY", "1000.00", True), ("JPY", "1000", True), ("CLP", "100.50", False),
     ("CLP", "0.01", False), ("CNY", "100.50", True), ("HUF", "100.50", True)],
)  # fmt: skip
def test_an_amount_has_no_more_digits_than_its_currency(field: str, currency: str, amount: str, fine: bool) -> None:
    """S30: refused by its field."""
    order = {"amount": "2000.00", "currency": currency, field: amount}

    assert set(faults(**order)) == (set() if fine else {f"order.{field}"})


@pytest.mark.parametrize("zero", ["-0", "-0.00", "0", 0])
def test_zero_has_no_sign(zero: str | int) -> None:
    """S30: however it was written, it is written one way."""
    complaint = check_complaint(a_complaint(order={"freight": zero}), START)

    assert complaint.order
    assert complaint.order.model_dump(mode="json")["freight"] == "0.00"


def test_every_price_is_held_to_it() -> None:
    """S30."""
    items = [{"sku": sku, "quantity": 1, "unit_price": price} for sku, price in (("A", "1.00"), ("B", "1.50"))]
    raw = a_complaint(order={"amount": "9.00", "freight": "0.00", "currency": "KRW", "items": items}, affected=None)

    with pytest.raises(InvalidInput) as refused:
        check_complaint(raw, START)

    assert [str(p) for p in refused.value.problems] == [
        "order.items.1.unit_price: has digits after the point, and KRW has none"
    ]


@pytest.mark.parametrize(("digits", "expected"), [(0, "101.00"), (2, "100.50")])
def test_what_is_worked_out_is_rounded_to_the_currency_and_written_with_two_digits(digits: int, expected: str) -> None:
    """S30, S16."""
    assert str(rounded(Decimal("100.495"), digits)) == ("100.00" if digits == 0 else "100.50")
    assert str(rounded(Decimal("100.5"), digits)) == expected


def chilean(topic: str = "transport.damage", **more: Any) -> World:
    order = {"amount": "2010.00", "freight": "0.00", "currency": "CLP", "items": []}
    return open_case(topic, order=order, affected=None, **more)


def test_what_is_offered_in_a_currency_without_digits_has_none() -> None:
    """S30: 5 % of 2,010 pesos are 100.50, and are offered as 101."""
    world = chilean()

    world.says("assess", severity="minor")

    assert remedies_of(world.offer.options)["repair"]["coupon"] == {"amount": "101.00"}


def test_a_case_keeps_the_digits_that_it_began_with() -> None:
    """S30: another release of CLDR changes no replay."""
    world = chilean()
    assert world.case.policy.digits == 0
    world.case = Case.model_validate(world.case.model_dump(mode="json"))
    world.case.policy = world.case.policy.model_copy(update={"digits": 2})

    world.says("assess", severity="minor")

    assert remedies_of(world.offer.options)["repair"]["coupon"] == {"amount": "100.50"}
    assert world.case.policy.slice_for(world.case.complaint).digits == 2


@pytest.mark.parametrize(("amount", "taken"), [("100.50", False), ("100.00", True)])
def test_an_agents_offer_is_held_to_it(amount: str, taken: bool) -> None:
    """S30."""
    world, options = chilean(), [{"key": "own", "remedies": [{"kind": "coupon", "amount": amount}]}]

    if taken:
        assert world.says("propose", options=options, by="li")["applied"]
    else:
        why = world.refuses("propose", options=options, by="li")
        assert "propose: options.0.remedies.0.amount: has digits after the point, and CLP has none" in why


def test_what_goods_were_worth_is_held_to_it() -> None:
    """S30."""
    assert "assess: goods_value: has digits" in chilean().refuses("assess", goods_value="10.50")
    asked = {"complaint": complaint_of("express", "transport.damage", order={"currency": "JPY"})}
    answer = plan_line(json.dumps({**asked, "finding": {"goods_value": "10.50"}}), in_force(), START)
    assert [error["field"] for error in answer["errors"]] == ["finding.goods_value"]


def test_what_a_carrier_paid_is_held_to_it() -> None:
    """S30, B16."""
    terms = claim_terms(chilean("transport.loss").case)
    claim = Claim(terms=terms, documents=[])

    with pytest.raises(Refusal, match=r"claim-settled: recovered: has digits after the point, and CLP has none"):
        receive(claim, "claim-settled", {"recovered": "10.50"}, START)
    assert receive(claim, "claim-settled", {"recovered": "10.00"}, START)["applied"]


def test_a_case_that_is_older_than_the_rule_replays_as_it_was() -> None:
    """S30: the amount is accepted if the history was written without the rule."""
    assert list(excess_digits(Decimal("1.50"), "JPY", "amount"))
    terms = claim_terms(chilean("transport.loss").case)

    answer = receive(Claim(terms=terms, documents=[]), "claim-settled", {"recovered": "1.50"}, START, lambda _: False)

    assert answer["applied"]
