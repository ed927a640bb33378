"""Complaints are checked at the door, one by one: a bad one is named by file and line, and stops no other (G1)."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from cases.complaint import Complaint, check_complaint
from cases.errors import InvalidInput, Problem, printable
from cases.names import MAX_INPUT_BYTES
from cases.plan import policy_for
from cases.policy import Policy


class AtTheDoor(NamedTuple):
    """A complaint that may come in under `policy`, or the `fault` for which it may not; `name` says which it is."""

    name: str
    raw: Any
    complaint: Complaint | None = None
    policy: Policy | None = None
    fault: InvalidInput | None = None


class Found(NamedTuple):
    """One value of a file: `where` it begins (`file:line`), and what it is, or why it cannot be read."""

    where: str
    value: Any
    fault: InvalidInput | None = None


def values(name: str, content: bytes) -> Iterator[Found]:
    """The values of a file that holds a JSON object, an array, or one value a line (NDJSON)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Found(name, None, _fault("is not text in UTF-8"))
        return
    read = _array if text.lstrip().startswith("[") else _one_or_lines
    for line, value, fault in read(text):
        yield Found(f"{name}:{line}", value, fault)


def at_the_door(file: str, content: bytes, policies: dict[str, Policy], now: datetime) -> Iterator[AtTheDoor]:
    """Every complaint of a file, checked: every problem is named by its field."""
    for found in values(file, content):
        given = found.value.get("case_id") if isinstance(found.value, dict) else None
        name = f"{found.where} {printable(given)}" if isinstance(given, str) else found.where
        try:
            if found.fault:
                raise found.fault
            check_size(found.value)
            complaint = check_complaint(found.value, now)
            yield AtTheDoor(name, found.value, complaint, policy_for(complaint, policies))
        except InvalidInput as error:
            yield AtTheDoor(name, found.value, fault=error)


def check_size(raw: Any) -> None:
    """Refuse more than 64 KiB: a larger input would stall its case (evidence travels as references)."""
    text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"), default=str)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_INPUT_BYTES:
        raise _fault(f"has {size} bytes, more than the {MAX_INPUT_BYTES} that are taken in")


_Read = tuple[int, Any, InvalidInput | None]
"""The line, and the value that begins there or why there is none."""


def _one_or_lines(text: str) -> Iterator[_Read]:
    whole = _decoded(text)
    # Not splitlines(): JSON strings may hold line separators that end no line of NDJSON.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    first_is_whole = bool(lines) and _decoded(lines[0][1])[2] is None
    if whole[2] is not None and (first_is_whole or any(line.startswith("{") for _, line in lines[1:])):
        yield from (_decoded(line, number) for number, line in lines)
    else:
        yield whole


def _array(text: str) -> Iterator[_Read]:
    at = _next(text, text.index("[") + 1)
    line = 1 + text.count("\n", 0, at)
    while not text.startswith("]", at):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield line, None, _fault(f"{_not_json(error)}; nothing after it was read")
            return
        yield line, value, None
        end = _next(text, end)
        if not text.startswith((",", "]"), end):
            yield line, None, _fault("is not JSON: no , or ] after it; nothing after it was read")
            return
        following = _next(text, end + 1) if text[end] == "," else end
        line, at = line + text.count("\n", at, following), following


def _next(text: str, at: int) -> int:
    """Where the next thing begins that is not white space."""
    found = re.compile(r"[^ \t\r\n]").search(text, at)
    return found.start() if found else len(text)


def _decoded(text: str, line: int = 1) -> _Read:
    try:
        return line, _DECODER.decode(text), None
    except json.JSONDecodeError as error:
        return line + error.lineno - 1, None, _fault(_not_json(error))
    except (ValueError, RecursionError) as error:
        return line, None, _fault(_not_json(error))


def _not_json(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
    return "is nested too deeply" if isinstance(error, RecursionError) else f"is not JSON: {error}"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


def _fault(problem: str) -> InvalidInput:
    return InvalidInput([Problem(field="(whole)", problem=problem)])
