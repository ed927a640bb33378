"""`starter.py forget`: remove who a person was from our database, and say what Temporal still holds."""

# ruff: noqa: PLC0415 (`--help` must not wait for models, Temporal and rich)

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from console.arguments import examples, in_json, print_json

if TYPE_CHECKING:
    from cases.forgetting import Person
    from client.afterwards.forgetting import Held
    from records import CaseOf


@click.command(
    epilog=examples(
        "forget --phone +8613800000001 --dry-run", "forget --phone +8613800000001 --email wang@example.com --yes"
    )
)
@click.option("--phone", help="The person's phone number, with or without the country code.")
@click.option("--email", help="The person's email address.")
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@in_json
def forget(phone: str | None, email: str | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Remove from our database who a person was.

    Finds every case of the person by phone number or email. Of closed cases, removes name, phone, email, address, the
    customer's words, remarks about them, references to their evidence, and the words by which they are found. Figures,
    money and ids stay. An open case is only listed: close it, then run this again.

    Also prints where evidence is stored, and what Temporal still holds and until when. Exit code 1 if anything of the
    person is left in our database.
    """
    import asyncio

    from client.afterwards import forgetting
    from settings import configured

    url = configured().database_url
    cases = forgetting.found(url, _person(phone, email))
    closed, left = [case for case in cases if not case.is_open], [case.case_id for case in cases if case.is_open]
    held, unknown = asyncio.run(_held([case.case_id for case in cases]))
    if not as_json:
        _print_plan(closed, left, held, unknown)
    if closed and not dry_run:
        if not yes:
            click.confirm(f"Forget who the customer was in {_counted(len(closed))}?", abort=True, err=True)
        left += forgetting.forget(url, [case.case_id for case in closed], datetime.now(UTC))
    done = [] if dry_run else [case.case_id for case in closed if case.case_id not in left]
    if as_json:
        print_json(_as_json(closed, left, done, held, unknown))
    elif not dry_run:
        click.echo(f"forgotten in {_counted(len(done))}")
    return 1 if left or (dry_run and closed) else 0


def _person(phone: str | None, email: str | None) -> "Person":
    import re

    from cases.forgetting import FEWEST_DIGITS, Person

    if phone is None and email is None:
        raise click.UsageError("give --phone, --email or both")
    if phone is not None and len(re.sub(r"\D", "", phone)) < FEWEST_DIGITS:
        raise click.BadParameter(f"is not a whole number: give at least {FEWEST_DIGITS} digits", param_hint="'--phone'")
    if email is not None and not re.fullmatch(r"\s*[^@\s]+@[^@\s]+\s*", email):
        raise click.BadParameter("is not an address such as wang@example.com", param_hint="'--email'")
    return Person(phone, email)


async def _held(case_ids: list[str]) -> "tuple[list[Held], str | None]":
    """Return what Temporal holds of these cases, or why that is not known."""
    from client.afterwards.forgetting import held
    from client.cases import Engine
    from client.connection import Unreachable

    if not case_ids:
        return [], None
    try:
        return await held(await Engine.connect(), case_ids), None
    except Unreachable as error:
        return [], str(error)


def _counted(cases: int) -> str:
    return "1 case" if cases == 1 else f"{cases} cases"


def _print_plan(closed: "list[CaseOf]", left: list[str], held: "list[Held]", unknown: str | None) -> None:
    from console.reading import clock, plain

    if not closed and not left:
        click.echo("our database has no case of this person")
    for case in closed:
        click.echo(f"{plain(case.case_id)}: closed, {plain(case.line)}")
        for uri in case.evidence:
            click.echo(f"  delete yourself: {plain(uri)}")
    for case_id in left:
        what_to_do = f"close it (starter.py show {plain(case_id)}), then run this again"
        click.echo(f"{plain(case_id)}: open, and left alone: {what_to_do}")
    for each in held:
        until = f"until {clock(each.until)}" if each.until else "for its retention time after it has closed"
        click.echo(f"Temporal holds {plain(each.workflow)} {until}")
    if unknown:
        click.echo(f"what Temporal holds is not known: {unknown}", err=True)


def _as_json(
    closed: "list[CaseOf]", left: list[str], done: list[str], held: "list[Held]", unknown: str | None
) -> dict[str, Any]:
    return {
        "closed": [{"case_id": case.case_id, "line": case.line, "evidence": case.evidence} for case in closed],
        "forgotten": done,
        "left": left,
        "temporal": [
            {"case_id": each.case_id, "workflow": each.workflow, "until": each.until and each.until.isoformat()}
            for each in held
        ],
        "temporal_unknown": unknown,
    }
