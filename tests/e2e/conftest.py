"""The command line where no server answers, and files for it to read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driving import Starter, starter_at, starter_here, unused_port


@pytest.fixture
def starter(capsys: pytest.CaptureFixture[str]) -> Starter:
    """The command line where no server answers."""
    return starter_here(f"127.0.0.1:{unused_port()}", capsys)


@pytest.fixture
def process() -> Starter:
    """The same as a process."""
    return starter_at(f"127.0.0.1:{unused_port()}")


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of these values, one JSON line each; text is written as it is."""

    def write(*contents: Any, name: str = "complaints.ndjson") -> Path:
        path = tmp_path / name
        path.write_text(
            "".join((c if isinstance(c, str) else json.dumps(c)) + "\n" for c in contents), encoding="utf-8"
        )
        return path

    return write
