"""G13: what the notices about an improvement measure say."""

import re

import click
import pytest

from messages import EVENTS, LOCALES, Text, render_staff
from starter import cli

OF_MEASURES = [name for name in EVENTS if name.startswith("measure_")]
SUBJECTS = {
    "en": [
        "Measure due on 2026-12-15: change the carrier, carrier Swift",
        "Measure overdue since 2026-12-15: change the carrier, carrier Swift",
        "Measure done: change the carrier, carrier Swift",
        "Measure dropped: change the carrier, carrier Swift",
    ],
    "zh-CN": [
        "改进措施 2026-12-15 到期：承运商 Swift，更换承运商",
        "改进措施已逾期（2026-12-15 到期）：承运商 Swift，更换承运商",
        "改进措施已完成：承运商 Swift，更换承运商",
        "改进措施已取消：承运商 Swift，更换承运商",
    ],
}


def notices(event: str, locale: str) -> list[Text]:
    return [render_staff(EVENTS[event].notice(event, facts), locale) for facts in EVENTS[event].examples]


@pytest.mark.parametrize("locale", LOCALES)
def test_subject_names_the_measure(locale: str) -> None:
    assert [text.subject for event in OF_MEASURES for text in notices(event, locale)] == SUBJECTS[locale]


@pytest.mark.parametrize("locale", LOCALES)
def test_body_begins_with_the_measure_and_not_with_a_case(locale: str) -> None:
    bodies = [text.body for event in OF_MEASURES for text in notices(event, locale)]

    assert all(body.startswith({"en": "Measure carrier-", "zh-CN": "改进措施 carrier-"}[locale]) for body in bodies)
    assert all("li.na" in body for body in bodies)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", ["measure_due", "measure_overdue"])
def test_commands_of_a_notice_exist_with_their_options(event: str, locale: str) -> None:
    group = cli.commands["measure"]
    assert isinstance(group, click.Group)
    lines = re.findall(r"starter\.py measure (\w+) \S+ (.*)", notices(event, locale)[0].body)

    assert [verb for verb, _ in lines] == ["done", "drop"]
    for verb, options in lines:
        known = {name for param in group.commands[verb].params for name in param.opts}
        assert set(re.findall(r"--[a-z]+", options)) <= known
