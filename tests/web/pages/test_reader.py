"""Times, amounts and languages as one reader expects them."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Request

from web.pages.addresses import local
from web.pages.reader import Reader, reader_of

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
ENGLISH, CHINESE = Reader("en", "Asia/Shanghai", NOW), Reader("zh-CN", "Asia/Shanghai", NOW)


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def test_time_is_in_the_zone_of_the_reader_and_as_short_as_possible() -> None:
    assert ENGLISH.time(NOW) == "16:00"
    assert CHINESE.time(NOW - timedelta(days=2)) == "11月26日 16:00"
    assert Reader("en", "Europe/Berlin", NOW).time(NOW) == "09:00"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (20, "in 1 min.", "1分钟后"),
        (35 * 60, "in 35 min.", "35分钟后"),
        (-100 * 60, "100 min. ago", "100分钟前"),
        (5 * 3600, "in 5 hr.", "5小时后"),
        (-3 * 86400, "3 days ago", "3天前"),
    ],
)
def test_deadline_is_relative_to_now(seconds: int, english: str, chinese: str) -> None:
    at = NOW + timedelta(seconds=seconds)

    assert (ENGLISH.from_now(at), CHINESE.from_now(at)) == (english, chinese)


def test_names_of_the_domain_are_words() -> None:
    assert ENGLISH.name("awaiting_consent", "status") == "Awaiting consent"
    assert CHINESE.name("awaiting_consent", "status") == "等待客户答复"
    assert ENGLISH.name(None, "status") == "–"


@pytest.mark.parametrize(
    ("headers", "locale"),
    [
        ({"accept_language": "de, zh-TW;q=0.8, en;q=0.9"}, "en"),
        ({"accept_language": "zh-Hans-CN,zh;q=0.9"}, "zh-CN"),
        ({"accept_language": "fr"}, "en"),
        ({"accept_language": "en;q=x, zh"}, "zh-CN"),
        ({"accept_language": "en", "cookie": "language=zh-CN"}, "zh-CN"),
        ({"accept_language": "zh", "cookie": "language=../../etc"}, "zh-CN"),
        ({}, "en"),
    ],
)
def test_language_is_the_chosen_one_else_that_of_the_browser(headers: dict[str, str], locale: str) -> None:
    assert reader_of(request(**headers), NOW).locale == locale


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("zone=Europe/Berlin", "Europe/Berlin"),
        ("zone=../../etc/passwd", "Asia/Shanghai"),
        ("zone=Nowhere", "Asia/Shanghai"),
        ("zone=", "Asia/Shanghai"),
    ],
)
def test_unknown_zone_is_ignored(cookie: str, zone: str) -> None:
    assert reader_of(request(cookie=cookie), NOW).zone.key == zone


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "evil", "", None, "/ä"],
)
def test_redirects_stay_on_this_server(address: str | None) -> None:
    assert local(address, "/desk") == "/desk"


def test_path_with_a_query_is_local() -> None:
    assert local("/desk?line=express&after=x%2Fy") == "/desk?line=express&after=x%2Fy"
