"""Needs: what a person has to do in a case or a claim, with the message that does it, its fields and an example."""

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
"""The placeholder in examples for the sender's name."""
TYPES = {bool: "true or false", int: "whole number", float: "number", str: "text", Decimal: "amount"}
COMMON_FIELDS = ("occurred_at", "message_id")
"""Optional fields of every message. They are left out of needs, because no decision depends on them."""


NeedKind = Literal[
    "finding_incomplete", "no_rule_fits", "offer_needed", "order_exhausted", "second_complaint", "evidence", "approval",
    "offer_undelivered", "consent", "satisfaction", "step_blocked", "step_unknown",
    "documents", "claim_unknown", "unanswered",
]  # fmt: skip
"""The kinds of needs: of cases, and in the last line of carrier claims."""


class FieldView(View):
    """A field of a message."""

    name: str
    type: str
    """text, whole number, number, amount, true or false, {fields of an object}, or a list of one of these."""
    values: Omittable[list[Any]] = None
    """The values that this case accepts; for objects, the values of their first field."""
    required: bool
    """Whether the message, or this case, requires it."""


class MessageView(View):
    """A message that settles a need."""

    message: str
    """Its name, as in the contract."""
    fields: list[FieldView]
    example: dict[str, Any]
    """A payload that is accepted unchanged. Replace YOU by a name."""


class NeedView(View):
    """One thing that a person has to do, with the message that does it."""

    what: Annotated[str, one_of(get_args(NeedKind))]
    """The kind of need. More kinds may be added."""
    text: str
    """A text for people, in English. It may have several lines."""
    message: str
    """The name of the message that does it, as in the contract."""
    fields: list[FieldView]
    example: dict[str, Any]
    """A payload that is accepted unchanged. Replace YOU by a name."""
    instead: list[MessageView]
    """Other messages that also settle it."""

    @property
    def ways(self) -> tuple["NeedView | MessageView", ...]:
        """All messages that settle the need, the usual one first."""
        return self, *self.instead


def need(what: NeedKind, text: str, message: MessageView, *instead: MessageView) -> NeedView:
    """Return a need. `instead` are other messages that also settle it."""
    return NeedView(
        what=what,
        text=text,
        message=message.message,
        fields=message.fields,
        example=message.example,
        instead=list(instead),
    )


def need_lines(asked: NeedView) -> str:
    """Return a need in Markdown: what to do, and for each message the name and payload to paste into the UI."""
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
    """Return a message with its fields. `values` and `required` narrow down the fields for this case."""
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
    """Return the fields of a message."""
    found = []
    for name, field in model.model_fields.items():
        if name not in COMMON_FIELDS:
            type_, values = _type(field.annotation)
            found.append(FieldView(name=name, type=type_, values=values, required=field.is_required()))
    return found


def _type(annotation: Any) -> tuple[str, list[str] | None]:
    """Return a type as text, and its values if it is an enumeration."""
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
