"""`python -m bench compare` and `python -m bench scale`: measure, print tables, write JSON; what fails, fails loudly.

Exit codes: 0 measured (whether or not the targets were met), 1 something stood still or ended, 2 bad usage.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from bench import report
from bench.arms import ENCRYPTED, PLAIN, Arm, BadArm, encrypted
from bench.compare import Size, compare
from bench.counting.measuring import Run
from bench.scale import Scale, scale
from bench.shapes import SHAPES
from bench.targets import of_comparison, of_scale
from bench.watching import Watch
from cases.errors import AfterSalesError, InvalidInput
from settings import configured

WIDTH = 150
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True})
@click.option("--cores", type=click.IntRange(1), default=2, help="Run everything on so many cores.")
def bench(cores: int) -> None:
    """What a case costs, and how fast it is."""
    report.pin(cores)


def _arm(text: str) -> Arm:
    try:
        return {PLAIN: Arm(PLAIN), ENCRYPTED: encrypted()}.get(text) or Arm.parse(text)
    except BadArm as error:
        raise click.BadParameter(str(error), param_hint="--arm") from None


ARM = (
    "plain, encrypted, or 'NAME: KIND.KEY=VALUE …', settings laid over the usual ones, of the kinds env (variables), "
    "worker (arguments of the Temporal worker), server (dynamic configuration) and pragma (SQLite), workers=N, and "
    "apart=SECONDS between the partners' reports."
)


def every_run(command: Command) -> Command:
    """Options of every run."""
    patience = click.option("--patience", default=60.0, help="Seconds without any progress after which it gives up.")
    out = click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS, help="Folder for the result.")
    return patience(out(command))


@bench.command("compare")
@click.option(
    "--arm", "wanted", multiple=True, default=(PLAIN, ENCRYPTED), help=f"A way to run the engine, or more: {ARM}"
)
@every_run
@click.option("--shapes", default=",".join(SHAPES), help="Which cases, with commas.")
@click.option("--rounds", type=click.IntRange(1), default=Size.rounds)
@click.option("--cases", type=click.IntRange(1), default=Size.cases, help="In each round, of each kind.")
@click.option("--in-flight", type=click.IntRange(1), default=Size.in_flight, help="At a time, at saturation.")
@click.option("--paced", type=click.IntRange(0), default=Size.paced, help="Cases of each kind at a slow pace.")
@click.option("--every", default=Size.every, help="Seconds from one of those to the next.")
@click.option("--held", type=click.IntRange(0), default=Size.held, help="Cases left open, for the memory.")
def compare_command(wanted: tuple[str, ...], patience: float, out: Path, shapes: str, **size: int) -> None:
    """Bare and full cases side by side: cost, speed, what is left of them."""
    arms, names = [_arm(text) for text in wanted], [name for name in shapes.split(",") if name]
    if len({arm.name for arm in arms}) < len(arms):
        raise click.UsageError("two arms have the same name")
    if unknown := [name for name in names if name not in SHAPES]:
        raise click.UsageError(f"no such shape: {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    console, how, where = _console(), Size(**size), report.machine()
    with run(patience) as one:
        rows = asyncio.run(compare(arms, names, how, one))
    settings = {**asdict(how), "arms": {arm.name: shown(arm) for arm in arms}}
    found = {"machine": where, "settings": settings, "rows": rows}
    report.show(console, report.written(out, "compare", found, of_comparison(rows)))


@bench.command("scale")
@click.option("--arm", "wanted", default=PLAIN, help=f"A way to run the engine: {ARM}")
@every_run
@click.option("--open", "sizes", default=",".join(map(str, Scale.open)), help="Open cases, with commas; '': leave out.")
@click.option("--turned", type=click.IntRange(1), default=Scale.turned, help="Opened and finished at each, to measure.")
@click.option("--cut-off", type=click.IntRange(1), default=Scale.cut_off, help="Agreed to while the worker is dead.")
@click.option("--burst", type=click.IntRange(0), default=Scale.burst, help="Complaints at once; 0: leave out.")
@click.option("--timers", type=click.IntRange(0), default=Scale.timers, help="Due in the same second; 0: leave out.")
@click.option("--due-in", type=float, help="Seconds until then.  [default: 30, and a tenth for each]")
@click.option("--in-flight", type=click.IntRange(1), default=Scale.in_flight, help="At a time, while cases are opened.")
def scale_command(wanted: str, patience: float, out: Path, sizes: str, **how: Any) -> None:
    """Thousands of cases: open, arriving, due in the same second, and without their worker."""
    try:
        open_cases = tuple(sorted(int(number) for number in sizes.split(",") if number))
    except ValueError:
        raise click.BadParameter("write numbers with commas: 1000,5000", param_hint="--open") from None
    size, arm, console, where = Scale(open=open_cases, **how), _arm(wanted), _console(), report.machine()
    if open_cases and open_cases[0] < size.turned:
        raise click.UsageError(f"--open {open_cases[0]}: fewer than --turned {size.turned}, finished at each")
    settings = {**asdict(size), "arms": {arm.name: shown(arm)}}
    found: dict[str, Any] = {"machine": where, "settings": settings}
    try:
        with run(patience) as one:
            asyncio.run(scale(arm, size, one, found))
    finally:
        # What was measured before something failed took long enough.
        targets = of_scale(found.get("open", {}).get("rows", []), found.get("burst"))
        report.show(console, report.written(out, "scale", found, targets))


@bench.command("show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show_command(file: Path) -> None:
    """The tables of a result that was written before."""
    report.show(_console(), file)


def _console() -> Console:
    console = Console()
    console.width = max(console.width, WIDTH)
    return console


def shown(arm: Arm) -> dict[str, object]:
    """An arm as the result tells it; what is in its environment may be a secret."""
    told = {kind: dict(values) if kind != "env" else sorted(values) for kind, values in arm.settings.items()}
    return {"workers": arm.workers, "apart": arm.apart, **told}


@contextmanager
def run(patience: float) -> Iterator[Run]:
    """A run that says on standard error how far it is; its folder is thrown away where nothing fails."""
    configured()  # before anything is started
    began = time.monotonic()

    def tell(text: str) -> None:
        click.echo(f"{time.monotonic() - began:6.0f} s  {text}", err=True)

    folder = Path(tempfile.mkdtemp(prefix="after-sales-bench-"))
    try:
        yield Run(folder, Watch(patience), tell)
    except AfterSalesError:
        tell(f"what its processes have logged is kept in {folder}")
        raise
    shutil.rmtree(folder)


if __name__ == "__main__":
    try:
        bench(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except InvalidInput as error:
        click.echo("\n".join(str(problem) for problem in error.problems), err=True)
        sys.exit(2)
    except AfterSalesError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
