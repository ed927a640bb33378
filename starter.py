"""The command line: one function per verb. An error that a user can cause prints a sentence, not a traceback.

Exit codes: 0 success, 1 a refusal or an internal error, 2 bad usage or bad input.
"""

# ruff: noqa: PLC0415 (each verb imports what it needs, so that `--help` and `plan` start fast)

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from cases.vocabulary import Status
from console.afterwards.forgetting import forget
from console.afterwards.later_calls import later_call
from console.afterwards.measures import measure
from console.arguments import ALL, CASE, LIMIT, examples, in_json, one_of, print_json
from console.customers.links import link
from console.keys import key
from console.policy_files import policy
from console.review import review
from console.simulating import simulate
from console.verbs import Sections
from console.webhooks import webhook

PORT = click.IntRange(0, 65535)


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def cli() -> None:
    """Handle each customer complaint as one durable case.

    Connects to the Temporal server at TEMPORAL_ADDRESS (default: 127.0.0.1:7233). Every verb has --help with examples.

    \b
    To get started, run in one terminal:
      starter.py up
    and in another:
      starter.py open --example fresh_food | starter.py open -
      starter.py list
      starter.py show CASE
    """  # noqa: D301 (click takes the character)


cli.add_command(policy)
cli.add_command(key)
cli.add_command(simulate)
cli.add_command(review)
cli.add_command(webhook)
cli.add_command(measure)
cli.add_command(later_call)
cli.add_command(forget)
cli.add_command(link)


@cli.command(epilog=examples("demo", "demo --stay"))
@click.option("--stay", is_flag=True, help="Keep the server and its UI running at the end, until Ctrl-C.")
def demo(stay: bool) -> int:
    """Play complaints from every line on this machine. Time is skipped; exits when done."""
    from demo import main as play
    from settings import configured

    configured()
    return play(stay=stay)


@cli.command(epilog=examples("up", "up --ephemeral --port 0 --ui-port 0 --partners-port 0 --web-port 0"))
@click.option("--port", type=PORT, default=7233, help="Port of the Temporal server. Default: 7233; 0: any free port.")
@click.option("--ui-port", type=PORT, default=8233, help="Port of the Temporal UI. Default: 8233; 0: any free port.")
@click.option(
    "--partners-port", type=PORT, default=8733, help="Port of the partner sandbox. Default: 8733; 0: any free port."
)
@click.option("--web-port", type=PORT, default=8735, help="Port of the web server. Default: 8735; 0: any free port.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder for databases and logs. Default: data.")
@click.option("--ephemeral", is_flag=True, help="Delete all data at the end.")
def up(data: Path | None, ephemeral: bool, **ports: Any) -> None:
    """Run everything on this machine until Ctrl-C.

    Starts Temporal with its UI, the partner sandbox, a worker and the web server. Prints a line that begins with
    "ready" when all are up.
    """
    import asyncio
    import signal

    from embedded import Embedded
    from settings import DATA, configured
    from web.desk.people import DEMONSTRATION as PEOPLE

    if ephemeral and data:
        raise click.UsageError("--data keeps what --ephemeral deletes: use one of the two")
    configured()  # report bad settings here; the worker would report them only in its log
    folder = None if ephemeral else data or DATA
    here = Embedded(data=folder, **ports)

    async def until_interrupted() -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, task.cancel if task else sys.exit)
        async with here:
            click.echo(f"ready  temporal {here.address}  ui {here.ui}  partners {here.partners}  web {here.web}")
            click.echo(f"desk   {here.web}/desk  log in as {', '.join(PEOPLE)}")
            click.echo(f"logs in {here.logs}; Ctrl-C stops everything", err=True)
            await here.wait()

    try:
        asyncio.run(until_interrupted())
    except asyncio.CancelledError:
        click.echo("stopped", err=True)


@cli.command(
    "open",
    epilog=examples(
        "open complaint.json", "open --example fresh_food", "open --example fresh_food | starter.py open -"
    ),
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.File("rb"))
@click.option("--example", "line", metavar="LINE", help="Print an example complaint for that line; opens no case.")
@click.option("--topic", help="Topic of the example. Default: damage, if the line has such a topic.")
def open_cases(files: tuple[BinaryIO, ...], line: str | None, topic: str | None) -> int:
    """Open a case for each complaint in FILE.

    FILE contains a JSON object, an array, or one object per line (NDJSON); - is standard input. Prints one line for
    each complaint. An invalid complaint is reported with file, line and field, and the others are still opened.

    Exit code 1 if a complaint was refused, or if its id belongs to a case with different content. If many entries are
    not complaints (objects with a case_id), two are reported and the rest is counted. Exit code 2 if a FILE is empty.
    """
    if line is not None and not files:
        return _example(line, topic)
    if line is not None:
        raise click.UsageError("--example takes no FILE: it prints a complaint and opens no case")
    if topic is not None:
        raise click.UsageError("--topic needs --example LINE")
    if not files:
        raise click.UsageError("Missing argument 'FILE...': a file with complaints, or - for standard input")
    import asyncio

    return asyncio.run(_open(files))


def _example(line: str, topic: str | None) -> int:
    import json

    from console.example import example
    from policies import known_policies

    known = known_policies()
    one_of("--example", line, known)
    if topic is not None:
        one_of("--topic", topic, known[line].topics)
    click.echo(json.dumps(example(known[line], topic, datetime.now().astimezone()), indent=2))
    return 0


async def _open(files: tuple[BinaryIO, ...]) -> int:
    import asyncio

    from client.cases import Engine
    from client.intake import complaints_in
    from client.opening import Opened, Opening
    from policies import known_policies

    known, opening = known_policies(), None
    results: list[tuple[str, Opened | asyncio.Task[Opened]]] = []
    empty: list[str] = []
    for file in files:
        entries = list(complaints_in(file.name, file.read(), known, datetime.now(UTC)))
        if not entries:
            empty.append(file.name)
        for found in entries:
            if found.complaint is None or found.policy is None:
                results.append((found.name, Opened(f"refused: {found.fault}", ok=False)))
                continue
            opening = opening or Opening(await Engine.connect())
            started = await opening.start(found.complaint, found.raw, found.policy)
            results.append((found.complaint.case_id, started))
    bad = 0
    for name, result in results:
        opened = result if isinstance(result, Opened) else await result
        bad += not opened.ok
        click.echo(f"{name} {opened.text}")
    for name in empty:
        click.echo(f"{name} is empty: it contains no complaint", err=True)
    if empty:
        return 2
    return 1 if bad else 0


@cli.command(epilog=examples('reopen HL-1 --description "the new slab is cracked too" --by li.na'))
@click.argument("case", type=CASE)
@click.option("--description", help="What is wrong now. Default: the description of the closed case.")
@click.option("--by", help="Your name.")
def reopen(case: str, description: str | None, by: str | None) -> None:
    """Open a new case that follows a closed CASE.

    It uses the policy in force now and makes new promises. Earlier findings and evidence still count; offers are made
    again. Running this again finds the same follow-up case.
    """
    import asyncio

    from client.cases import Engine
    from client.reopening import reopen as open_follow_up

    async def again() -> tuple[str, str]:
        return await open_follow_up(await Engine.connect(), case, datetime.now(UTC), description=description, by=by)

    new, how = asyncio.run(again())
    click.echo(f"{new} {how}, it follows {case}")


@cli.command(epilog=examples("plan complaint.json", "open --example fresh_food | starter.py plan -"))
@click.argument("file", type=click.File("rb"))
def plan(file: BinaryIO) -> int:
    """Print what would be promised and offered for the complaints in FILE.

    Needs no server and opens no case. FILE contains a JSON object, an array, or one object per line (NDJSON); - is
    standard input. Each object is a complaint, or {"complaint": …, "finding": …, "now": …}; "finding" and "now" are
    optional. Prints one line of JSON for each. An object that cannot be planned gets "errors"; the exit code is then 2.
    """
    from cases.entitlement.plan import as_errors, plan_or_errors
    from client.intake import values
    from policies import known_policies

    known, now = known_policies(), datetime.now(UTC)
    found = values(file.name, file.read())
    answers = [as_errors(each.fault) if each.fault else plan_or_errors(each.value, known, now) for each in found]
    for answer in _shortened_if_unreadable(answers):
        print_json(answer)
    return 2 if any("errors" in answer for answer in answers) else 0


def _shortened_if_unreadable(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers; if no line could be read, only two of them and the number of the others."""
    rest = len(answers) - 2
    if rest < 1 or not all("errors" in answer and answer["errors"][0]["field"] == "(whole)" for answer in answers):
        return answers
    problem = f"{rest} more lines cannot be read either"
    return [*answers[:2], {"errors": [{"field": "(whole)", "problem": problem}]}]


@cli.command(epilog=examples("show HL-1", "show HL-1 --json"))
@click.argument("case", type=CASE)
@in_json
def show(case: str, as_json: bool) -> None:
    """Print the state of CASE, and what to do next."""
    import asyncio

    from cases.views.snapshot import Snapshot
    from client.archive import archived
    from client.cases import Engine
    from client.errors import NoSuchCase
    from console import reading
    from settings import configured

    async def look() -> Snapshot:
        return await (await Engine.connect()).snapshot(case)

    try:
        seen = asyncio.run(look())
    except NoSuchCase:
        # The server deletes a closed case after a while; our database keeps it (G9).
        kept = archived(case, configured().database_url)
        if kept is None:
            raise
        seen = kept.record
    if as_json:
        print_json(seen.as_json())
    else:
        reading.screen().print(reading.case(seen), crop=False)


@cli.command(
    "list",
    epilog=examples(
        "list",
        "list --line fresh_food --overdue",
        "list --owner li.na --json",
        "list --search 岩板",
        'list --all --search "0001 王芳"',
        "list --limit all",
    ),
)
@click.option("--line", help="Only cases of this line of business.")
@click.option("--topic", help="Only cases about this topic.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only cases with this status.")
@click.option("--team", help="Only cases of this team.")
@click.option("--owner", help="Only cases of this person.")
@click.option("--order", help="Only cases about this order.")
@click.option(
    "--search",
    metavar="TEXT",
    help="Only cases with these words, in any order: ids, the customer's name, email and description, items, and the "
    "last digits (four or more) of the phone number. Part of a Chinese text is enough.",
)
@click.option("--overdue", is_flag=True, help="Only open cases that broke a promise, or are past a deadline.")
@click.option("--all", "closed_too", is_flag=True, help="Include closed cases; list all cases latest first.")
@click.option("--limit", type=LIMIT, help="How many to print: a number, or all. Default: 100; with --json: all.")
@in_json
def list_cases(as_json: bool, limit: int | None, **filters: Any) -> int:
    """Print the open cases, the one that is due next first.

    The list comes from our database (AFTER_SALES_DATABASE_URL). Without one, it comes from Temporal, and standard error
    says so. Then --search is not possible, --owner is slow because it queries each case, and cases that Temporal has
    deleted are missing.

    With --json, prints one line of JSON for each. Exit code 1 if a case did not answer.
    """
    import asyncio

    from console import listing, reading

    shown = limit or (None if as_json else 100)
    found = asyncio.run(listing.find(listing.Filters(**filters), None if shown == ALL else shown))
    if as_json:
        for row in found.rows:
            print_json(row)
    else:
        drawn = listing.rendered(found.rows, more=found.total - len(found.rows))
        reading.screen().print(drawn, width=listing.COLUMNS)
    for sentence in (*found.notes, *found.errors):
        click.echo(sentence, err=True)
    return 1 if found.errors else 0


@cli.command(epilog=examples("stuck", "stuck --json"))
@in_json
def stuck(as_json: bool) -> int:
    """Print cases that cannot continue without help, and what to do.

    Checks every open case, and contested payments of closed ones. Exit code 1 if anything is stuck. With --json,
    prints one line of JSON for each finding.
    """
    import asyncio

    from client import stuck as search
    from client.cases import Engine
    from console import reading

    async def look() -> list[dict[str, Any]]:
        return await search.stuck(await Engine.connect())

    rows = asyncio.run(look())
    if as_json:
        for row in rows:
            print_json(row)
    else:
        reading.screen().print(reading.stuck(rows))
    return 1 if rows else 0


@cli.command(epilog=examples("reconcile", "reconcile --json"))
@in_json
def reconcile(as_json: bool) -> None:
    """Compare our database with the cases that Temporal has, now, and correct the rows that are wrong.

    The worker does this every ten minutes. Changes within the last minute are left for the next run.
    """
    import asyncio

    from client.cases import Engine
    from client.reconcile_runs import reconcile as compare
    from client.reconciling import Progress
    from console import listing

    async def run() -> Progress:
        return await compare(await Engine.connect())

    done = asyncio.run(run())
    if as_json:
        print_json(done.as_json())
    else:
        click.echo(listing.reconciled(done))


@cli.command(epilog=examples("reseal", "reseal --json"))
@in_json
def reseal(as_json: bool) -> None:
    """Encrypt the rows for lists and searches in our database with the first key.

    Run this after keys were configured or changed: a case encrypts its row only when it changes, so the rows of closed
    cases stay as they are. Afterwards these rows need no earlier key. The archive of closed cases is never encrypted.
    """
    from client.archive import reseal as seal
    from settings import configured

    settings = configured()
    if settings.encryption_keys is None and settings.encryption_keys_file is None:
        raise click.UsageError("no keys: set AFTER_SALES_ENCRYPTION_KEYS_FILE (or …_KEYS) as for the worker")
    cases = seal(settings.database_url)
    if as_json:
        print_json({"cases": cases})
    else:
        click.echo(f"{cases} case{'' if cases == 1 else 's'} encrypted with the first key")


@cli.command(epilog=examples("watch HL-1", "watch"))
@click.argument("case", required=False, type=CASE)
@in_json
def watch(case: str | None, as_json: bool) -> None:
    """Follow CASE until it closes, or every open case, until Ctrl-C."""
    import asyncio

    from console.watching import follow_all, follow_case

    raw = print_json if as_json else None
    try:
        asyncio.run(follow_case(case, click.echo, raw) if case else follow_all(click.echo, raw))
    except KeyboardInterrupt:
        click.echo(err=True)


@cli.command(epilog=examples("skip HL-1 24h", "skip HL-1 7 days"))
@click.argument("case", type=CASE)
@click.argument("time", nargs=-1, required=True, metavar="TIME")
def skip(case: str, time: tuple[str, ...]) -> None:
    """Move the clock of CASE forward by TIME: 30s, 10m, 24h, 7 days.

    Works only with the server of "starter.py up". Other cases are not affected.
    """
    import asyncio

    from cases.calendar import WORKED, length
    from client.cases import Engine

    try:
        wanted = length(" ".join(time))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if wanted.measure in WORKED:
        raise click.UsageError("TIME cannot be working time: write 30s, 10m, 24h or 7 days")

    async def move() -> datetime:
        return await (await Engine.connect()).skip(case, wanted.amount)

    from console.reading import clock

    click.echo(f"{case}: its clock is now at {clock(asyncio.run(move()).isoformat())}")


def _check(arguments: list[str]) -> None:
    """Raise `click.UsageError` for an argument that is not text, unless a file has that name."""
    for number, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            if not os.path.exists(argument):  # noqa: PTH110 (Path.exists raises if the name is too long)
                raise click.UsageError(f"argument {number} is not text in UTF-8") from None


def main(arguments: list[str] | None = None) -> int:
    """Run the verb in `arguments`, by default those of the process. Return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        _check(arguments)
        code = cli.main(arguments, prog_name="starter.py", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OSError as error:
        click.echo(f"{error.filename or 'standard output'} cannot be used: {error.strerror}", err=True)
        return 1
    except (KeyboardInterrupt, click.Abort):
        return 1
    except Exception as error:
        from cases.errors import AfterSalesError, InvalidInput

        if not isinstance(error, AfterSalesError):
            raise
        problems = error.problems if isinstance(error, InvalidInput) else [error]
        click.echo("\n".join(map(str, problems)), err=True)
        return 2 if isinstance(error, InvalidInput) else 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # unencodable text must not fail a verb
    # The SDK's native threads may still call into the interpreter during its shutdown, which sometimes crashes a
    # command that is done. So exit without a shutdown; all output has been flushed.
    os._exit(main())
