"""G13: the message to the readers of a review."""

import pytest

from messages import EVENTS, LOCALES, render_staff

SUBJECTS = {"en": "Service review: Nov 1, 2026 – Nov 30, 2026", "zh-CN": "服务复盘：2026年11月1日 至 2026年11月30日"}


@pytest.mark.parametrize("locale", LOCALES)
def test_it_is_about_a_period_and_not_about_a_case(locale: str) -> None:
    """G13: three sentences, and where the whole is."""
    [facts] = EVENTS["review"].examples

    text = render_staff(EVENTS["review"].notice("review", facts), locale)

    assert text.subject == SUBJECTS[locale]
    assert "HL-20261118-0001" not in text.body
    for name in ("decide", "kept", "satisfied"):
        assert facts[name][locale] in text.body
    assert text.body.endswith(facts["folder"])
