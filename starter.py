"""The command line: one function per verb. What a user can cause ends in a sentence and an exit code, not a traceback.

Exit codes: 0 done, 1 a refusal or a fault of ours, 2 bad usage or bad input.
"""

# ruff: noqa: PLC0415 (what talks to Temporal, or draws, is imported by the verbs that do: `plan` has to start fast)

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from cases.calendar import Measure, length
from cases.errors import AfterSalesError, InvalidInput
from cases.names import Status
from cases.plan import plan_line
from console.intake import at_the_door
from console.policy_files import known_policies, policy
from console.verbs import Sections, verbs
from settings import ROOT, configured

PORT = click.IntRange(0, 65535)


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def cli() -> None:
    """Every customer complaint as one durable case.

    To begin: "starter.py up" in one terminal, then "starter.py open FILE", "starter.py list" and
    "starter.py show CASE" in another. The server is the one that TEMPORAL_ADDRESS names, or 127.0.0.1:7233.
    """


for verb in (*verbs(), policy):
    cli.add_command(verb)

in_json = click.option("--json", "as_json", is_flag=True, help="JSON on standard output, for programs.")


@cli.command()
@click.option("--stay", is_flag=True, help="Leave server and UI up at the end, until Ctrl-C.")
def demo(stay: bool) -> int:
    """Tell the whole story on this machine, its days skipped; ends by itself."""
    from demo import main as tell

    configured()
    return tell(stay=stay)


@cli.command()
@click.option("--port", type=PORT, default=7233, show_default=True, help="Of the Temporal server; 0: any free one.")
@click.option("--ui-port", type=PORT, default=8233, show_default=True, help="Of its UI.")
@click.option("--partners-port", type=PORT, default=8733, show_default=True, help="Of the partner sandbox.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder for databases and logs.  [default: data]")
@click.option("--ephemeral", is_flag=True, help="Keep nothing when it ends.")
def up(port: int, ui_port: int, partners_port: int, data: Path | None, ephemeral: bool) -> None:
    """Run everything on this machine until Ctrl-C: Temporal with its UI, the partner sandbox, a worker."""
    from embedded import Embedded

    if ephemeral and data:
        raise click.UsageError("--data keeps what --ephemeral throws away: give one of the two")
    configured()  # the worker would end with the same sentences, in its log
    folder = None if ephemeral else data or ROOT / "data"
    here = Embedded(data=folder, port=port, ui_port=ui_port, partners_port=partners_port)

    async def until_interrupted() -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, task.cancel if task else sys.exit)
        async with here:
            click.echo(f"ready  temporal {here.address}  ui {here.ui}  partners {here.partners}")
            click.echo(f"logs in {here.logs}; Ctrl-C ends everything", err=True)
            await here.wait()

    try:
        asyncio.run(until_interrupted())
    except asyncio.CancelledError:
        click.echo("ended", err=True)


@cli.command("open")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.File("rb"))
def open_cases(files: tuple[BinaryIO, ...]) -> int:
    """Start a case for each complaint in FILE: a JSON object, an array, or one a line (NDJSON); - is standard input.

    Prints a line for each. A bad complaint is named by file, line and field, and stops no other; the exit code is
    then 1.
    """
    return asyncio.run(_open(files))


async def _open(files: tuple[BinaryIO, ...]) -> int:
    from console.engine import Engine

    known, engine, bad = known_policies(), None, 0
    for file in files:
        for found in at_the_door(file.name, file.read(), known, datetime.now(UTC)):
            if found.complaint is None or found.policy is None:
                bad += 1
                click.echo(f"{found.name} refused: {found.fault}")
                continue
            engine = engine or await Engine.connect()
            click.echo(f"{found.complaint.case_id} {await engine.open(found.complaint, found.raw, found.policy)}")
    return 1 if bad else 0


@cli.command()
@click.argument("case")
@click.option("--description", help="What is wrong now.  [default: what the closed case was about]")
@click.option("--by", help="Who takes it up again.")
def reopen(case: str, description: str | None, by: str | None) -> None:
    """Take a closed CASE up again: open the case that follows it, with the policy in force now and a new clock.

    What was found and shown before still counts; what was offered is offered anew. The same CASE again gives the same
    follow-up.
    """
    from console.engine import Engine
    from console.reopening import reopen as take_up

    async def again() -> tuple[str, str]:
        return await take_up(await Engine.connect(), case, datetime.now(UTC), description=description, by=by)

    new, how = asyncio.run(again())
    click.echo(f"{new} {how}, it follows {case}")


@cli.command()
@click.argument("file", type=click.File("rb"))
def plan(file: BinaryIO) -> int:
    """What would we promise and offer? One JSON line for each line {"complaint": …, "finding": …, "now": …} of FILE.

    "finding" and "now" may be left out; - is standard input. Needs no server. A line that cannot be planned gets
    "errors", and the exit code is then 2.
    """
    known, faulty = known_policies(), False
    for number, line in enumerate(file):
        if not line.strip():
            continue
        try:
            planned = plan_line(line.decode("utf-8" if number else "utf-8-sig"), known, datetime.now(UTC))
        except UnicodeDecodeError:
            planned = {"errors": [{"field": "(whole)", "problem": "is not text in UTF-8"}]}
        faulty = faulty or "errors" in planned
        _print_json(planned)
    return 2 if faulty else 0


@cli.command()
@click.argument("case")
@in_json
def show(case: str, as_json: bool) -> None:
    """Where a case stands and what comes next: its promises, offers, steps, money and timeline."""
    from console import engine, reading

    async def look() -> dict[str, Any]:
        return await (await engine.Engine.connect()).snapshot(case)

    try:
        seen = asyncio.run(look())
    except engine.NoSuchCase:
        # The server forgets a closed case after a while; our own records do not (G9).
        record = engine.archived(case, configured().database_url)
        if record is None:
            raise
        seen = record["record"]
    if as_json:
        _print_json(seen)
    else:
        reading.screen().print(reading.case(seen), crop=False)


@cli.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--line", help="A line of business.")
@click.option("--team", help="The team that owns the case.")
@click.option("--overdue", is_flag=True, help="Open cases that broke a promise, or are past a deadline.")
@in_json
def list_cases(status: str | None, line: str | None, team: str | None, overdue: bool, as_json: bool) -> None:
    """The cases that the server knows, latest first; with --json a line of JSON for each."""
    from console import engine, reading

    wanted = {"CaseStatus": status, "CaseLine": line, "CaseTeam": team}
    conditions = [engine.equals(name, value) for name, value in wanted.items() if value]
    conditions += engine.overdue(datetime.now(UTC)) if overdue else []

    async def look() -> list[dict[str, Any]]:
        return [row async for row in (await engine.Engine.connect()).cases(*conditions)]

    rows = asyncio.run(look())
    if as_json:
        for row in rows:
            _print_json(row)
    else:
        reading.screen().print(reading.listing(rows))


@cli.command()
@in_json
def stuck(as_json: bool) -> int:
    """What needs a person for a technical reason, and what to do; exit code 1 if anything does.

    Every open case is looked at. With --json a line of JSON for each thing found.
    """
    from console import engine, reading
    from console import stuck as search

    async def look() -> list[dict[str, Any]]:
        return await search.stuck(await engine.Engine.connect())

    rows = asyncio.run(look())
    if as_json:
        for row in rows:
            _print_json(row)
    else:
        reading.screen().print(reading.stuck(rows))
    return 1 if rows else 0


@cli.command()
@click.argument("case", required=False)
@in_json
def watch(case: str | None, as_json: bool) -> None:
    """Follow CASE until it closes, or every open case, until Ctrl-C."""
    from console.watching import follow_all, follow_case

    raw = _print_json if as_json else None
    try:
        asyncio.run(follow_case(case, click.echo, raw) if case else follow_all(click.echo, raw))
    except KeyboardInterrupt:
        click.echo(err=True)


@cli.command()
@click.argument("case")
@click.argument("time", nargs=-1, required=True, metavar="TIME")
def skip(case: str, time: tuple[str, ...]) -> None:
    """Move the clock of CASE forward by TIME (30s, 10m, 24h, 7 days); only on the server of "starter.py up"."""
    from console.engine import Engine

    try:
        wanted = length(" ".join(time))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if wanted.measure is Measure.WORKING:
        raise click.UsageError("a clock moves by hours and days, not by working days: write 30s, 10m, 24h or 7 days")

    async def move() -> datetime:
        return await (await Engine.connect()).skip(case, wanted.amount)

    from console.reading import clock

    click.echo(f"{case}: it is {clock(asyncio.run(move()).isoformat())} there now")


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def _check(arguments: list[str]) -> None:
    """Raise `click.UsageError` for bytes that are no text; a file may be called so."""
    for number, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            if not os.path.exists(argument):  # noqa: PTH110 (one too long for a path is none)
                raise click.UsageError(f"argument {number} is not text in UTF-8") from None


def main(arguments: list[str] | None = None) -> int:
    """Run one verb, by default the one that the process was started with; its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        _check(arguments)
        code = cli.main(arguments, prog_name="starter.py", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except InvalidInput as error:
        click.echo("\n".join(str(problem) for problem in error.problems), err=True)
        return 2
    except AfterSalesError as error:
        click.echo(str(error), err=True)
        return 1
    except OSError as error:
        click.echo(f"{error.filename or 'standard output'} cannot be used: {error.strerror}", err=True)
        return 1
    except (KeyboardInterrupt, click.Abort):
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what cannot be shown ends no verb
    # The SDK's native threads may still call into the interpreter while it is being torn down, which now and then
    # crashes a command that has done its work: leave without tearing down. All output was flushed as it was written.
    os._exit(main())
