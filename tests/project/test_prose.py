"""No line of prose is longer than an editor shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 120

PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if ".venv" not in path.relative_to(ROOT).parts
)


def too_long(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines of prose that are too long. Tables and code blocks cannot be wrapped and do not count."""
    in_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and len(line) > LONGEST and not line.startswith("|"):
            yield number, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_line_of_prose_is_too_long(page: Path) -> None:
    assert list(too_long(page.read_text(encoding="utf-8"))) == []


def test_long_line_is_found_but_not_in_tables_and_code() -> None:
    long = "x" * (LONGEST + 1)

    assert list(too_long(f"short\n{long}\n| {long} |\n```sh\n{long}\n```\n{long}")) == [(2, long), (7, long)]
