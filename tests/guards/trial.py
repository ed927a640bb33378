"""Run tests on a mutated copy of the project; the project itself is never changed.

Run as a program, this is the copy's runner: it loads the libraries once and forks for each trial. A trial then takes a
second, and starts with no module of the project in memory.
"""

import gc
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import pytest

if TYPE_CHECKING:  # the runner starts with no module of the project in memory
    from tests.guards.mutations import Mutation

LIBRARIES = (
    "hypothesis.strategies",
    "httpx",
    "pydantic_settings",
    "pytest_asyncio",
    "ruamel.yaml",
    "sqlalchemy",
    "temporalio.contrib.pydantic",
    "temporalio.testing",
    "temporalio.worker",
)
"""The imports that take a test the longest."""

PATIENCE = 120
"""Seconds after which a trial is stopped: a mutation may loop forever."""

WAITS_AT_MOST = "8"
"""Seconds that a test waits for what a mutation may prevent; without a mutation all tests pass within it."""

LOG = "trial.log"
PLAIN = ["-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:warnings", "-q", "--tb=short"]


class Verdict(NamedTuple):
    """The result of a pytest run: its exit code (negative for a signal) and its output."""

    code: int
    said: str


class Trial:
    """A copy of the project in `folder`, with a runner."""

    def __init__(self, project: Path, folder: Path) -> None:
        away = shutil.ignore_patterns(".*", "__pycache__", "data", "images")
        self.folder = Path(shutil.copytree(project, folder, ignore=away))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        environment["AFTER_SALES_TEST_PATIENCE"] = WAITS_AT_MOST
        self._runner = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).resolve())],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the runner; it also ends when its input is closed."""
        self._runner.communicate()

    def run(self, tests: Sequence[str], *, remember: bool = False) -> Verdict:
        """Run these tests on the copy. `remember`: there is no mutation, so keep the byte code for later runs."""
        if not self._runner.stdin or not self._runner.stdout:
            raise RuntimeError("the runner has no pipes")
        # Tests of the domain need no server, and the server's imports take longest.
        top = "tests/cases" if all(test.startswith("tests/cases/") for test in tests) else "."
        self._runner.stdin.write(json.dumps([remember, [f"--confcutdir={top}", *tests]]) + "\n")
        self._runner.stdin.flush()
        code = int(self._runner.stdout.readline())
        return Verdict(code, (self.folder / LOG).read_text(encoding="utf-8", errors="replace"))

    @contextmanager
    def bent(self, mutation: "Mutation") -> Iterator[None]:
        """Yield the copy with the mutation; raise `LookupError` if it has no place."""
        path = self.folder / mutation.file
        text = path.read_text(encoding="utf-8")
        path.write_text(mutation.of(text), encoding="utf-8")
        # Byte code is checked by size and time in seconds only.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")


def _serve() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    # As in tests/profiles.py: tests of the domain run without tests/conftest.py.
    hypothesis = importlib.import_module("hypothesis").settings
    hypothesis.register_profile("few", max_examples=100, derandomize=True, deadline=None)
    hypothesis.load_profile("few")
    gc.disable()  # trials are short, and collection changes state that they share
    for line in sys.stdin:
        remember, arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(arguments, remember=remember)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(arguments: list[str], *, remember: bool) -> NoReturn:
    if not remember:  # without a mutation nothing loops
        signal.alarm(PATIENCE)
    log = os.open(LOG, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.dont_write_bytecode = not remember
    code = pytest.main([*PLAIN, *arguments])
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
