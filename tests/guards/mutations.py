"""Read `mutations.yaml`: for each rule a plausible wrong implementation, and the tests that must fail on it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML


class Mutation(NamedTuple):
    """A plausible wrong implementation: `instead` replaces `source`, and `tests` must fail on it.

    `place` is the function, class or constant that holds `source`, such as `Promise.pause`; empty in a policy file.
    """

    rule: str
    wrong: str
    file: str
    source: str
    instead: str
    tests: list[str]
    place: str = ""

    def of(self, text: str) -> str:
        """Return `text` with the mutation; raise `LookupError` unless its place holds `source` exactly once."""
        start, end = _span(text, self.place) if self.file.endswith(".py") else (0, len(text))
        if (found := text.count(self.source, start, end)) != 1:
            what = f"{self.place} in {self.file} holds {found} times what a mutation replaces; mend mutations.yaml"
            raise LookupError(f"{what} ({self.rule}, {self.wrong}):\n{self.source}")
        at = text.index(self.source, start, end)
        return text[:at] + self.instead + text[at + len(self.source) :]


def _span(text: str, place: str) -> tuple[int, int]:
    """Return where the code of `place` starts and ends in `text`; an empty span if it does not exist."""
    spans = [span for name, span in _places(ast.parse(text)) if name == place]
    if len(spans) != 1:
        return 0, 0
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    first, last = spans[0]
    return starts[first - 1], starts[last]


def _places(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the qualified name, and the first and last line, of each function, class and constant."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                yield f"{prefix}{child.name}", (first, child.end_lineno or first)
                yield from _places(child, f"{prefix}{child.name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if isinstance(node, ast.Module | ast.ClassDef):  # a local variable is not a place
                    yield f"{prefix}{name}", (child.lineno, child.end_lineno or child.lineno)
            case _:
                yield from _places(child, prefix)


MUTATIONS = [Mutation(**row) for row in YAML(typ="safe").load(Path(__file__).with_name("mutations.yaml"))]
