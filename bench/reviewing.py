"""`python -m bench review`: a review of many closed cases, as a user runs it. Time and memory of the whole process."""

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from bench.targets import Target
from cases.vocabulary import Outcome
from records import Records
from records.facts.tables import case_facts, promise_facts
from records.facts.writing import BY_THESE_RULES
from settings import ROOT

FIRST = datetime(2026, 7, 1, tzinfo=UTC)
QUARTER = ("--from", "2026-07-01", "--to", "2026-09-30")
AT_ONCE = 5_000
PROMISES = (("acknowledge", "O1", 1), ("solution", "O3", 120), ("progress_update", "G7", 24))
"""The promises of each case: name, rule, hours."""
MEBI = 1024


@dataclass(frozen=True)
class Reviewed:
    """One run of `starter.py review`."""

    what: str
    seconds: float
    cpu_seconds: float
    mebibytes: float
    """The largest memory that the process had."""


def fill(url: str, cases: int) -> None:
    """Write that many cases that were closed in a quarter, with three promises each."""
    Records(url).close()
    engine, chance = create_engine(url), random.Random(1)  # noqa: S311 (repeatable)
    for start in range(0, cases, AT_ONCE):
        rows = [_case(chance, number, cases) for number in range(start, min(start + AT_ONCE, cases))]
        with engine.begin() as connection:
            connection.execute(insert(case_facts), rows)
            connection.execute(insert(promise_facts), [promise for row in rows for promise in _promises(chance, row)])
    engine.dispose()


def _case(chance: random.Random, number: int, cases: int) -> dict[str, Any]:
    received = FIRST + timedelta(seconds=chance.randrange(80 * 86_400))
    resolved = chance.randrange(3_600, 9 * 86_400)
    outcome = chance.choices([*Outcome], [60, 8, 6, 4, 4, 10, 8])[0]
    line = chance.choice(["building_materials", "fresh_food", "infant_formula", "organic_food", "express"])
    return {
        "case_id": f"HL-{number:07}",
        "digest": f"{BY_THESE_RULES}{number}",
        "line": line,
        "topic": chance.choice(["transport.damage", "transport.delay", "goods.quality", "return.quality", "inquiry"]),
        "channel": chance.choice(["app", "hotline", "wechat", "website"]),
        "team": f"team-{chance.randrange(10)}",
        "owner": f"owner-{chance.randrange(80)}",
        "order_id": f"SO-{chance.randrange(cases)}",
        "carrier": f"carrier-{chance.randrange(30)}",
        "route": f"route-{chance.randrange(200)}",
        "warehouse": f"warehouse-{chance.randrange(12)}",
        "crew": f"crew-{chance.randrange(25)}" if number % 5 == 0 else None,
        "product": f"SKU-{chance.randrange(2_000)}",
        "party": chance.choice(["delivery", "warehouse", "supplier", None]),
        "cause": f"cause {chance.randrange(50)}",
        "received_at": received,
        "opened_at": received,
        "closed_at": received + timedelta(seconds=resolved),
        "outcome": outcome.value,
        "to_acknowledge": chance.randrange(3_600),
        "to_offer": chance.randrange(90_000),
        "to_resolve": resolved,
        "score": {Outcome.SATISFIED: 5, Outcome.NEUTRAL: 3}.get(outcome),
        "follows": number % 50 == 0,
        "cycles": 1,
    }


def _promises(chance: random.Random, case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number, (name, rule, hours) in enumerate(PROMISES):
        kept = chance.random() < 0.9  # noqa: PLR2004 (a usual share)
        yield {
            "case_id": case["case_id"],
            "number": number,
            "name": name,
            "rule": rule,
            "state": "kept" if kept else "broken",
            "due_at": case["received_at"] + timedelta(hours=hours),
            "kept_at": case["received_at"] if kept else None,
            "fault": None if kept else "ours",
        }


def measure(url: str, folder: Path) -> list[Reviewed]:
    """Make the review twice: its figures alone, and everything."""
    return [
        _run("figures (--json)", url, "--json"),
        _run("figures, pages, Parquet and CSV", url, "--out", str(folder / "review")),
    ]


def _run(what: str, url: str, *arguments: str) -> Reviewed:
    environment = {**os.environ, "AFTER_SALES_DATABASE_URL": url}
    command = [sys.executable, str(ROOT / "starter.py"), "review", *QUARTER, *arguments]
    # A process of its own measures each, because the largest memory of children is that of all so far.
    probe = [sys.executable, "-m", "bench.reviewing", *command]
    output = subprocess.run(probe, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 (ours)
    return Reviewed(what=what, **json.loads(output.stdout.splitlines()[-1]))


def probe(command: list[str]) -> dict[str, float]:
    """Run a command, and return what it needed."""
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (ours)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "mebibytes": round(used.ru_maxrss / MEBI),
    }


def targets(runs: Sequence[Reviewed]) -> list[Target]:
    """Return the targets for the review of 200,000 cases: half a minute, and half a gigabyte."""
    return [
        target
        for each in runs
        for target in (
            Target(f"seconds of a review: {each.what}", each.seconds, 30),
            Target(f"mebibytes of a review: {each.what}", each.mebibytes, 500),
        )
    ]


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1:])))  # noqa: T201 (for the process that started this one)
