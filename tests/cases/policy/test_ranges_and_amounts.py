"""The small expressions of policy files: ranges, amounts and patterns of topics."""

import pytest

from cases.policy.amounts import amount
from cases.policy.conditions import bounds
from cases.policy.policy import matches


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1 to 2", [1, 1.5, 2], [0.99, 2.01]),
        ("over 5", [5.01, 6], [5, 4]),
        ("over 2 up to 24", [2.01, 24], [2, 24.01]),
        ("up to 2", [0, 2], [2.01]),
        ("under 1", [0, 0.99], [1]),
    ],
)
def test_a_range_holds_what_it_says(text: str, inside: list[float], outside: list[float]) -> None:
    assert all(bounds(text).hold(value) for value in inside)
    assert not any(bounds(text).hold(value) for value in outside)


@pytest.mark.parametrize("text", ["", "1-2", "2", "over", "1 to", "-1 to 2", "over 1 up to", "under -1", "1,5 to 2"])
def test_what_is_no_range_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="is not a range; write 1 to 2, over 5"):
        bounds(text)


@pytest.mark.parametrize(
    "text",
    ["", "5%", "% of order", "5% of orders", "-5% of order", "5 of order", "1% of order at most 5%", "x freight"],
)
def test_what_is_no_amount_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount; write 5% of order"):
        amount(text)


@pytest.mark.parametrize(
    ("pattern", "topic", "meant"),
    [
        ("*", "transport.delay", True),
        ("transport.*", "transport.delay", True),
        ("transport.delay", "transport.delay", True),
        ("transport.delay", "transport.delayed", False),
        ("transport.*", "transporter.delay", False),
        ("transport", "transport.delay", False),
    ],
)
def test_a_topic_is_meant_by_itself_by_its_area_or_by_all(pattern: str, topic: str, meant: bool) -> None:
    assert matches([pattern], topic) is meant
