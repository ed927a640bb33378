"""`python -m docs.tested`: write `docs/tested.md`, the list of tests for each rule.

A test covers a rule if its docstring or one of its parameters contains the rule's id.
"""  # noqa: INP001 (the documentation is not a package)

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("tested.md")
SHOWN = 4
"""Tests that are listed for each rule. The others are counted."""

RULES = [
    f"{letter}{number}"
    for letter, numbers in {
        "G": [*range(1, 14)],
        "B": [*range(1, 6), *range(10, 23)],
        "F": [*range(1, 6), *range(10, 17)],
        "M": [*range(1, 6), *range(10, 16)],
        "O": [*range(1, 7)],
        "E": [*range(1, 5), *range(10, 15)],
        "S": [*range(1, 36)],
    }.items()
    for number in numbers
]
"""Every rule of `docs/rules.md` and `docs/semantics.md`."""

_ID = re.compile(r"\b([GBFMOES])([0-9]{1,2})(?:[–-]\1?([0-9]{1,2}))?\b")


def named(text: str) -> set[str]:
    """Return the rule ids in a text. `F10–F15` names six."""
    return {
        f"{letter}{number}"
        for letter, first, last in _ID.findall(text)
        for number in range(int(first), int(last or first) + 1)
    } & set(RULES)


def shown_by() -> dict[str, list[str]]:
    """Return the tests of each rule, as `file::test`, in order."""
    found: dict[str, list[str]] = {rule: [] for rule in RULES}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, rules in _in(path):
            for rule in rules:
                found[rule].append(f"{path.relative_to(ROOT / 'tests')}::{name}")
    return found


def _in(path: Path) -> Iterator[tuple[str, set[str]]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            tried = [c.value for d in node.decorator_list for c in ast.walk(d) if isinstance(c, ast.Constant)]
            words = [ast.get_docstring(node) or "", *(value for value in tried if isinstance(value, str))]
            yield node.name, named(" ".join(words))


def page() -> str:
    """Return the content of the file."""
    lines = [
        "# Tests by rule",
        "",
        "Written by `python -m docs.tested` from the tests. A test fails if a rule has no test, or if this page is out",
        "of date. The rules are in [rules.md](rules.md) and [semantics.md](semantics.md).",
        "",
        "| rule | tests |",
        "| --- | --- |",
    ]
    for rule, shown in shown_by().items():
        more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
        lines.append(f"| {rule} | {', '.join(f'`{test}`' for test in shown[:SHOWN])}{more} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
