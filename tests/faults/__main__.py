"""`python -m tests.faults [--cases N] [--seed N]`: the long tier and its table; exit code 1 where a promise broke."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres
from tests.faults.arms import ARMS
from tests.faults.plots import USUAL
from tests.faults.report import table
from tests.faults.suite import run


def main() -> int:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--cases", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=6.0, help="seconds between two faults, roughly")
    parser.add_argument("--rounds", type=int, help="so many faults of each kind; to the end where absent")
    parser.add_argument("--arm", choices=sorted(ARMS), help="a control: workers that do one thing wrong")
    parser.add_argument("--contradict", type=float, help="share of steps about which partners contradict themselves")
    parser.add_argument("--data", type=Path, help="where everything is kept, failures with their histories among it")
    told = parser.parse_args()
    folder = told.data or Path(tempfile.mkdtemp(prefix="after-sales-faults-"))

    def tell(done: int, count: int) -> None:
        if done % max(1, count // 50) == 0:
            print(f"{done} of {count} cases", file=sys.stderr, flush=True)  # noqa: T201 (progress of a long run)

    how = {name: getattr(told, name) for name in ("seed", "pause", "rounds", "arm")}
    odds = ARMS[told.arm].odds if told.arm else USUAL
    if told.contradict is not None:
        odds = odds._replace(contradict=told.contradict)
    with records() as cluster:
        found = asyncio.run(run(folder, count=told.cases, tell=tell, cluster=cluster, odds=odds, **how))
    print(table(found))  # noqa: T201 (its result)
    if found.violations:
        print(f"what went wrong, with histories: {folder / 'failures'}")  # noqa: T201 (its result)
    return 1 if found.violations else 0


@contextmanager
def records() -> Iterator[postgres.Cluster | None]:
    """A PostgreSQL for our own records, as in production; None, for a SQLite file, where it is not installed."""
    if not postgres.installed():
        print("PostgreSQL is not installed: SQLite keeps the records", file=sys.stderr)  # noqa: T201
        yield None
        return
    with postgres.running() as running:
        yield running


if __name__ == "__main__":
    sys.exit(main())
