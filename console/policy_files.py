"""`starter.py policy`: check, print and preview policy files, and move open cases to them."""

# ruff: noqa: PLC0415 (`--help` must not wait for policies, Temporal and rich)

from pathlib import Path
from typing import Any

import click

from cases.contract import MOVE_POLICY
from console.arguments import CASE, examples, in_json, print_json


@click.group(epilog=examples("policy show fresh_food", "policy check", "policy preview --json"))
def policy() -> None:
    """Check and show policy files, preview a change, and move open cases to it."""


some_files = click.argument(
    "files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


def _of_lines(files: tuple[Path, ...]) -> list[Path]:
    """Return the files of the lines to work on, by default those in force. The shared file means all lines."""
    import policies
    from settings import configured

    shared = policies.SHARED
    everything = {
        path
        for file in files or (configured().policies / shared,)
        if file.name == shared
        for path in file.parent.glob("*.yaml")
    }
    return sorted(path for path in {*files, *everything} if path.name != shared)


@policy.command(epilog=examples("policy check", "policy check policies/fresh_food.yaml"))
@some_files
def check(files: tuple[Path, ...]) -> int:
    """Validate policy FILEs, by default all in force.

    Prints every fault with file, key and reason. Exit code 2 if there are any.
    """
    import policies
    from cases.errors import InvalidInput

    bad = 0
    for path in _of_lines(files):
        try:
            found = policies.load_file(path)
        except InvalidInput as error:
            bad += 1
            for problem in error.problems:
                click.echo(str(problem))
        else:
            click.echo(f"{path.name}: {found.line} {found.version}, valid")
    return 2 if bad else 0


@policy.command("show", epilog=examples("policy show fresh_food"))
@click.argument("line")
def show_policy(line: str) -> None:
    """Print the promises, remedies and terms of a LINE of business as tables."""
    from policies import known_policies

    known = known_policies()
    if line not in known:
        raise click.UsageError(f"there is no line {line}; choose one of {', '.join(sorted(known))}")
    from console import reading, terms

    reading.screen().print(terms.policy(known[line]))


@policy.command(
    epilog=examples(
        "policy preview",
        "policy preview drafts/fresh_food.yaml --json",
        "policy preview drafts/fresh_food.yaml --last 200",
    )
)
@some_files
@click.option(
    "--last",
    type=click.IntRange(1, 100_000),
    metavar="NUMBER",
    help="Also show what FILE would have promised, broken and paid in this many cases that closed last.",
)
@in_json
def preview(files: tuple[Path, ...], last: int | None, as_json: bool) -> int:
    """Show how open cases would change if they were moved to an edited policy FILE. Changes nothing.

    FILE can be in any folder; every_line.yaml is read from the same folder. Exit code 1 if a case did not answer.

    With --last, the records of closed cases come from our database. What happened stays, and the terms of FILE are
    applied to it. With --json, prints one line for each open case, then one for each FILE.
    """
    import asyncio

    import policies
    from client import policy_move as moving
    from client.cases import Engine
    from console import reading
    from console.afterwards import hindsight
    from settings import configured

    edited = [policies.load_file(path) for path in _of_lines(files)]

    async def look() -> list[dict[str, Any]]:
        engine = await Engine.connect()
        return [row for each in edited for row in await moving.previews(engine, each)]

    rows = asyncio.run(look())
    url = configured().database_url
    closed = [moving.in_hindsight(url, each, last) for each in edited] if last else []
    if as_json:
        for row in (*rows, *closed):
            print_json(row)
    else:
        reading.screen().print(reading.moves(rows))
        for found in closed:
            reading.screen().print(hindsight.rendered(found))
    return 1 if any("unknown" in row for row in rows) else 0


@policy.command("move", epilog=examples('policy move HL-1 HL-2 --by manager.chen --reason "new terms from December"'))
@click.argument("cases", metavar="CASE...", nargs=-1, required=True, type=CASE)
@click.option("--by", required=True, help="Your name.")
@click.option("--reason", required=True, help="Why they are moved.")
@click.option("--version", help="Refuse unless this version is in force, such as the one from the preview.")
@in_json
def move_cases(cases: tuple[str, ...], by: str, reason: str, version: str | None, as_json: bool) -> int:
    """Move each open CASE to the policy in force on its worker. No clock is reset.

    Prints one line for each case. If a case cannot be moved, the others still are, and the exit code is 1.
    """
    import asyncio

    from cases.errors import Refusal
    from cases.inbox.messages import read

    try:
        message = read(MOVE_POLICY, {"by": by, "reason": reason, "version": version})
    except Refusal as error:
        raise click.UsageError(str(error)) from None

    from client import policy_move as moving
    from client.cases import Engine
    from console import reading

    async def move() -> int:
        bad = 0
        payload = message.model_dump(mode="json", exclude_none=True)
        async for case, answer in moving.moved(await Engine.connect(), list(dict.fromkeys(cases)), payload):
            refused = isinstance(answer, str)
            bad += refused
            if as_json:
                print_json({"case_id": case} | ({"refused": answer} if isinstance(answer, str) else answer))
            else:
                click.echo(f"{case} refused: {answer}" if refused else reading.answer(case, MOVE_POLICY, answer))
        return 1 if bad else 0

    return asyncio.run(move())


@policy.command("messages", epilog=examples("policy messages --locale en", "policy messages offer progress"))
@click.option("--locale", help="Language, such as en or zh-CN. Default: all.")
@click.argument("events", metavar="[EVENT]...", nargs=-1)
def show_messages(locale: str | None, events: tuple[str, ...]) -> None:
    """Print the texts for customers and staff with example facts, by default for every EVENT."""
    from messages import EVENTS, LOCALES, preview

    if locale is not None and locale not in LOCALES:
        raise click.UsageError(f"there are no texts in {locale}; choose one of {', '.join(LOCALES)}")
    if unknown := [event for event in events if event not in EVENTS]:
        raise click.UsageError(f"there is no event {unknown[0]}; choose from {', '.join(sorted(EVENTS))}")
    for language in [locale] if locale else LOCALES:
        for event, text in preview(language):
            if not events or event in events:
                click.echo(f"── {language} · {EVENTS[event].audience} · {event}\n{text.subject}\n\n{text.body}\n")
