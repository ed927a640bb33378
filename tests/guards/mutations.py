"""The table of mutations, `mutations.yaml`: each rule, one plausible wrong implementation of it, and its tests."""

from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML


class Mutation(NamedTuple):
    """One plausible wrong implementation: `instead` in place of `source`, and the tests that have to fail on it."""

    rule: str
    wrong: str
    file: str
    source: str
    instead: str
    tests: list[str]

    def of(self, text: str) -> str:
        """`text` with the mutation; raises `LookupError` unless what it replaces stands there exactly once."""
        if (found := text.count(self.source)) != 1:
            what = f"{self.file} holds {found} times what a mutation replaces; mend mutations.yaml"
            raise LookupError(f"{what} ({self.rule}, {self.wrong}):\n{self.source}")
        return text.replace(self.source, self.instead)


MUTATIONS = [Mutation(**row) for row in YAML(typ="safe").load(Path(__file__).with_name("mutations.yaml"))]
