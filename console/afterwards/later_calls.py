"""`starter.py later-call`: enter what a customer said some time after the case had closed."""

# ruff: noqa: PLC0415 (`--help` must not wait for models, Temporal and rich)

from typing import Any

import click

from console.arguments import CASE, examples, in_json, print_json


@click.command(
    "later-call",
    epilog=examples(
        'later-call HL-1 --score 5 --comment "the child takes it well" --by li.na',
        "later-call HL-1 --not-reached --by li.na",
    ),
)
@click.argument("case", type=CASE)
@click.option("--score", type=click.IntRange(1, 5), help="How the product serves, from 1 (bad) to 5 (good).")
@click.option("--comment", help="What the customer said about it.")
@click.option("--not-reached", is_flag=True, help="The customer was not reached, and is not called again.")
@click.option("--by", required=True, help="Your name.")
@in_json
def later_call(case: str, not_reached: bool, as_json: bool, **given: Any) -> None:
    """Enter what the customer of the closed CASE said when an agent called later.

    The policy says for which cases an agent is asked to call. The answer is kept in our database, with the case.
    """
    import asyncio

    from cases.errors import Refusal
    from cases.inbox.messages import read
    from cases.later_call.later_call import ANSWERED, MESSAGES
    from client.afterwards.later_calls import answer
    from client.cases import Engine

    stated = {name: value for name, value in given.items() if value is not None}
    try:
        message = read(ANSWERED, {**stated, "reached": not not_reached}, MESSAGES, "a later call")
    except Refusal as error:
        raise click.UsageError(str(error)) from None

    async def deliver() -> dict[str, Any]:
        return await answer(await Engine.connect(), case, message.model_dump(mode="json", exclude_unset=True))

    reply = asyncio.run(deliver())
    if as_json:
        print_json(reply)
    else:
        click.echo(f"{case}: kept")
