"""Policy files on the command line: every fault names its file and key, so that whoever wrote it can mend it."""

# ruff: noqa: PLC0415 (`--help` must not wait for policies, Temporal and rich)

from pathlib import Path
from typing import Any

import click

from cases.contract import MOVE_POLICY
from console.arguments import CASE, examples, in_json, print_json


@click.group(epilog=examples("policy show fresh_food", "policy check", "policy preview --json"))
def policy() -> None:
    """Read, check and change policy files, which a business edits."""


some_files = click.argument(
    "files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


def _of_lines(files: tuple[Path, ...]) -> list[Path]:
    """The files of lines that are meant: what every line shares means each line beside it; none, those in force."""
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
    """Validate policy FILEs, or all in force; every fault is printed with file, key and reason. Exit code 2 if any."""
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
            click.echo(f"{path.name}: {found.line} {found.version}, all right")
    return 2 if bad else 0


@policy.command("show", epilog=examples("policy show fresh_food"))
@click.argument("line")
def show_policy(line: str) -> None:
    """Print the promises, remedies and terms of a LINE of business as tables."""
    from policies import known_policies

    known = known_policies()
    if line not in known:
        raise click.UsageError(f"there is no line {line}; there are {', '.join(sorted(known))}")
    from console import reading, terms

    reading.screen().print(terms.policy(known[line]))


@policy.command(epilog=examples("policy preview", "policy preview drafts/fresh_food.yaml --json"))
@some_files
@in_json
def preview(files: tuple[Path, ...], as_json: bool) -> int:
    """List the open cases that an edited policy FILE would change, and how, if they were moved to it. Changes nothing.

    FILE may lie anywhere; what every line shares is taken from beside it. Exit code 1 if a case could not be asked.
    """
    import asyncio

    import policies
    from client import policy_move as moving
    from client.cases import Engine
    from console import reading

    edited = [policies.load_file(path) for path in _of_lines(files)]

    async def look() -> list[dict[str, Any]]:
        engine = await Engine.connect()
        return [row for each in edited for row in await moving.previews(engine, each)]

    rows = asyncio.run(look())
    if as_json:
        for row in rows:
            print_json(row)
    else:
        reading.screen().print(reading.moves(rows))
    return 1 if any("unknown" in row for row in rows) else 0


@policy.command("move", epilog=examples('policy move HL-1 HL-2 --by manager.chen --reason "new terms from December"'))
@click.argument("cases", metavar="CASE...", nargs=-1, required=True, type=CASE)
@click.option("--by", required=True, help="Who moves them.")
@click.option("--reason", required=True, help="Why.")
@click.option("--version", help="Only to this version of the policy, such as the one of a preview.")
@in_json
def move_cases(cases: tuple[str, ...], by: str, reason: str, version: str | None, as_json: bool) -> int:
    """Move each open CASE to the policy that its worker has in force; the time consumed stays.

    Prints a line for each. A case that cannot be moved stops no other; the exit code is then 1.
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
        async for case, told in moving.moved(await Engine.connect(), list(dict.fromkeys(cases)), payload):
            refused = isinstance(told, str)
            bad += refused
            if as_json:
                print_json({"case_id": case} | ({"refused": told} if isinstance(told, str) else told))
            else:
                click.echo(f"{case} refused: {told}" if refused else reading.answer(case, MOVE_POLICY, told))
        return 1 if bad else 0

    return asyncio.run(move())


@policy.command("messages", epilog=examples("policy messages --locale en", "policy messages offer progress"))
@click.option("--locale", help="The language, such as en or zh-CN. Default: all.")
@click.argument("events", metavar="[EVENT]...", nargs=-1)
def show_messages(locale: str | None, events: tuple[str, ...]) -> None:
    """Print what customers and staff read: every message with made-up facts, or those of the EVENTs named."""
    from messages import EVENTS, LOCALES, preview

    if locale is not None and locale not in LOCALES:
        raise click.UsageError(f"there are no texts in {locale}; there are {', '.join(LOCALES)}")
    if unknown := [event for event in events if event not in EVENTS]:
        raise click.UsageError(f"there is no message {unknown[0]}; there are {', '.join(sorted(EVENTS))}")
    for language in [locale] if locale else LOCALES:
        for event, text in preview(language):
            if not events or event in events:
                click.echo(f"── {language} · {EVENTS[event].audience} · {event}\n{text.subject}\n\n{text.body}\n")
