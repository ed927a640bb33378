"""Complaints are checked at the door, one by one: a bad one is named by file and line, and stops no other (G1)."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cases.complaint import Complaint
from cases.decoding import DECODER, check_size, checked, not_json, whole
from cases.errors import InvalidInput, printable
from cases.policy.admission import admitted
from cases.policy.policy import Policy

MAX_STRANGE = 2
"""Entries of a file that are no complaints and are named."""


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
    """The values of a file that holds a JSON object, an array, or one value a line (NDJSON); none of an empty one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Found(name, None, whole("is not text in UTF-8"))
        return
    read = _array if text.lstrip().startswith("[") else _one_or_lines
    for line, value, fault in read(text):
        yield Found(f"{name}:{line}", value, fault)


def at_the_door(file: str, content: bytes, policies: Mapping[str, Policy], now: datetime) -> Iterator[AtTheDoor]:
    """Every complaint of a file, checked: every problem is named by its field.

    Of what is no complaint at all (no JSON object with a text as `case_id`) the first two are named, and the rest is
    counted: a wrong file needs no thousand lines to be recognised.
    """
    strange = 0
    for found in values(file, content):
        given = found.value.get("case_id") if isinstance(found.value, dict) else None
        if not isinstance(given, str):
            strange += 1
            if strange > MAX_STRANGE:
                continue
        name = f"{found.where} {printable(given)}" if isinstance(given, str) else found.where
        try:
            if found.fault:
                raise found.fault
            check_size(found.value)
            yield AtTheDoor(name, found.value, *admitted(found.value, now, policies))
        except InvalidInput as error:
            yield AtTheDoor(name, found.value, fault=error)
    if strange > MAX_STRANGE:
        more = whole(f"has {strange - MAX_STRANGE} more entries that are no complaints: each needs a case_id")
        yield AtTheDoor(file, None, fault=more)


_Read = tuple[int, Any, InvalidInput | None]
"""The line, and the value that begins there or why there is none."""


def _one_or_lines(text: str) -> Iterator[_Read]:
    if not text.strip():
        return
    at_once = _decoded(text)
    # Not splitlines(): JSON strings may hold line separators that end no line of NDJSON.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    first_is_whole = bool(lines) and _decoded(lines[0][1])[2] is None
    unread = at_once[1] is None and at_once[2] is not None
    if unread and (first_is_whole or any(line.startswith("{") for _, line in lines[1:])):
        yield from (_decoded(line, number) for number, line in lines)
    else:
        yield at_once


def _array(text: str) -> Iterator[_Read]:
    at = _next(text, text.index("[") + 1)
    line = 1 + text.count("\n", 0, at)
    while not text.startswith("]", at):
        try:
            value, end = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield line, None, whole(f"{not_json(error)}; nothing after it was read")
            return
        yield line, *_checked(value)
        end = _next(text, end)
        if not text.startswith((",", "]"), end):
            yield line, None, whole("is not JSON: no , or ] after it; nothing after it was read")
            return
        following = _next(text, end + 1) if text[end] == "," else end
        line, at = line + text.count("\n", at, following), following
    if (rest := _next(text, at + 1)) < len(text):
        yield line + text.count("\n", at, rest), None, whole("is not JSON: something stands after the array's ]")


def _next(text: str, at: int) -> int:
    """Where the next thing begins that is not white space."""
    found = re.compile(r"[^ \t\r\n]").search(text, at)
    return found.start() if found else len(text)


def _decoded(text: str, line: int = 1) -> _Read:
    try:
        return line, *_checked(DECODER.decode(text))
    except json.JSONDecodeError as error:
        return line + error.lineno - 1, None, whole(not_json(error))
    except (ValueError, RecursionError) as error:
        return line, None, whole(not_json(error))


def _checked(value: Any) -> tuple[Any, InvalidInput | None]:
    """A faulty value goes along, so that it can be named."""
    try:
        return checked(value), None
    except InvalidInput as fault:
        return value, fault
