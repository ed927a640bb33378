"""`starter.py simulate`: a simulated month, as tables, as JSON and as pages."""

# ruff: noqa: PLC0415 (`--help` must not wait for policies and rich)

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from console.arguments import examples, in_json

MOST_SEEDS = 200
NOVEMBER = "simulation/scenarios/november.yaml"


@click.command(
    epilog=examples(
        f"simulate {NOVEMBER} --seeds 3",
        f"simulate {NOVEMBER} --compare as_is eight --out november",
        f"simulate {NOVEMBER} --json",
    )
)
@click.argument("scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Two variants to compare on the same complaints: as_is, a variant of the file, or a folder of policies.",
)
@click.option("--seeds", type=click.IntRange(1, MOST_SEEDS), default=5, help="Number of simulated periods. Default: 5.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the pages and the JSON.")
@in_json
def simulate(scenario: Path, compare: tuple[str, str] | None, seeds: int, out: Path | None, as_json: bool) -> None:
    """Simulate the complaints of a SCENARIO, and answer its question.

    Complaints, customers, agents and partners are simulated. The cases are handled by the same code as real ones. The
    same scenario, policies and number of seeds always give the same figures. Nothing is sent, and no server is needed.
    """
    from simulation.reading import AS_IS, world
    from simulation.runs import play_all
    from simulation.summing import simulation

    worlds = [world(scenario, name) for name in compare or (AS_IS,)]
    with _progress() as progress:
        tallies = play_all(worlds, list(range(1, seeds + 1)), progress)
    figures = simulation(worlds, tallies)
    if out:
        from simulation.page.writing import write

        write(figures, out)
    if as_json:
        click.echo(figures.model_dump_json())
        return
    from console import reading, simulated

    reading.screen().print(simulated.tables(figures))


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """Show a bar with the time left on standard error, if that is a terminal."""
    import signal

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    # A termination is handled like Ctrl-C, so that no process is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    columns = (TextColumn("simulating"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share: bar.update(task, completed=share)
