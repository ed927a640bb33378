"""Read and check files of complaints. An invalid one is reported by file and line, and the others continue (G1)."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cases.complaint import Complaint
from cases.errors import InvalidInput, printable
from cases.input.decoding import DECODER, check_size, checked, not_json, whole
from cases.policy.admission import admitted
from cases.policy.policy import Policy

MAX_REPORTED = 2
"""How many entries of a file that are not complaints are reported one by one."""


class Checked(NamedTuple):
    """A valid complaint with its `policy`, or the `fault` for which it is refused; `name` says where it was found."""

    name: str
    raw: Any
    complaint: Complaint | None = None
    policy: Policy | None = None
    fault: InvalidInput | None = None


class Found(NamedTuple):
    """One value of a file: `where` it begins (`file:line`), and the value or the reason why it cannot be read."""

    where: str
    value: Any
    fault: InvalidInput | None = None


def values(name: str, content: bytes) -> Iterator[Found]:
    """Yield the values of a file that contains a JSON object, an array, or one value per line (NDJSON)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Found(name, None, whole("is not text in UTF-8"))
        return
    read = _array if text.lstrip().startswith("[") else _one_or_lines
    for line, value, fault in read(text):
        yield Found(f"{name}:{line}", value, fault)


def complaints_in(file: str, content: bytes, policies: Mapping[str, Policy], now: datetime) -> Iterator[Checked]:
    """Yield every complaint of a file, checked; each problem names its field.

    Of entries that are not complaints (JSON objects with a string as `case_id`) the first two are reported and the rest
    is counted: a wrong file should not print a thousand lines.
    """
    others = 0
    for found in values(file, content):
        given = found.value.get("case_id") if isinstance(found.value, dict) else None
        if not isinstance(given, str):
            others += 1
            if others > MAX_REPORTED:
                continue
        name = f"{found.where} {printable(given)}" if isinstance(given, str) else found.where
        try:
            if found.fault:
                raise found.fault
            check_size(found.value)
            yield Checked(name, found.value, *admitted(found.value, now, policies))
        except InvalidInput as error:
            yield Checked(name, found.value, fault=error)
    if others > MAX_REPORTED:
        more = whole(f"has {others - MAX_REPORTED} more entries that are not complaints: each needs a case_id")
        yield Checked(file, None, fault=more)


_Read = tuple[int, Any, InvalidInput | None]
"""The line, and the value that begins there or the reason why it cannot be read."""


def _one_or_lines(text: str) -> Iterator[_Read]:
    if not text.strip():
        return
    at_once = _decoded(text)
    # Not splitlines(): JSON strings may contain line separators that do not end a line of NDJSON.
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
        yield line + text.count("\n", at, rest), None, whole("is not JSON: there is text after the array's ]")


def _next(text: str, at: int) -> int:
    """Return the position of the next character that is not white space."""
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
    """Return the value, and what is wrong with it; an invalid value is needed for its name."""
    try:
        return checked(value), None
    except InvalidInput as fault:
        return value, fault
