"""One verb per message, built from the message's model when it is used. `console.words` has the help texts."""

# ruff: noqa: PLC0415 (`--help` and usage errors must not wait for models, Temporal and rich)

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_args, get_origin

import click

from console import words
from console.arguments import CASE, IN_JSON, examples, print_json

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


PAIRS: dict[str, tuple[str, str]] = {"evidence": ("kind", "uri"), "affected": ("sku", "quantity")}
"""Lists that are easier to give as `--evidence photo=URI --evidence …` than as JSON."""


class Pair(click.ParamType[Any]):
    """`kind=uri`: an object of two fields."""

    def __init__(self, fields: tuple[str, str]) -> None:
        self.fields = fields
        self.name = "=".join(fields).upper()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the object. A kind and a quantity contain no `=`, so the text is split next to them."""
        left, sign, right = value.partition("=") if self.fields[0] == "kind" else value.rpartition("=")
        if not (left and sign and right):
            self.fail(f"write it as {self.name}", param, ctx)
        if self.fields[1] == "quantity":
            right = click.INT.convert(right, param, ctx)
        return dict(zip(self.fields, (left, right), strict=True))


class Json(click.ParamType[Any]):
    """JSON text."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the decoded value."""
        from cases.errors import InvalidInput
        from cases.input.decoding import decode

        try:
            return decode(value)
        except InvalidInput as error:
            self.fail(str(error).removeprefix("(whole): "), param, ctx)


class Sections(click.Group):
    """A group with its own verbs and one for each message. The help lists them in three sections."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs."""
        return [*super().list_commands(ctx), *words.MESSAGES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb of that name, or None."""
        if cmd_name in words.MESSAGES:
            return verb(cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click passes it)
        """Write the three sections: verbs, facts, commands."""
        own = [(name, command.get_short_help_str(100)) for name, command in sorted(self.commands.items())]
        facts = [(name, about.summary) for name, about in words.FACTS.items()]
        commands = [(name, about.summary) for name, about in words.COMMANDS.items()]
        for title, rows in (("Verbs", own), ("Facts for a case", facts), ("Commands for a case", commands)):
            with formatter.section(title):
                formatter.write_dl(rows)


def verb(name: str) -> click.Command | None:
    """Return the verb that sends that message, or None if there is no such message."""
    from cases.inbox.messages import MESSAGES

    if name not in MESSAGES:
        return None
    model, about = MESSAGES[name], words.MESSAGES[name]
    fields = sorted(model.model_fields, key=lambda field: field in words.COMMON)
    options = [_option(field, model.model_fields[field]) for field in fields]
    payload = click.Option(["--payload"], type=Json(), help="The payload as JSON; other options override its fields.")
    in_json = click.Option(["--json", "as_json"], is_flag=True, help=IN_JSON)
    params = [click.Argument(["case"], type=CASE), *options, payload, in_json]
    return click.Command(
        name, callback=_sender(name), params=params, help=about.summary, epilog=examples(*about.examples)
    )


def _option(field: str, info: "FieldInfo") -> click.Option:
    from pydantic import BaseModel

    from cases.inbox.messages import value_type

    flag, kind = f"--{field.replace('_', '-')}", value_type(info.annotation)
    text = words.FIELDS.get(field, "") + ("  [required]" if info.is_required() else "")
    if kind is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}"], default=None, help=text)
    if get_origin(kind) is list and field in PAIRS:
        return click.Option([flag], type=Pair(PAIRS[field]), multiple=True, help=f"{text} May be repeated.")
    if get_origin(kind) is list or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return click.Option([flag], type=Json(), help=text)
    values = list(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else get_args(kind)
    if values:  # of an enumeration, or a literal
        return click.Option([flag], type=click.Choice([str(value) for value in values]), help=text)
    if kind in (int, float):
        return click.Option([flag], type=kind, metavar="INTEGER" if kind is int else "NUMBER", help=text)
    return click.Option([flag], metavar="TIME" if field.endswith("_at") else "TEXT", help=text)


def _sender(name: str) -> Callable[..., None]:
    def send(case: str, payload: Any, as_json: bool, **given: Any) -> None:
        from cases.errors import InvalidInput, Refusal
        from cases.inbox.messages import read
        from cases.input.decoding import check_size

        if payload is not None and not isinstance(payload, dict):
            raise click.UsageError("--payload takes a JSON object")
        stated = {field: list(v) if isinstance(v, tuple) else v for field, v in given.items() if v not in (None, ())}
        try:
            message = read(name, {**(payload or {}), **stated})
            checked = message.model_dump(mode="json", exclude_unset=True)
            check_size(checked)
        except (Refusal, InvalidInput) as error:
            raise click.UsageError(str(error)) from None
        _deliver(case, name, checked, as_json=as_json)

    return send


def _deliver(case: str, name: str, payload: dict[str, Any], *, as_json: bool) -> None:
    import asyncio

    from client.cases import Engine
    from client.errors import CaseOver, NoSuchCase
    from client.reopening import late
    from console.reading import answer as readable

    async def deliver() -> Any:
        engine = await Engine.connect()
        try:
            return await engine.send(case, name, payload)
        except (CaseOver, NoSuchCase):  # Temporal deletes closed cases after a while, our database keeps them
            return await late(engine, case, name, payload, datetime.now(UTC))

    answer = asyncio.run(deliver())
    if as_json:
        print_json(answer)
    else:
        click.echo(readable(case, name, answer))
