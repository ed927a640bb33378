"""Each guard is shown to bite: what it guards is made wrong in a copy of the project, and the tests notice.

The table is `mutations.yaml`. A mutation that no test notices is a rule that nothing guards.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

from docs.tested import RULES
from settings import ROOT
from tests.guards.trial import Trial, Verdict

pytestmark = [pytest.mark.e2e, pytest.mark.long]


class Mutation(NamedTuple):
    """One plausible wrong implementation: `instead` in place of `source`, and the tests that have to fail on it."""

    rule: str
    wrong: str
    file: str
    source: str
    instead: str
    tests: list[str]


MUTATIONS = [Mutation(**row) for row in YAML(typ="safe").load(Path(__file__).with_name("mutations.yaml"))]
TRAPS = [rule for rule in RULES if rule.startswith("S")]
STUMBLED = re.compile(r"^E +(Name|Attribute|Type|Import|Syntax|Indentation)Error", re.MULTILINE)


def unnoticed(mutation: Mutation, verdict: Verdict) -> str | None:
    """Why the tests do not show that the guard bites; None: they do."""
    if verdict.code == pytest.ExitCode.OK:
        return f"{mutation.rule} is unguarded: {mutation.wrong}, and {', '.join(mutation.tests)} still pass"
    if verdict.code < 0:
        return f"{mutation.rule}: the tests never ended; let the mutation in mutations.yaml be one that ends"
    if verdict.code != pytest.ExitCode.TESTS_FAILED or STUMBLED.search(verdict.said):
        return f"{mutation.rule}: the mutation breaks the program, not the rule; mend mutations.yaml:\n{verdict.said}"
    return None


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A copy of the project, in which all tests that are to fail pass as long as nothing is wrong."""
    made = Trial(ROOT, tmp_path_factory.mktemp("guards") / "project")
    try:
        verdict = made.run(sorted({test for mutation in MUTATIONS for test in mutation.tests}), remember=True)
        assert verdict.code == pytest.ExitCode.OK, f"they fail though nothing is wrong:\n{verdict.said}"
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.rule}: {mutation.wrong}")
def test_what_is_wrong_is_noticed(trial: Trial, mutation: Mutation) -> None:
    with trial.bent(mutation.file, mutation.source, mutation.instead):
        verdict = trial.run(["-x", *mutation.tests])

    assert unnoticed(mutation, verdict) is None


def test_every_trap_of_the_semantics_has_a_mutation() -> None:
    assert set(TRAPS) - {mutation.rule for mutation in MUTATIONS} == set()


def test_a_change_that_no_test_notices_is_told_by_its_rule(trial: Trial) -> None:
    """The harness itself can fail."""
    harmless = MUTATIONS[0]._replace(instead=MUTATIONS[0].source)
    with trial.bent(harmless.file, harmless.source, harmless.instead):
        verdict = trial.run(harmless.tests)

    assert (unnoticed(harmless, verdict) or "").startswith(f"{harmless.rule} is unguarded")


def test_a_change_that_breaks_the_program_shows_nothing(trial: Trial) -> None:
    broken = MUTATIONS[0]
    with trial.bent(broken.file, broken.source, "no_such_name()"):
        verdict = trial.run(broken.tests)

    assert "breaks the program, not the rule" in (unnoticed(broken, verdict) or "")


def test_every_mutation_has_its_place(trial: Trial) -> None:
    for mutation in MUTATIONS:
        with trial.bent(mutation.file, mutation.source, mutation.instead):
            assert mutation.instead in (trial.folder / mutation.file).read_text(encoding="utf-8")


def test_a_mutation_whose_place_is_gone_says_so(trial: Trial) -> None:
    with (
        pytest.raises(LookupError, match=r"mend mutations\.yaml"),
        trial.bent("cases/state/promise.py", "no such line", ""),
    ):
        pass
