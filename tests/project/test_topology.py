"""The production topology is pinned, closed to the outside, and matches the program. Checked without Docker."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cases.contract import MAX_INPUT_BYTES
from embedded import SERVER_SETTINGS
from settings import ROOT, Settings, WebSettings

VARIABLES = {f"AFTER_SALES_{field.upper()}" for field in Settings.model_fields}
OF_WEB = {f"AFTER_SALES_WEB_{field.upper()}" for field in WebSettings.model_fields}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {name for name, service in SERVICES.items() if service.get("restart") == "on-failure"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_and_none_is_deprecated(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"\d+\.\d+", tag)
    assert image not in {"temporalio/auto-setup", "temporalio/web", "temporalio/tctl"}


def test_our_image_has_the_version_of_the_project() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    built = {service["image"]: service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert built == {
        f"after-sales:{version}": "worker",
        f"after-sales-web:{version}": "web",
        f"after-sales-sandbox:{version}": "sandbox",
    }
    assert set(re.findall(r"^FROM .+ AS (\w+)$", read("Dockerfile"), flags=re.MULTILINE)) == set(built.values())
    assert f"## [{version}]" in read("CHANGELOG.md")


def test_production_runs_the_temporal_version_of_the_tests() -> None:
    output = subprocess.run(
        [Path(sys.executable).with_name("temporal"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    server, ui = re.search(r"Server ([\d.]+), UI ([\d.]+)", output).groups()  # type: ignore[union-attr]
    assert SERVICES["temporal"]["image"] == f"temporalio/server:{server}"
    assert SERVICES["temporal-schema"]["image"] == f"temporalio/admin-tools:{server}"
    assert SERVICES["temporal-namespace"]["image"] == f"temporalio/admin-tools:{server}"
    assert SERVICES["temporal-ui"]["image"] == f"temporalio/ui:{ui}"


@pytest.mark.parametrize("name", SERVICES)
def test_no_port_is_published_beyond_this_machine(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_in_the_file(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|PWD|TOKEN|NOTIFY", variable):
            assert value is None or str(value).startswith("${")
        assert "@" not in str(value) or re.search(r"://\w+:\$\{", str(value))


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_until_their_dependencies_are_ready(name: str) -> None:
    service = SERVICES[name]
    for other, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert how["condition"] == wanted
    assert name in ONE_SHOT or "healthcheck" in service


def test_every_setting_in_the_topology_is_read_by_the_program() -> None:
    named = {key for service in SERVICES.values() for key in service.get("environment", {})}
    assert {key for key in named if key.startswith("AFTER_SALES_")} <= VARIABLES | OF_WEB
    assert set(SERVICES["web"]["environment"]) >= OF_WEB
    assert VARIABLES - set(SERVICES["worker"]["environment"]) == {"AFTER_SALES_POLICIES"}, "mounted in its place"


def test_web_server_reaches_cases_and_our_database_as_the_worker_does() -> None:
    worker, web = (SERVICES[name]["environment"] for name in ("worker", "web"))
    shared = ["TEMPORAL_ADDRESS", "AFTER_SALES_DATABASE_URL", "AFTER_SALES_LINE_QUEUES"]
    shared += ["AFTER_SALES_ENCRYPTION_KEYS", "AFTER_SALES_ENCRYPTION_KEYS_FILE"]

    assert {name: web[name] for name in shared} == {name: worker[name] for name in shared}


def test_every_used_volume_and_config_is_declared() -> None:
    mounted = {str(v).partition(":")[0] for service in SERVICES.values() for v in service.get("volumes", [])}
    assert {volume for volume in mounted if not volume.startswith(".")} == set(COMPOSE["volumes"])
    assert {c["source"] for service in SERVICES.values() for c in service.get("configs", [])} == set(COMPOSE["configs"])


def scripts() -> Iterator[tuple[str, str]]:
    for name, service in SERVICES.items():
        if service.get("entrypoint") == ["sh", "-euc"]:
            yield name, service["command"][0]
    yield "records-database", COMPOSE["configs"]["records-database"]["content"]


@pytest.mark.parametrize(("name", "script"), list(scripts()))
def test_every_script_in_the_topology_is_valid_shell(name: str, script: str) -> None:
    assert not re.search(r"(?<!\$)\$(?![${])", script), f"{name}: Compose would fill that in; write $$"
    done = subprocess.run(
        ["/bin/sh", "-n"], input=script.replace("$$", "$"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_health_checks_in_python_are_valid() -> None:
    checks = [service.get("healthcheck", {}).get("test", []) for service in SERVICES.values()]
    snippets = [check[3] for check in checks if check[1:3] == ["python", "-c"]]
    assert len(snippets) == sum("build" in service for service in SERVICES.values())
    for snippet in snippets:
        compile(snippet, "healthcheck", "exec")


def test_image_is_small_pinned_and_not_root() -> None:
    dockerfile = read("Dockerfile")
    assert re.search(r"^FROM python:3\.11\.\d+-slim", dockerfile, flags=re.MULTILINE)
    assert "--require-hashes" in dockerfile
    assert dockerfile.index("\nUSER 10001") < dockerfile.index('CMD ["python", "worker.py"]')


def test_image_holds_exactly_the_packages_that_the_worker_imports() -> None:
    imported = (
        "import sys, worker; print('\\n'.join(getattr(m, '__file__', None) or '' for m in list(sys.modules.values())))"
    )
    output = subprocess.run(
        [sys.executable, "-c", imported], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    ours = [
        Path(line).relative_to(ROOT) for line in output.split() if line.startswith(str(ROOT)) and ".venv" not in line
    ]
    taken = set(re.findall(r"^!(\w+)/$", read(".dockerignore"), flags=re.MULTILINE))
    assert {path.parts[0] for path in ours if len(path.parts) > 1} <= taken
    assert not taken & {"tests", "docs", "demo", "bench"}


def test_production_limits_updates_as_the_embedded_server_does() -> None:
    """The server's default accepts updates that a worker cannot even reject (docs/findings.md)."""
    key = "history.maxInFlightUpdatePayloads"
    dynamic = YAML(typ="safe", pure=True).load(COMPOSE["configs"]["temporal-dynamic-config"]["content"])

    assert str(dynamic[key][0]["value"]) == SERVER_SETTINGS[key]
    assert 10 * MAX_INPUT_BYTES < dynamic[key][0]["value"] < 2 * 1024 * 1024


def test_lines_take_turns_in_production_as_on_the_embedded_server() -> None:
    """§3: without the setting the server ignores fairness keys."""
    dynamic = YAML(typ="safe", pure=True).load(COMPOSE["configs"]["temporal-dynamic-config"]["content"])

    assert dynamic["matching.enableFairness"] == [{"value": True}]
    assert SERVER_SETTINGS["matching.enableFairness"] == "true"
