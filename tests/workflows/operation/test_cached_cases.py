"""How many cases a worker keeps in memory, where nobody has set it."""

import os
from pathlib import Path

import pytest

import worker
from worker import cases_that_fit, usable_memory

GIB = 1024**3


@pytest.mark.parametrize(
    ("memory", "cases"), [(GIB // 8, 100), (GIB // 2, 256), (2 * GIB, 1024), (8 * GIB, 3000), (512 * GIB, 3000)]
)
def test_number_of_cached_cases_follows_the_memory_within_limits(memory: int, cases: int) -> None:
    assert cases_that_fit(memory) == cases


@pytest.mark.parametrize(
    ("limit", "expected"), [("536870912\n", 536870912), ("max\n", None), ("9223372036854771712", None), (None, None)]
)
def test_container_is_held_to_its_own_limit(
    limit: str | None, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit, or outside a container, it is the machine's memory."""
    file = tmp_path / "memory.max"
    if limit is not None:
        file.write_text(limit, encoding="utf-8")
    monkeypatch.setattr(worker, "MEMORY_LIMITS", (tmp_path / "nowhere", file))

    assert usable_memory() == (expected or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
