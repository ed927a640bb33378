"""`starter.py review`: what the cases of a period teach."""

# ruff: noqa: PLC0415 (each verb imports what it needs, so that `--help` starts fast)

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.arguments import examples, in_json, one_of

if TYPE_CHECKING:
    from review.figures import Review
    from review.making import Beat, Wanted
    from review.texts import Words

EVERY = click.Choice(["week", "month", "quarter"])
"""The values of `review.period.Every`."""


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "review",
        "review --period quarter --line fresh_food",
        "review --from 2026-11-01 --to 2026-11-15 --out reviews/november",
        "review --json",
    ),
)
@click.option("--period", type=EVERY, help="The latest one that has ended. Default: month.")
@click.option("--from", "first", metavar="DAY", help="The first day, such as 2026-11-01, instead of --period.")
@click.option("--to", "last", metavar="DAY", help="The last day, with --from. Default: today.")
@click.option("--line", help="Only cases of this line of business.")
@click.option(
    "--volumes",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Orders by carrier, route, warehouse, crew or product (CSV: dimension,subject,orders), to compare complaints.",
)
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Where to write it. Default: in AFTER_SALES_REVIEWS."
)
@in_json
@click.pass_context
def review(  # noqa: PLR0913 (a verb has that many options)
    context: click.Context,
    *,
    period: str | None,
    first: str | None,
    last: str | None,
    line: str | None,
    volumes: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Count what the cases of a period teach: targets, broken promises, and who is worse than their peers.

    Counts cases that closed in the period and promises that fell due in it, from our database. Writes a page in each
    language, the figures as JSON, and the cases behind them as Parquet and CSV. Days are those of the time zone of the
    policies. With --json, prints the figures, and writes files only with --out.
    """
    if context.invoked_subcommand is not None:
        return
    from client.archive import records_of
    from client.lists import NoDatabase
    from policies import known_policies
    from review.making import Reader, make
    from review.producing import can_draw, produce, review_id
    from review.texts import Words
    from settings import configured

    settings, policies = configured(), known_policies()
    wanted = _wanted(period, first, last, line, volumes)
    folder = out or settings.reviews / review_id(wanted)
    with records_of(settings.database_url) as records, _progress() as beat:
        if records is None:
            raise NoDatabase("there is no database yet: set AFTER_SALES_DATABASE_URL, or start a worker")
        reader = Reader(records, beat)
        if as_json and out is None:
            made = make(records, policies, wanted, reader)
        else:
            made = produce(records, policies, wanted, folder, reader)
    if as_json:
        click.echo(made.model_dump_json())
        return
    words = Words(settings.staff_locale, policies)
    click.echo(_summary(made, words))
    page = f"review.{settings.staff_locale}.html" if can_draw() else "review.json"
    click.echo(str(folder / page))
    if not can_draw():
        click.echo("no pages and exports: their libraries are missing (pip install 'after-sales[review]')", err=True)


@review.command(
    "schedule", epilog=examples("review schedule --every month", "review schedule --every week --line express --stop")
)
@click.option("--every", type=EVERY, required=True, help="How often. Each review is of the latest one that has ended.")
@click.option("--line", help="Only cases of this line of business.")
@click.option("--stop", is_flag=True, help="Delete the schedule.")
def schedule_review(every: str, line: str | None, *, stop: bool) -> int:
    """Make reviews regularly: at 6:00 on Mondays, on the first of the month, or on the first of the quarter.

    A worker writes each review into AFTER_SALES_REVIEWS and notifies the managers in three sentences.
    """
    import asyncio

    from client.cases import Engine
    from client.reviewing.schedules import schedule, schedule_id, unschedule
    from policies import known_policies
    from review.making import zone_of

    policies = known_policies()
    if line is not None:
        one_of("--line", line, policies)

    async def change() -> bool:
        engine = await Engine.connect()
        if stop:
            return await unschedule(engine, every, line)
        await schedule(engine, every, line, str(zone_of(policies, line)))
        return True

    found = asyncio.run(change())
    known_as = schedule_id(every, line)
    if not stop:
        click.echo(f"{known_as} is scheduled")
    else:
        click.echo(f"{known_as} is deleted" if found else f"{known_as} was not scheduled", err=not found)
    return 0 if found else 1


def _wanted(
    period: str | None, first: str | None, last: str | None, line: str | None, volumes: Path | None
) -> "Wanted":
    """Return what the review is about. Raises `click.UsageError` for options that cannot be."""
    from datetime import UTC, datetime

    from cases.errors import InvalidInput
    from policies import known_policies
    from review.making import Wanted, zone_of
    from review.outliers import read_volumes
    from review.period import Every, chosen, latest
    from settings import configured

    policies = known_policies()
    if line is not None:
        one_of("--line", line, policies)
    if period is not None and (first is not None or last is not None):
        raise click.UsageError("--period is a whole week, month or quarter: use it, or --from and --to")
    now, zone = datetime.now(UTC), zone_of(policies, line)
    try:
        if first is None and last is None:
            found = latest(Every(period or Every.MONTH), now, zone)
        else:
            found = chosen(first, last, now, zone)
        return Wanted(found, now, line, read_volumes(volumes) if volumes else {}, configured().staff_locale)
    except InvalidInput as error:
        raise click.UsageError("; ".join(f"--{each.field} {each.problem}" for each in error.problems)) from None


def _summary(review: "Review", words: "Words") -> str:
    decided = [f"- {words.decision(one)} → {words.label('proposal', one.proposal)}" for one in review.decisions]
    return "\n".join([f"{words.text('title')} · {words.span(review)}", *words.three_sentences(review), *decided])


@contextmanager
def _progress() -> Iterator["Beat"]:
    """Show a bar with the time left on standard error, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("counting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
