"""One verb per message, made from the message's model: a new message or field needs no new code here."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cases.complaint import Affected, Evidence
from cases.errors import InvalidInput, Refusal
from cases.messages import COMMANDS, FACTS, MESSAGES, Message, read
from cases.messages import kind as kind_of
from console.intake import check_size

COMMON = {
    "by": "Who says so.",
    "occurred_at": "When it happened, such as 2026-11-22T09:00:00+08:00; promises are judged by it. Default: now.",
    "message_id": "An id of yours: the same id twice is applied once.",
}
PAIRS: dict[Any, tuple[str, str]] = {Evidence: ("kind", "uri"), Affected: ("sku", "quantity")}
"""Lists that are easier to give as `--evidence photo=URI --evidence …` than as JSON."""


class Pair(click.ParamType[Any]):
    """`kind=uri`: an object of two fields."""

    def __init__(self, fields: tuple[str, str]) -> None:
        self.fields = fields
        self.name = "=".join(fields).upper()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The object; split where neither a kind nor a quantity can be mistaken."""
        left, sign, right = value.partition("=") if self.fields[0] == "kind" else value.rpartition("=")
        if not (left and sign and right):
            self.fail(f"write it as {self.name}", param, ctx)
        return dict(zip(self.fields, (left, right), strict=True))


class Json(click.ParamType[Any]):
    """JSON text."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text says."""
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"is not JSON: {error}", param, ctx)


class Sections(click.Group):
    """A group whose help tells facts, commands and the rest apart."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by what they are for."""
        others = [name for name in self.list_commands(ctx) if name not in MESSAGES]
        for title, names in (("Verbs", others), ("Facts for a case", FACTS), ("Commands for a case", COMMANDS)):
            with formatter.section(title):
                found = [(name, self.get_command(ctx, name)) for name in names]
                formatter.write_dl([(name, command.get_short_help_str(90)) for name, command in found if command])


def verbs() -> list[click.Command]:
    """A command for every message."""
    return [_verb(name, model) for name, model in MESSAGES.items()]


def _verb(name: str, model: type[Message]) -> click.Command:
    fields = sorted(model.model_fields, key=lambda field: field in COMMON)
    options = [_option(field, model.model_fields[field]) for field in fields]
    whole = click.Option(["--payload"], type=Json(), help="The whole payload as JSON; options given besides go on top.")
    as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print the case's answer as JSON.")
    case = click.Argument(["case"])
    return click.Command(name, callback=_sends(name), params=[case, *options, whole, as_json], help=model.__doc__)


def _option(field: str, info: FieldInfo) -> click.Option:
    flag, kind = f"--{field.replace('_', '-')}", kind_of(info.annotation)
    told = {
        "help": " ".join(text for text in (COMMON.get(field), "[required]" if info.is_required() else None) if text)
    }
    if kind is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}"], default=None, help=told["help"])
    if get_origin(kind) is list and (pair := PAIRS.get(get_args(kind)[0])):
        return click.Option([flag], type=Pair(pair), multiple=True, help=f"{told['help']} May be repeated.".strip())
    if get_origin(kind) is list or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return click.Option([flag], type=Json(), help=told["help"])
    if get_origin(kind) is Literal:
        return click.Option([flag], type=click.Choice([str(value) for value in get_args(kind)]), help=told["help"])
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return click.Option([flag], type=click.Choice([value.value for value in kind]), help=told["help"])
    number = {int: "INTEGER", float: "NUMBER"}.get(kind)
    return click.Option([flag], metavar=number or ("TIME" if field.endswith("_at") else "TEXT"), help=told["help"])


def _sends(name: str) -> Callable[..., None]:
    def send(case: str, payload: Any, as_json: bool, **given: Any) -> None:
        if payload is not None and not isinstance(payload, dict):
            raise click.UsageError("--payload takes a JSON object")
        stated = {field: list(v) if isinstance(v, tuple) else v for field, v in given.items() if v not in (None, ())}
        try:
            message = read(name, {**(payload or {}), **stated})
            checked = message.model_dump(mode="json", exclude_unset=True)
            check_size(checked)
        except (Refusal, InvalidInput) as error:
            raise click.UsageError(str(error)) from None
        answer = asyncio.run(_told(case, name, checked))
        click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _readable(case, name, answer))

    return send


async def _told(case: str, name: str, payload: dict[str, Any]) -> Any:
    # Temporal and rich are loaded only by what needs them: `plan` and `--help` answer at once.
    from console.engine import CaseOver, Engine  # noqa: PLC0415
    from console.reopening import late  # noqa: PLC0415

    engine = await Engine.connect()
    try:
        return await engine.tell(case, name, payload)
    except CaseOver:
        return await late(engine, case, name, payload, datetime.now(UTC))


def _readable(case: str, name: str, answer: Any) -> str:
    from console.reading import answer as readable  # noqa: PLC0415 (same)

    return readable(case, name, answer)
