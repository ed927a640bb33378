"""`python -m bench compare` and `python -m bench scale`: measure, print tables, write JSON; what fails, fails loudly.

Exit codes: 0 measured (whether or not the targets were met), 1 something stood still or ended, 2 bad usage.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from bench import report
from bench.compare import Size, compare
from bench.machines import ENCRYPTED, PLAIN, Arm, BadArm, encrypted
from bench.measuring import Run
from bench.shapes import SHAPES
from bench.targets import of_comparison
from bench.watching import Watch
from cases.errors import AfterSalesError

WIDTH = 150


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True})
@click.option("--cores", type=click.IntRange(1), default=2, help="Run everything on so many cores.")
def bench(cores: int) -> None:
    """What a case costs, and how fast it is."""
    report.pin(cores)


def _arms(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> list[Arm]:
    known = {PLAIN: Arm(PLAIN), ENCRYPTED: encrypted()}
    try:
        arms = [known.get(text) or Arm.parse(text) for text in given]
    except BadArm as error:
        raise click.BadParameter(str(error)) from None
    if len({arm.name for arm in arms}) < len(arms):
        raise click.BadParameter("two arms have the same name")
    return arms


arm_option = click.option(
    "--arm", "arms", multiple=True, default=(PLAIN, ENCRYPTED), callback=_arms,
    help="A way to run the engine, more than once: plain, encrypted, or 'NAME: KIND.KEY=VALUE …' with the kinds env "
    "(variables), worker (arguments of the Temporal worker), server (dynamic configuration) and pragma (SQLite), or "
    "workers=N.",
)  # fmt: skip
patience_option = click.option("--patience", default=60.0, help="Seconds without any progress after which it gives up.")


@bench.command("compare")
@arm_option
@patience_option
@click.option("--shapes", default=",".join(SHAPES), help="Which cases, with commas.")
@click.option("--rounds", type=click.IntRange(1), default=Size.rounds)
@click.option("--cases", type=click.IntRange(1), default=Size.cases, help="In each round, of each kind.")
@click.option("--in-flight", type=click.IntRange(1), default=Size.in_flight, help="At a time, at saturation.")
@click.option("--paced", type=click.IntRange(0), default=Size.paced, help="Cases of each kind at a slow pace.")
@click.option("--every", default=Size.every, help="Seconds from one of those to the next.")
@click.option("--held", type=click.IntRange(0), default=Size.held, help="Cases left open, for the memory.")
def compare_command(arms: list[Arm], patience: float, shapes: str, **size: int) -> None:
    """Bare and full cases side by side: cost, speed, what is left of them."""
    wanted = [name for name in shapes.split(",") if name]
    if unknown := [name for name in wanted if name not in SHAPES]:
        raise click.UsageError(f"no such shape: {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    console, how, where = Console(), Size(**size), report.machine()
    console.width = max(console.width, WIDTH)
    report.show_machine(console, where)
    with run(patience) as one:
        rows = asyncio.run(compare(arms, wanted, how, one))
    targets = of_comparison(rows)
    report.show_comparison(console, rows)
    report.show_targets(console, targets)
    settings = {**asdict(how), "arms": {arm.name: shown(arm) for arm in arms}}
    console.print(f"written: {report.written('compare', settings, where, {'rows': rows}, targets)}")


def shown(arm: Arm) -> dict[str, object]:
    """An arm as the result tells it; what is in its environment may be a secret."""
    told = {kind: dict(values) if kind != "env" else sorted(values) for kind, values in arm.settings.items()}
    return {"workers": arm.workers, **told}


@contextmanager
def run(patience: float) -> Iterator[Run]:
    """A run with a folder that is thrown away; says on standard error how far it is, and since when."""
    began = time.monotonic()

    def tell(text: str) -> None:
        click.echo(f"{time.monotonic() - began:6.0f} s  {text}", err=True)

    with tempfile.TemporaryDirectory(prefix="after-sales-bench-") as folder:
        yield Run(Path(folder), Watch(patience), tell)


if __name__ == "__main__":
    try:
        bench(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except AfterSalesError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
