"""Every path in the guides for contributors exists."""

import re
from pathlib import Path

import pytest

from settings import ROOT

GUIDES = ("CONTRIBUTING.md", "docs/changing.md")
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|lock|yml))`")
LINKED = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def paths(guide: str) -> set[str]:
    text = (ROOT / guide).read_text(encoding="utf-8")
    linked = {str((ROOT / guide).parent / link) for link in LINKED.findall(text)}
    return {str(ROOT / named) for named in NAMED.findall(text)} | linked


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_in_a_guide_exists(guide: str) -> None:
    named = paths(guide)

    assert len(named) > 5
    assert {path for path in named if not Path(path).exists()} == set()
