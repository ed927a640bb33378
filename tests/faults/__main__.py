"""`python -m tests.faults [--cases N] [--seed N]`: the long fault run. Exit code 1 if a rule is violated."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres
from tests.faults.arms import ARMS
from tests.faults.report import table
from tests.faults.scenarios import USUAL
from tests.faults.suite import run


def main() -> int:
    """Run the suite and print its table."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--cases", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=6.0, help="average seconds between two faults")
    parser.add_argument("--rounds", type=int, help="faults of each kind; default: until all cases have ended")
    parser.add_argument("--arm", choices=sorted(ARMS), help="a control arm: workers with one deliberate fault")
    parser.add_argument("--contradict", type=float, help="share of steps about which a partner contradicts itself")
    parser.add_argument("--data", type=Path, help="folder for all data and for the histories of failures")
    arguments = parser.parse_args()
    folder = arguments.data or Path(tempfile.mkdtemp(prefix="after-sales-faults-"))

    def progress(done: int, count: int) -> None:
        if done % max(1, count // 50) == 0:
            print(f"{done} of {count} cases", file=sys.stderr, flush=True)  # noqa: T201 (progress of a long run)

    odds = ARMS[arguments.arm].odds if arguments.arm else USUAL
    if arguments.contradict is not None:
        odds = odds._replace(contradict=arguments.contradict)
    with records() as cluster:
        found = asyncio.run(
            run(
                folder,
                seed=arguments.seed,
                count=arguments.cases,
                pause=arguments.pause,
                rounds=arguments.rounds,
                arm=arguments.arm,
                odds=odds,
                cluster=cluster,
                progress=progress,
            )
        )
    print(table(found))  # noqa: T201 (its result)
    if found.violations:
        print(f"violations and their histories: {folder / 'failures'}")  # noqa: T201 (its result)
    return 1 if found.violations else 0


@contextmanager
def records() -> Iterator[postgres.Cluster | None]:
    """Yield a PostgreSQL for our records, as in production, or None (SQLite) if it is not installed."""
    if not postgres.installed():
        print("PostgreSQL is not installed: records are kept in SQLite", file=sys.stderr)  # noqa: T201
        yield None
        return
    with postgres.running() as running:
        yield running


if __name__ == "__main__":
    sys.exit(main())
