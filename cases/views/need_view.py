"""How a case or a claim says what a person has to do: a sentence, the message that does it, its fields, an example."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from cases.inbox.messages import Message, value_type
from cases.views.view_fields import Omittable, View, one_of

Json = dict[str, Any]
YOU = "YOU"
"""What stands in an example where somebody has to write their name."""
TYPES = {bool: "true or false", int: "whole number", float: "number", str: "text", Decimal: "amount"}
EVERYWHERE = ("occurred_at", "message_id")
"""Fields that every message may carry and that nobody needs to decide anything."""


NeedKind = Literal[
    "finding_incomplete", "no_rule_fits", "offer_needed", "order_exhausted", "second_complaint", "evidence", "approval",
    "offer_undelivered", "consent", "satisfaction", "step_blocked", "step_unknown",
    "documents", "claim_unknown", "unanswered",
]  # fmt: skip
"""Of a case, and in the last line of a carrier claim."""


class FieldView(View):
    """A field that a message may carry."""

    name: str
    type: str
    """text, whole number, number, amount, true or false, {fields of an object}, or a list of one of these."""
    values: Omittable[list[Any]] = None
    """What this case takes; of objects, what their first field takes."""
    required: bool
    """The message, or this case, cannot do without it."""


class MessageView(View):
    """A message that does what is needed."""

    message: str
    """Its name, as in the contract."""
    fields: list[FieldView]
    example: dict[str, Any]
    """A payload that is accepted as it stands; YOU is to be replaced by a name."""


class NeedView(View):
    """One thing that a person has to do, with the message that does it."""

    what: Annotated[str, one_of(get_args(NeedKind))]
    """What kind of thing it is; more kinds may be added."""
    text: str
    """The same for people, in English; may have several lines."""
    message: str
    """The name of the message that does it, as in the contract."""
    fields: list[FieldView]
    example: dict[str, Any]
    """A payload that is accepted as it stands; YOU is to be replaced by a name."""
    instead: list[MessageView]
    """Other messages that settle it as well."""

    @property
    def ways(self) -> tuple["NeedView | MessageView", ...]:
        """All messages that settle it, the usual one first."""
        return self, *self.instead


def need(what: NeedKind, text: str, message: MessageView, *instead: MessageView) -> NeedView:
    """Return one thing to do; `instead`: other messages that settle it as well."""
    return NeedView(
        what=what,
        text=text,
        message=message.message,
        fields=message.fields,
        example=message.example,
        instead=list(instead),
    )


def need_lines(asked: NeedView) -> str:
    """A need in Markdown: what to do, and for each message that does it what to paste where the UI sends an update."""
    lines = [line.strip() for line in asked.text.splitlines()]
    lines += [f"`{way.message}` `{json.dumps(way.example, ensure_ascii=False)}`" for way in asked.ways]
    return "\n  - ".join(lines)


def message_with(
    known: Mapping[str, type[Message]],
    name: str,
    example: Json,
    *,
    values: Mapping[str, Any] | None = None,
    required: tuple[str, ...] = (),
) -> MessageView:
    """A message with its fields: `values` are those that are taken here, `required` what it cannot do without."""
    narrowed = values or {}
    fields = [
        field.model_copy(
            update={
                "values": list(narrowed[field.name]) if field.name in narrowed else field.values,
                "required": field.required or field.name in required,
            }
        )
        for field in fields_of(known[name])
    ]
    return MessageView(message=name, fields=fields, example={**example, "by": YOU})


@cache
def fields_of(model: type[Message]) -> list[FieldView]:
    """What a message may carry: `name`, `type`, `values` where only some are taken, `required`."""
    found = []
    for name, field in model.model_fields.items():
        if name not in EVERYWHERE:
            type_, values = _type(field.annotation)
            found.append(FieldView(name=name, type=type_, values=values, required=field.is_required()))
    return found


def _type(annotation: Any) -> tuple[str, list[str] | None]:
    """A type in words, and the values that it takes if they are few."""
    wanted = value_type(annotation)
    if get_origin(wanted) is list:
        return f"list of {_type(get_args(wanted)[0])[0]}", None
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return "{" + ", ".join(wanted.model_fields) + "}", None
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return "text", [value.value for value in wanted]
    if args := get_args(wanted):  # a Literal
        return "text", [str(value) for value in args]
    return TYPES.get(wanted, "text"), None
