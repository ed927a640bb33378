"""`python -m bench compare`, `scale`, `fortnight`, `door` and `review`: measure, print tables, write JSON.

Exit codes: 0 measured (even if targets were missed), 1 the run stalled or a process ended, 2 invalid usage.
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

from bench import door, report, reviewing
from bench.arms import ENCRYPTED, PLAIN, Arm, BadArm, encrypted
from bench.compare import Size, compare
from bench.counting.measuring import Run
from bench.many.fortnight import Fortnight, fortnight
from bench.many.scale import Scale, scale
from bench.rivals.machines import RIVALS, missing
from bench.shapes import SHAPES
from bench.targets import of_comparison, of_fortnight, of_scale
from bench.watching import Watch
from cases.errors import AfterSalesError, InvalidInput
from settings import configured

WIDTH = 150
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True})
@click.option("--cores", type=click.IntRange(1), default=2, help="Number of cores to use.")
def bench(cores: int) -> None:
    """Measure the cost and the speed of a case."""
    report.pin(cores)


def _arm(text: str) -> Arm:
    try:
        return {PLAIN: Arm(PLAIN), ENCRYPTED: encrypted()}.get(text) or Arm.parse(text)
    except BadArm as error:
        raise click.BadParameter(str(error), param_hint="--arm") from None


ARM = (
    "plain, encrypted, or 'NAME: KIND.KEY=VALUE …' to override settings of the kinds env (variables), worker "
    "(arguments of the Temporal worker), server (dynamic configuration) and pragma (SQLite), and to set workers=N "
    "and apart=SECONDS (between the partners' reports)."
)


def common_options(command: Command) -> Command:
    """Add the options of every run."""
    patience = click.option("--patience", default=60.0, help="Seconds without progress after which the run ends.")
    out = click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS, help="Folder for the result.")
    return patience(out(command))


@bench.command("compare")
@click.option(
    "--arm", "wanted", multiple=True, default=(PLAIN, ENCRYPTED), help=f"Configuration to measure; repeatable: {ARM}"
)
@common_options
@click.option("--shapes", default=",".join(SHAPES), help="Kinds of cases, separated by commas.")
@click.option(
    "--rival", "rivals", type=click.Choice(sorted(RIVALS)), multiple=True, help="Another engine to compare; repeatable."
)
@click.option("--rounds", type=click.IntRange(1), default=Size.rounds)
@click.option("--cases", type=click.IntRange(1), default=Size.cases, help="Cases of each kind in each round.")
@click.option("--in-flight", type=click.IntRange(1), default=Size.in_flight, help="Concurrent cases at saturation.")
@click.option("--paced", type=click.IntRange(0), default=Size.paced, help="Cases of each kind at a slow pace.")
@click.option("--every", default=Size.every, help="Seconds between the starts of paced cases.")
@click.option("--held", type=click.IntRange(0), default=Size.held, help="Cases left open, to measure memory.")
def compare_command(
    wanted: tuple[str, ...], patience: float, out: Path, shapes: str, rivals: tuple[str, ...], **size: int
) -> None:
    """Compare bare and full cases: cost, speed, and what they leave behind."""
    arms, names = [_arm(text) for text in wanted], [name for name in shapes.split(",") if name]
    if len({arm.name for arm in arms}) < len(arms):
        raise click.UsageError("two arms have the same name")
    if unknown := [name for name in names if name not in SHAPES]:
        raise click.UsageError(f"unknown shape: {', '.join(unknown)}; use {', '.join(SHAPES)}")
    console, how, where = _console(), Size(**size), report.machine()
    with run(patience) as one:
        for name in rivals:
            if sentence := missing(name):
                one.progress(f"skipped: {sentence}")
        installed = [name for name in rivals if not missing(name)]
        rows = asyncio.run(compare(arms, names, how, one, installed))
    settings = {**asdict(how), "arms": {arm.name: shown(arm) for arm in arms}}
    found = {"machine": where, "settings": settings, "rows": rows}
    report.show(console, report.written(out, "compare", found, of_comparison(rows)))


@bench.command("scale")
@click.option("--arm", "wanted", default=PLAIN, help=f"Configuration to measure: {ARM}")
@common_options
@click.option("--open", "sizes", default=",".join(map(str, Scale.open)), help="Numbers of open cases; '' to skip.")
@click.option("--turned", type=click.IntRange(1), default=Scale.turned, help="Cases opened and finished at each.")
@click.option("--cut-off", type=click.IntRange(1), default=Scale.cut_off, help="Consents while the worker is down.")
@click.option("--burst", type=click.IntRange(0), default=Scale.burst, help="Complaints at once; 0 to skip.")
@click.option("--timers", type=click.IntRange(0), default=Scale.timers, help="Timers in the same second; 0 to skip.")
@click.option("--backlog", type=click.IntRange(0), default=Scale.backlog, help="Cases without a worker; 0 to skip.")
@click.option("--urgent", type=click.IntRange(1), default=Scale.urgent, help="Cases that are urgent, after them.")
@click.option("--due-in", type=float, help="Seconds until the timers fire.  [default: 30, plus 0.1 for each]")
@click.option("--in-flight", type=click.IntRange(1), default=Scale.in_flight, help="Concurrent cases during opening.")
def scale_command(wanted: str, patience: float, out: Path, sizes: str, **how: Any) -> None:
    """Measure thousands of cases: open, arriving at once, due in one second, after a kill, and behind a backlog."""
    try:
        open_cases = tuple(sorted(int(number) for number in sizes.split(",") if number))
    except ValueError:
        raise click.BadParameter("write numbers separated by commas: 1000,5000", param_hint="--open") from None
    size, arm, console, where = Scale(open=open_cases, **how), _arm(wanted), _console(), report.machine()
    if open_cases and open_cases[0] < size.turned:
        raise click.UsageError(f"--open {open_cases[0]}: must be at least --turned ({size.turned})")
    settings = {**asdict(size), "arms": {arm.name: shown(arm)}}
    found: dict[str, Any] = {"machine": where, "settings": settings}
    try:
        with run(patience) as one:
            asyncio.run(scale(arm, size, one, found))
    finally:
        # Results measured before a failure are kept, because they took long.
        targets = of_scale(found.get("open", {}).get("rows", []), found.get("burst"), found.get("backlog"))
        report.show(console, report.written(out, "scale", found, targets))


@bench.command("door")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS, help="Folder for the result.")
@click.option("--clients", type=click.IntRange(1), default=50, help="Clients that send without a pause.")
@click.option("--seconds", type=click.FloatRange(1), default=60.0, help="How long they do so.")
def door_command(out: Path, clients: int, seconds: float) -> None:
    """Measure the HTTP API while clients send more than the machine can do."""
    console, where = _console(), report.machine()
    with run(seconds) as one:
        found = asyncio.run(door.door(one.folder("door"), clients, seconds))
    settings = {"clients": clients, "seconds": seconds}
    result = {"machine": where, "settings": settings, **found}
    report.show(console, report.written(out, "door", result, door.targets(found)))


@bench.command("fortnight")
@click.option("--arm", "wanted", default=PLAIN, help=f"Configuration to measure: {ARM}")
@common_options
@click.option("--cases", type=click.IntRange(1), default=Fortnight.cases, help="Cases in all, as many each day.")
@click.option("--days", type=click.IntRange(1), default=Fortnight.days)
@click.option("--retention", type=click.IntRange(1), default=Fortnight.retention, help="Days kept after closing.")
@click.option("--waiting", type=click.FloatRange(0, 1), default=Fortnight.waiting, help="Share left open overnight.")
@click.option("--in-flight", type=click.IntRange(1), default=Fortnight.in_flight, help="Concurrent cases.")
def fortnight_command(wanted: str, patience: float, out: Path, **how: Any) -> None:
    """Measure what grows on one machine while cases come, close and are forgotten."""
    size, arm, console, where = Fortnight(**how), _arm(wanted), _console(), report.machine()
    if size.cases < size.days:
        raise click.UsageError(f"--cases {size.cases}: must be at least --days ({size.days})")
    found: dict[str, Any] = {"machine": where, "settings": {**asdict(size), "arms": {arm.name: shown(arm)}}}
    try:
        with run(patience) as one:
            asyncio.run(fortnight(arm, size, one, found))
    finally:
        targets = of_fortnight(found.get("days", []), size.retention)
        report.show(console, report.written(out, "fortnight", found, targets))


@bench.command("review")
@click.option("--cases", type=click.IntRange(1), default=200_000, help="Closed cases, with three promises each.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS, help="Folder for the result.")
def review_command(cases: int, out: Path) -> None:
    """Measure a review of many closed cases on SQLite: figures alone, and with pages and exports."""
    where = report.machine()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'records.db'}"
        reviewing.fill(url, cases)
        runs = reviewing.measure(url, Path(folder))
    settings = {"cases": cases, "arms": {each.what: asdict(each) for each in runs}}
    found = {"machine": where, "settings": settings}
    report.show(_console(), report.written(out, "review", found, reviewing.targets(runs)))


@bench.command("show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show_command(file: Path) -> None:
    """Print the tables of an earlier result."""
    report.show(_console(), file)


def _console() -> Console:
    console = Console()
    console.width = max(console.width, WIDTH)
    return console


def shown(arm: Arm) -> dict[str, object]:
    """Return an arm for the result. Of environment variables only the names, because values may be secrets."""
    settings = {kind: dict(values) if kind != "env" else sorted(values) for kind, values in arm.settings.items()}
    return {"workers": arm.workers, "apart": arm.apart, **settings}


@contextmanager
def run(patience: float) -> Iterator[Run]:
    """Return a run that prints its progress to standard error. Its folder is deleted unless it fails."""
    configured()  # fail on invalid settings before anything is started
    began = time.monotonic()

    def progress(text: str) -> None:
        click.echo(f"{time.monotonic() - began:6.0f} s  {text}", err=True)

    folder = Path(tempfile.mkdtemp(prefix="after-sales-bench-"))
    try:
        yield Run(folder, Watch(patience), progress)
    except AfterSalesError:
        progress(f"the logs of its processes are kept in {folder}")
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
