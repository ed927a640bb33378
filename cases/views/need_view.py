"""How a case or a claim says what a person has to do: a sentence, the message that does it, its fields, an example."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from cases.inbox.messages import Message, kind
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


def need(what: NeedKind, text: str, message: Json, *instead: Json) -> Json:
    """One thing to do; `instead`: other messages that settle it as well."""
    return {"what": what, "text": text, **message, "instead": list(instead)}


def need_lines(asked: Json) -> str:
    """A need in Markdown: what to do, and for each message that does it what to paste where the UI sends an update."""
    ways = (asked, *asked["instead"])
    lines = [line.strip() for line in asked["text"].splitlines()]
    lines += [f"`{way['message']}` `{json.dumps(way['example'], ensure_ascii=False)}`" for way in ways]
    return "\n  - ".join(lines)


def message_with(
    known: Mapping[str, type[Message]],
    name: str,
    example: Json,
    *,
    values: Mapping[str, Any] | None = None,
    required: tuple[str, ...] = (),
) -> Json:
    """A message with its fields: `values` are those that are taken here, `required` what it cannot do without."""
    narrowed = values or {}
    fields = [
        {
            **field,
            **({"values": list(narrowed[field["name"]])} if field["name"] in narrowed else {}),
            "required": field["required"] or field["name"] in required,
        }
        for field in fields_of(known[name])
    ]
    return {"message": name, "fields": fields, "example": {**example, "by": YOU}}


@cache
def fields_of(model: type[Message]) -> list[Json]:
    """What a message may carry: `name`, `type`, `values` where only some are taken, `required`."""
    found = []
    for field, info in model.model_fields.items():
        if field not in EVERYWHERE:
            found.append({"name": field, **_type(info.annotation), "required": info.is_required()})
    return found


def _type(annotation: Any) -> Json:
    wanted = kind(annotation)
    if get_origin(wanted) is list:
        return {"type": f"list of {_type(get_args(wanted)[0])['type']}"}
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return {"type": "{" + ", ".join(wanted.model_fields) + "}"}
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return {"type": "text", "values": [value.value for value in wanted]}
    if args := get_args(wanted):  # a Literal
        return {"type": "text", "values": [str(value) for value in args]}
    return {"type": TYPES.get(wanted, "text")}
