"""Amounts, times, languages and titles are formatted for the reader."""

from typing import Any

import pytest

from tests.messages.rendering import to_customer, to_staff


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("zh-CN", "退款 ¥12,800.00，单号 RF-7\n"),
        ("en", "- Refund of CN¥12,800.00, reference RF-7\n"),
    ],
)
def test_amounts_are_formatted_for_the_reader(locale: str, sentence: str) -> None:
    facts = {"done": [{"kind": "refund", "amount": "12800.00", "reference": "RF-7"}], "currency": "CNY"}

    assert sentence in to_customer("report", facts, locale).body


@pytest.mark.parametrize(
    ("currency", "amount"), [("CNY", "CN¥640.00"), ("USD", "$640.00"), ("JPY", "¥640"), ("XXX", "¤640.00")]
)
def test_amounts_have_their_currency(currency: str, amount: str) -> None:
    facts = {"done": [{"kind": "refund", "amount": "640.00"}], "currency": currency}

    assert f"- Refund of {amount}\n" in to_customer("report", facts).body


@pytest.mark.parametrize("currency", [None, "", "cny", 5, "CNYX"])
def test_amount_without_a_currency_is_left_out(currency: Any) -> None:
    facts = {"done": [{"kind": "refund", "amount": "640.00"}], "currency": currency}

    assert "- Refund\n" in to_customer("report", facts).body


@pytest.mark.parametrize(
    ("locale", "zone", "time"),
    [
        ("zh-CN", None, "11月18日 09:10"),
        ("en", None, "18 Nov, 09:10"),
        ("en", "Europe/London", "18 Nov, 01:10"),
        ("zh-CN", "Europe/London", "11月18日 01:10"),
        ("en", "Nowhere/Land", "18 Nov, 09:10"),
        ("en", "../../etc/passwd", "18 Nov, 09:10"),
        ("en", "Asia", "18 Nov, 09:10"),
    ],
)
def test_times_are_formatted_for_the_reader(locale: str, zone: str | None, time: str) -> None:
    text = to_customer("acknowledged", {"result_due": "2026-11-18T01:10:00Z", "timezone": zone}, locale)

    assert time in text.body


def test_time_without_an_offset_is_left_out() -> None:
    assert to_customer("acknowledged", {"result_due": "2026-11-18T09:10:00"}) == to_customer("acknowledged", {})


@pytest.mark.parametrize(
    ("locale", "spoken"),
    [
        ("zh-CN", "zh-CN"),
        ("zh_cn", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("zh-Hant-HK", "zh-CN"),
        ("zh", "zh-CN"),
        ("en", "en"),
        ("en-GB", "en"),
        ("fr-FR", "en"),
        ("", "en"),
    ],
)
def test_unsupported_language_falls_back(locale: str, spoken: str) -> None:
    assert to_customer("apology", {}, locale) == to_customer("apology", {}, spoken)
    assert to_staff("silence", {}, locale) == to_staff("silence", {}, spoken)


@pytest.mark.parametrize(("locale", "title"), [("zh-CN", "运输破损"), ("en", "Damage in transport")])
def test_topic_is_named_in_the_readers_language(locale: str, title: str) -> None:
    facts = {"topic": "transport.damage", "topic_title": {"zh-CN": "运输破损", "en": "Damage in transport"}}

    assert title in to_customer("acknowledged", facts, locale).body
    assert title in to_staff("silence", facts, locale).body


def test_topic_without_a_title_is_left_out_for_customers_and_spelled_out_for_staff() -> None:
    facts = {"topic": "transport.damage"}

    assert "transport.damage" not in to_customer("acknowledged", facts).body
    assert "Topic: transport.damage." in to_staff("silence", facts).body
