"""Each mutation of `mutations.yaml` is applied to a copy of the project, and its tests must fail.

`test_places.py` checks that the table matches the code. A mutation that no test detects is a rule without a test.
"""

import re
from collections.abc import Iterator

import pytest

from settings import ROOT
from tests.guards.mutations import MUTATIONS, Mutation
from tests.guards.trial import Trial, Verdict

pytestmark = [pytest.mark.e2e, pytest.mark.long]
STUMBLED = re.compile(r"^E +(Name|Attribute|Type|Import|Syntax|Indentation)Error", re.MULTILINE)


def unnoticed(mutation: Mutation, verdict: Verdict) -> str | None:
    """Return why the tests do not detect the mutation, or None if they do."""
    if verdict.code == pytest.ExitCode.OK:
        return f"{mutation.rule} is unguarded: {mutation.wrong}, and {', '.join(mutation.tests)} still pass"
    if verdict.code < 0:
        return f"{mutation.rule}: the tests never ended; let the mutation in mutations.yaml be one that ends"
    if verdict.code != pytest.ExitCode.TESTS_FAILED or STUMBLED.search(verdict.said):
        return f"{mutation.rule}: the mutation breaks the program, not the rule; mend mutations.yaml:\n{verdict.said}"
    return None


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A copy of the project, in which all tests of the table pass without a mutation."""
    made = Trial(ROOT, tmp_path_factory.mktemp("guards") / "project")
    try:
        verdict = made.run(sorted({test for mutation in MUTATIONS for test in mutation.tests}), remember=True)
        assert verdict.code == pytest.ExitCode.OK, f"they fail though nothing is wrong:\n{verdict.said}"
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.rule}: {mutation.wrong}")
def test_mutation_is_detected(trial: Trial, mutation: Mutation) -> None:
    with trial.bent(mutation):
        verdict = trial.run(["-x", *mutation.tests])

    assert unnoticed(mutation, verdict) is None


def test_mutation_that_no_test_detects_is_reported_by_its_rule(trial: Trial) -> None:
    """The harness itself can fail."""
    harmless = MUTATIONS[0]._replace(instead=MUTATIONS[0].source)
    with trial.bent(harmless):
        verdict = trial.run(harmless.tests)

    assert (unnoticed(harmless, verdict) or "").startswith(f"{harmless.rule} is unguarded")


def test_mutation_that_breaks_the_program_proves_nothing(trial: Trial) -> None:
    broken = MUTATIONS[0]._replace(instead="no_such_name()")
    with trial.bent(broken):
        verdict = trial.run(broken.tests)

    assert "breaks the program, not the rule" in (unnoticed(broken, verdict) or "")
