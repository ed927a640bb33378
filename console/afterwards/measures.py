"""`starter.py measure`: list the improvement measures that reviews have proposed, adopt them, and end them."""

# ruff: noqa: PLC0415 (`--help` must not wait for models, Temporal and rich)

from datetime import UTC, datetime
from typing import Any

import click

from console.arguments import examples, in_json, one_of, print_json

PREFIX = "measure-"
"""The prefix of a measure's workflow id in Temporal; people copy either id."""


class MeasureId(click.ParamType[str]):
    """The id of a measure, with or without the prefix of its workflow."""

    name = "MEASURE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id without the prefix."""
        import re

        found = str(value).strip().removeprefix(PREFIX)
        if not re.fullmatch(r"[a-z]{1,20}-[0-9a-f]{8}", found):
            self.fail(f"{found!a} is not the id of a measure, such as carrier-3f9a2c1b", param, ctx)
        return found


MEASURE = click.argument("measure_id", metavar="MEASURE", type=MeasureId())
by = click.option("--by", required=True, help="Your name.")


@click.group(epilog=examples("measure list", "measure adopt carrier-3f9a2c1b --owner li.na --due 2026-12-15 --by chen"))
def measure() -> None:
    """List what reviews propose to improve, adopt a measure, and end it."""


@measure.command("list", epilog=examples("measure list", "measure list --line fresh_food --all --json"))
@click.option("--line", help="Only measures of this line of business.")
@click.option("--all", "ended_too", is_flag=True, help="Include measures that are done or dropped.")
@in_json
def list_measures(line: str | None, ended_too: bool, as_json: bool) -> None:
    """Print the measures that are proposed or adopted, the next due date first.

    They come from our database (AFTER_SALES_DATABASE_URL). With --json, prints one line of JSON for each.
    """
    from client.afterwards.measures import listed
    from console import reading
    from policies import known_policies
    from settings import configured

    if line is not None:
        one_of("--line", line, known_policies())
    rows = listed(configured().database_url, line, ended_too=ended_too, now=datetime.now(UTC))
    if as_json:
        for row in rows:
            print_json(row)
    else:
        cells = ((row["measure_id"], row["line"], _state(row), _what(row), row["owner"], row["due_on"]) for row in rows)
        shown = reading.table("", "measure, line, state, what, owner, due", cells)
        reading.screen().print(shown or "no measures")


def _state(row: dict[str, Any]) -> str:
    return "overdue" if row["overdue"] else str(row["state"])


def _what(row: dict[str, Any]) -> str:
    about = f"{row['proposal'].replace('_', ' ')}: {row['dimension']} {row['subject']}\n{row['reason']}"
    return f"{about}\n{row['result']}" if row["result"] else about


@measure.command(epilog=examples("measure adopt carrier-3f9a2c1b --owner li.na --due 2026-12-15 --by chen"))
@MEASURE
@click.option("--owner", required=True, help="Who is responsible for it.")
@click.option("--due", required=True, metavar="DATE", help="The last day on which it may be done, such as 2026-12-15.")
@by
@in_json
def adopt(measure_id: str, as_json: bool, **payload: str) -> None:
    """Adopt MEASURE: its owner is reminded before the due date, and others are notified if it is overdue."""
    _send(measure_id, "adopt", payload, as_json=as_json)


@measure.command(epilog=examples('measure done carrier-3f9a2c1b --result "another carrier serves the east" --by li.na'))
@MEASURE
@click.option("--result", required=True, help="What was done.")
@by
@in_json
def done(measure_id: str, as_json: bool, **payload: str) -> None:
    """Enter that MEASURE is done. The next reviews show whether its figure has moved."""
    _send(measure_id, "done", payload, as_json=as_json)


@measure.command(epilog=examples('measure drop carrier-3f9a2c1b --reason "the carrier has closed" --by li.na'))
@MEASURE
@click.option("--reason", required=True, help="Why it is not pursued.")
@by
@in_json
def drop(measure_id: str, as_json: bool, **payload: str) -> None:
    """Drop MEASURE, whether it was adopted or not."""
    _send(measure_id, "drop", payload, as_json=as_json)


def _send(measure_id: str, name: str, payload: dict[str, str], *, as_json: bool) -> None:
    import asyncio

    from cases.errors import Refusal
    from cases.inbox.messages import read
    from cases.measure.measure import MESSAGES
    from client.afterwards.measures import send
    from client.cases import Engine

    try:
        message = read(name, payload, MESSAGES, "a measure")
    except Refusal as error:
        raise click.UsageError(str(error)) from None

    async def deliver() -> dict[str, Any]:
        engine = await Engine.connect()
        return await send(engine, measure_id, name, message.model_dump(mode="json", exclude_unset=True))

    answer = asyncio.run(deliver())
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{measure_id} {answer['state']}" if answer["applied"] else f"nothing changed: {answer['why']}")
