"""Arms: how a benchmark states what differs."""

import pytest
from click.testing import CliRunner

from bench.__main__ import bench, shown
from bench.arms import Arm, BadArm
from bench.varied_worker import varied


def test_arm_names_settings_of_every_kind() -> None:
    arm = Arm.parse("no wal: pragma.journal_mode=delete server.history.maxRPS=20 worker.cached=9 env.A=b=c")

    assert (arm.name, arm.workers) == ("no wal", 1)
    assert arm.of("pragma") == {"journal_mode": "delete"}
    assert arm.of("server") == {"history.maxRPS": "20"}
    assert arm.of("worker") == {"cached": "9"}
    assert arm.of("env") == {"A": "b=c"}


def test_arm_may_have_several_workers() -> None:
    assert Arm.parse("two: workers=2").workers == 2


def test_partners_of_an_arm_may_report_with_delays() -> None:
    assert Arm.parse("slower: apart=0.5").apart == 0.5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing", "is not an arm"),
        (": workers=2", "is not an arm"),
        ("two: workers=none", "'workers=none' of arm 'two' is not a setting"),
        ("two: workers=0", "'workers=0' of arm 'two' is not a setting"),
        ("odd: colour.sky=blue", "'colour.sky=blue' of arm 'odd' is not a setting"),
        ("odd: pragma.journal_mode", "'pragma.journal_mode' of arm 'odd' is not a setting"),
    ],
    ids=["no-colon", "no-name", "no-number", "no-worker", "no-kind", "no-value"],
)
def test_invalid_arm_is_refused_with_a_sentence(text: str, why: str) -> None:
    with pytest.raises(BadArm, match=why):
        Arm.parse(text)


def test_arguments_of_the_worker_are_words_or_json() -> None:
    made = varied({"workflow_runner": "sandboxed", "max_cached_workflows": "100"})

    assert type(made["workflow_runner"]).__name__ == "SandboxedWorkflowRunner"
    assert made["max_cached_workflows"] == 100


def test_result_shows_no_secret_of_an_environment() -> None:
    arm = Arm.parse("other: env.AFTER_SALES_ENCRYPTION_KEYS=k:c2VjcmV0 pragma.journal_mode=delete")

    assert shown(arm) == {
        "workers": 1,
        "apart": 0.0,
        "env": ["AFTER_SALES_ENCRYPTION_KEYS"],
        "pragma": {"journal_mode": "delete"},
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["compare", "--arm", "nothing"], "'nothing' is not an arm"),
        (["compare", "--arm", "plain", "--arm", "plain"], "two arms have the same name"),
        (["compare", "--shapes", "square"], "unknown shape: square"),
        (["scale", "--open", "many"], "write numbers separated by commas"),
        (["scale", "--open", "10", "--turned", "20"], "must be at least --turned (20)"),
    ],
    ids=["no-arm", "twice", "no-shape", "no-number", "too-few"],
)
def test_bad_usage_is_reported_before_anything_is_started(arguments: list[str], why: str) -> None:
    done = CliRunner().invoke(bench, arguments)

    assert done.exit_code == 2
    assert why in done.output
