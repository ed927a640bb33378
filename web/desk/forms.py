"""The form of each message of the contract, made from its model; and the payload that a filled-in form stands for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel, StringConstraints, ValidationError
from pydantic.fields import FieldInfo

from cases.errors import problems_of
from cases.inbox.messages import MESSAGES, value_type
from cases.text import NEW_INPUT
from cases.views.need_view import MessageView, NeedView
from web.pages.catalogue import marked

Json = dict[str, Any]
SET_BY_US = frozenset({"by", "message_id"})
"""Fields that are not in forms: the person who is logged in, and an id against sending twice."""
LONG_FROM = 1_000
"""A text that may have this many characters gets several lines."""
FEW = 5
"""So many values are shown side by side; more are a list to choose from."""
LISTS: dict[str, tuple[str, ...]] = {
    "evidence": ("kind", "uri"),
    "affected": ("sku", "quantity"),
    "options": ("key", "kind", "amount", "sku", "quantity", "at_once"),
}
"""The columns of fields that are lists. Each row of `options` is one remedy; rows with the same key are one option."""
MAX_ROWS = 50
REMARKS = ("note", "reason", "text", "comment")
"""Fields that are shown with the required ones."""
GROUPS = {
    "severity": "severity",
    "liable": "liable",
    "wish": "wish",
    "action": "action",
    "dependents": "dependents",
    "state": "step_state",
    "promise": "promise",
    "team": "team",
}
"""The group of labels for the values of a field."""
HINTS = {
    "occurred_at": marked("If it was not now. Promises are judged by this time."),
    "reason": marked("The timeline shows it."),
    "plan": marked("The customer reads this."),
    "option": marked("What the customer chose."),
    "dependents": marked("Steps that wait for the goods or the visit of this step."),
    "affected": marked("Empty: every item of the order."),
    "options": marked("Rows with the same option belong together. Beyond the limits, a manager has to approve."),
    "goods_value": marked("As documents prove it."),
    "cause": marked("A few words."),
    "evidence": marked("A reference to the file, such as its address."),
    "key": marked("The request that the partner got."),
}
"""Help for fields whose label is not enough."""


@dataclass
class FormField:
    """One field of a form."""

    name: str
    kind: str
    """text, long, number, amount, choice, one_of, yes_no, time, rows."""
    required: bool = False
    value: Any = ""
    values: list[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    group: str = ""
    fault: str = ""
    is_number: bool = False
    """Whether the values to choose from are numbers."""

    @property
    def label(self) -> str:
        """The name under which the field has a label."""
        return self.name.rpartition(".")[2]

    @property
    def hint(self) -> str:
        """Help in English, to be translated."""
        return HINTS.get(self.name, "")

    @property
    def is_known(self) -> bool:
        """Whether there is only one value, which is filled in."""
        return len(self.values) == 1 and self.value == self.values[0]

    @property
    def shown_kind(self) -> str:
        """The component of the field."""
        return "one_of" if self.kind == "choice" and 0 < len(self.values) <= FEW and self.required else self.kind


@dataclass
class Form:
    """A message to fill in."""

    message: str
    fields: list[FormField]
    refusal: str = ""

    @property
    def main(self) -> list[FormField]:
        """The fields to fill in first: the required ones and remarks; if none is required, all that are usual."""
        if any(each.required for each in self.fields):
            return [each for each in self.fields if each.required or each.name in REMARKS]
        return [each for each in self.fields if each.name != "occurred_at" and not each.is_known]

    @property
    def more(self) -> list[FormField]:
        """The other fields."""
        shown = {id(each) for each in self.main}
        return [each for each in self.fields if id(each) not in shown]


def form_of(name: str, way: NeedView | MessageView | None = None) -> Form:
    """Return the form of a message. `way` narrows it for a case: values, required fields, and what is likely."""
    narrowed = {each.name: each for each in way.fields} if way else {}
    example = dict(way.example) if way else {}
    fields = []
    for name_, info in MESSAGES[name].model_fields.items():
        for made in _fields(name_, info):
            known = narrowed.get(made.name)
            if known is not None:
                made.required = made.required or known.required
                if known.values and made.kind != "rows":
                    made.is_number = made.kind == "number"
                    made.values, made.kind = [str(value) for value in known.values], "choice"
            if made.kind == "rows":
                made.value = _rows(made.name, example.get(made.name))
            elif made.values and len(made.values) == 1 and made.required:
                made.value = made.values[0]
            elif made.name in ("offer", "approval", "step", "key") and made.name in example:
                made.value = str(example[made.name])
            fields.append(made)
    return Form(name, fields)


def _fields(name: str, info: FieldInfo) -> Iterable[FormField]:
    if name in SET_BY_US:
        return
    kind = value_type(info.annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for inner, its in kind.model_fields.items():
            if get_origin(value_type(its.annotation)) is not list:
                yield from _fields(f"{name}.{inner}", its)
        return
    required, group = info.is_required(), GROUPS.get(name.rpartition(".")[2], "")
    values = list(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else get_args(kind)
    if get_origin(kind) is list:
        yield FormField(name, "rows", required, columns=LISTS[name])
    elif kind is bool:
        yield FormField(name, "yes_no", required)
    elif kind is datetime or name == "occurred_at":
        yield FormField(name, "time", required)
    elif values:
        yield FormField(name, "choice", required, values=[str(value) for value in values], group=group)
    elif kind in (int, float, Decimal):
        yield FormField(name, "amount" if kind is Decimal else "number", required)
    else:
        longest = _longest([*info.metadata, info.annotation])
        yield FormField(name, "long" if longest is None or longest >= LONG_FROM else "text", required, group=group)


def _longest(parts: Iterable[Any]) -> int | None:
    """Return how many characters a text may have, by its type and constraints; None: no limit is stated."""
    for part in parts:
        if isinstance(part, StringConstraints) and part.max_length is not None:
            return part.max_length
        if (found := _longest(get_args(part))) is not None:
            return found
    return None


def _rows(name: str, example: Any) -> list[dict[str, str]]:
    """Return the rows of a list as text, with one to fill in if there is none."""
    rows: list[dict[str, str]] = []
    for each in example or []:
        if name == "options":
            rows += [_remedy_row(each["key"], remedy) for remedy in each["remedies"]]
        elif name == "evidence":
            rows.append({"kind": str(each["kind"]), "uri": ""})
        else:
            rows.append({column: str(each.get(column, "")) for column in LISTS[name]})
    return rows or [dict.fromkeys(LISTS[name], "")]


def _remedy_row(key: str, remedy: Mapping[str, Any]) -> dict[str, str]:
    item = (remedy.get("items") or [{}])[0]
    return {
        "key": key,
        "kind": str(remedy["kind"]),
        "amount": str(remedy.get("amount") or ""),
        "sku": str(item.get("sku", "")),
        "quantity": str(item.get("quantity", "")),
        "at_once": "true" if remedy.get("at_once") else "",
    }


# From a filled-in form to a payload


def filled(form: Form, given: Mapping[str, str], zone: ZoneInfo) -> Json:
    """Fill the form with what was sent, and return the payload. Times without an offset are in `zone`."""
    payload: Json = {}
    for each in form.fields:
        if each.kind == "rows":
            each.value = _sent_rows(each, given)
            found: Any = _list(each.name, each.value)
        else:
            each.value = given.get(each.name, "").strip()
            kind = "number" if each.is_number else each.kind
            found = _value(kind, each.value, zone) if each.value else None
        if found in (None, []):
            continue
        outer, _, inner = each.name.partition(".")
        if inner:
            payload.setdefault(outer, {})[inner] = found
        else:
            payload[outer] = found
    return payload


def _value(kind: str, text: str, zone: ZoneInfo) -> Any:
    if kind == "yes_no":
        return {"true": True, "false": False}.get(text, text)
    if kind == "number":
        return _number(text)
    if kind == "time":
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text
        return (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()
    return text


def _number(text: str) -> Any:
    """Return a number. Other text stays, and the model says what is wrong."""
    if re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,9}\.\d{1,9}", text) else text


def _sent_rows(each: FormField, given: Mapping[str, str]) -> list[dict[str, str]]:
    rows = [
        {column: given.get(f"{each.name}.{column}.{number}", "").strip() for column in each.columns}
        for number in range(MAX_ROWS)
        if f"{each.name}.{each.columns[0]}.{number}" in given
    ]
    return rows or [dict.fromkeys(each.columns, "")]


def _list(name: str, rows: list[dict[str, str]]) -> list[Any]:
    rows = [
        row
        for row in rows
        if any(value for column, value in row.items() if column not in ("kind", "key"))
        or (name == "options" and row["kind"])
    ]
    if name != "options":
        return [{column: _count(column, value) for column, value in row.items()} for row in rows]
    options: dict[str, list[Json]] = {}
    for row in rows:
        remedy: Json = {"kind": row["kind"]}
        remedy |= {"amount": row["amount"]} if row["amount"] else {}
        if row["sku"]:
            remedy["items"] = [{"sku": row["sku"], "quantity": _count("quantity", row["quantity"] or "1")}]
        remedy |= {"at_once": True} if row["at_once"] == "true" else {}
        options.setdefault(row["key"] or "offer", []).append(remedy)
    return [{"key": key, "remedies": remedies} for key, remedies in options.items()]


def _count(column: str, value: str) -> Any:
    return int(value) if column == "quantity" and value.isascii() and value.isdigit() else value


def find_faults(form: Form, payload: Json) -> bool:
    """Check a payload by its model, and put what is wrong beside each field. Return whether anything is."""
    try:
        MESSAGES[form.message].model_validate({"by": "somebody", **payload}, context=NEW_INPUT)
    except ValidationError as error:
        by_name = {each.name: each for each in form.fields}
        for problem in problems_of(error):
            outer = problem.field.partition(".")[0]
            place = by_name.get(problem.field) or by_name.get(outer)
            if place is None:
                form.refusal = str(problem)
            else:
                place.fault = problem.problem
        return True
    return False
