"""A verb imports only what it needs, because people wait for every start.

Modules are counted, not seconds, which differ between machines and runs.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT
from tests.cases.world import a_complaint

DRAWN = {"rich"}
ENGINE = {"temporalio", "grpc", "google", "workflows", "encryption", "cryptography"}
RECORDS = {"sqlalchemy", "alembic", "psycopg", "records"}
LETTERS = {"jinja2", "babel", "apprise", "messages"}
NETWORK = {"aiohttp", "yarl", "fastapi", "uvicorn", "partners"}
NEVER = DRAWN | ENGINE | RECORDS | LETTERS | NETWORK
MODELS = {"pydantic", "pydantic_core", "pydantic_settings"}
POLICIES = {"ruamel", "holidays", "policies"}

LISTS = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import starter
code = starter.main(sys.argv[1:])
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
raise SystemExit(code)
"""


def imported_by(*arguments: str, folder: Path, given: str = "") -> set[str]:
    """Return the packages that a run of `starter.py` has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", LISTS, str(ROOT), *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=90,
        cwd=folder,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_help_needs_only_the_command_line(tmp_path: Path) -> None:
    assert not imported_by("--help", folder=tmp_path) & (NEVER | MODELS | POLICIES | {"asyncio"})


@pytest.mark.parametrize("verb", ["list", "show", "open", "plan", "up", "demo", "stuck", "policy preview"])
def test_help_of_a_verb_needs_only_the_command_line(verb: str, tmp_path: Path) -> None:
    assert not imported_by(*verb.split(), "--help", folder=tmp_path) & (NEVER | MODELS | POLICIES)


def test_help_of_a_message_also_needs_its_model(tmp_path: Path) -> None:
    assert not imported_by("assess", "--help", folder=tmp_path) & (NEVER | POLICIES)


@pytest.mark.parametrize("arguments", [["open", "--example", "fresh_food"], ["policy", "check"]])
def test_policy_commands_need_only_policies(arguments: list[str], tmp_path: Path) -> None:
    assert not imported_by(*arguments, folder=tmp_path) & NEVER


def test_line_without_working_days_needs_no_holidays(tmp_path: Path) -> None:
    complaint = json.dumps(a_complaint())

    assert "holidays" not in imported_by("open", "--example", "fresh_food", folder=tmp_path)
    assert "holidays" not in imported_by("plan", "-", folder=tmp_path, given=complaint)
    assert "holidays" in imported_by("policy", "check", folder=tmp_path)


def test_plan_needs_only_the_digits_of_currencies(tmp_path: Path) -> None:
    complaint = json.dumps(a_complaint())

    assert not imported_by("plan", "-", folder=tmp_path, given=complaint) & (NEVER - {"babel"})
