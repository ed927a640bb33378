"""Each mutation of `mutations.yaml` still has its place in the code, and its tests exist. Fast, so it always runs."""

import re
import subprocess
import sys

import pytest

from docs.tested import RULES
from settings import ROOT
from tests.guards.mutations import MUTATIONS, Mutation


def misplaced(mutation: Mutation) -> str | None:
    """Return why a mutation has no place in the current code, or None if it has one."""
    try:
        mutation.of((ROOT / mutation.file).read_text(encoding="utf-8"))
    except (LookupError, FileNotFoundError) as error:
        return str(error)
    return None


def missing(tests: list[str]) -> list[str]:
    """Return those of `tests` that pytest does not find."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = re.findall(r"^ERROR: (.*)$", done.stderr, re.MULTILINE)
    assert found or done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    return found


def test_every_mutation_has_its_place() -> None:
    assert [why for mutation in MUTATIONS if (why := misplaced(mutation))] == []


def test_tests_of_every_mutation_exist() -> None:
    assert missing(sorted({test for mutation in MUTATIONS for test in mutation.tests})) == []


def test_every_rule_of_the_semantics_has_a_mutation() -> None:
    traps = {rule for rule in RULES if rule.startswith("S")}
    assert traps - {mutation.rule for mutation in MUTATIONS} == set()


@pytest.mark.parametrize(
    ("file", "place", "source", "why"),
    [
        ("cases/money.py", "rounded", "no such line", "holds 0 times"),
        ("cases/money.py", "no_such_function", "return", "holds 0 times"),
        ("cases/money.py", "digits_of", "i", "mend mutations.yaml"),
        ("cases/none.py", "rounded", "return", "No such file"),
    ],
    ids=["gone", "function gone", "several", "no file"],
)
def test_mutation_whose_place_is_gone_is_reported(file: str, place: str, source: str, why: str) -> None:
    assert why in (misplaced(MUTATIONS[0]._replace(file=file, place=place, source=source)) or "")


TWO_PLACES = """
class Ledger:
    def pay(self):
        return self.left - self.taken


def pay():
    return self.left - self.taken
"""


@pytest.mark.parametrize(("place", "lines"), [("Ledger.pay", [4]), ("pay", [8])])
def test_mutation_changes_its_place_and_no_other(place: str, lines: list[int]) -> None:
    mutation = MUTATIONS[0]._replace(place=place, source="- self.taken", instead="+ 0")

    mutated = mutation.of(TWO_PLACES).splitlines()

    assert [number for number, line in enumerate(mutated, 1) if line.endswith("+ 0")] == lines


def test_missing_test_is_reported() -> None:
    [found] = missing([*MUTATIONS[0].tests, "tests/cases/progress/steps/test_steps.py::test_of_nothing"])
    assert "test_of_nothing" in found
