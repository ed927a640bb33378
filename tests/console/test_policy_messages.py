"""Messages to customers and staff can be previewed before one is sent."""

import pytest
from click.testing import CliRunner, Result

from messages import EVENTS, LOCALES
from starter import cli


def shown(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["policy", "messages", *arguments])


def test_every_message_is_shown_in_every_language() -> None:
    said = shown().output

    headings = {line for line in said.splitlines() if line.startswith("── ")}
    assert headings == {f"── {locale} · {e.audience} · {name}" for locale in LOCALES for name, e in EVENTS.items()}


def test_one_message_is_shown_in_one_language() -> None:
    said = shown("preliminary_plan", "--locale", "zh-CN").output

    assert "初步处理方案" in said
    assert said.count("── ") == 1


@pytest.mark.parametrize(("wanted", "named"), [(["nope"], "acknowledged"), (["--locale", "xx"], "zh-CN")])
def test_unknown_name_is_refused_with_the_known_ones(wanted: list[str], named: str) -> None:
    result = shown(*wanted)

    assert result.exit_code == 2
    assert named in result.output
