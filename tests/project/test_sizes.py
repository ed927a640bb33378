"""Modules and folders stay small enough to be read at once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from settings import ROOT

MODULES = 14
"""Modules in one folder, without `__init__.py`."""
LINES, LINES_OF_TESTS = 350, 400
"""Lines of one module."""


def modules(root: Path) -> Iterator[Path]:
    """Our modules, relative to `root`."""
    for path in (path.relative_to(root) for path in root.rglob("*.py")):
        if not any(part.startswith(".") for part in path.parts) and path.parts[0] not in ("build", "data"):
            yield path


def too_long(root: Path) -> list[str]:
    """Modules in packages that have more lines than they may have."""
    return [
        path.as_posix()
        for path in modules(root)
        if len(path.parts) > 1
        and len((root / path).read_text(encoding="utf-8").splitlines())
        > (LINES_OF_TESTS if path.parts[0] == "tests" else LINES)
    ]


def too_full(root: Path) -> list[str]:
    """Folders that hold more modules than they may hold."""
    held = Counter(path.parent.as_posix() for path in modules(root) if path.name != "__init__.py")
    return [folder for folder, count in held.items() if count > MODULES]


def test_no_module_is_too_long() -> None:
    assert too_long(ROOT) == []


def test_no_folder_holds_too_many_modules() -> None:
    assert too_full(ROOT) == []


def test_what_is_too_large_is_found(tmp_path: Path) -> None:
    for folder, lines in (("cases", LINES), ("tests", LINES_OF_TESTS)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "long.py").write_text("x\n" * (lines + 1), encoding="utf-8")
        for number in range(MODULES - 1):
            (tmp_path / folder / f"m{number}.py").write_text("x\n" * lines, encoding="utf-8")
    (tmp_path / "cases" / "__init__.py").touch()
    (tmp_path / "tests" / "one_more.py").touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "long.py").write_text("x\n" * 1000, encoding="utf-8")

    assert sorted(too_long(tmp_path)) == ["cases/long.py", "tests/long.py"]
    assert too_full(tmp_path) == ["tests"]
