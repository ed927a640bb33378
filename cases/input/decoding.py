"""The decoder for all input: files, arguments and payloads are read in the same way.

Input is JSON in UTF-8 (RFC 8259). A byte order mark is ignored. Ambiguous content is refused with its field: a repeated
key, an invalid number, a lone surrogate.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from cases.contract import MAX_INPUT_BYTES
from cases.errors import InvalidInput, Problem

MAX_DEPTH = 32
"""The maximum nesting of objects and lists. Our own models need half of it."""
_MAX_DIGITS = 30
_HALF = re.compile("[\ud800-\udfff]")


class _Wrong(NamedTuple):
    """A placeholder for a value that is not accepted."""

    why: str


class _Twice(dict[str, Any]):
    """An object with repeated keys."""

    keys_twice: set[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    twice.keys_twice = {name for name, times in Counter(name for name, _ in pairs).items() if times > 1}
    return twice


def _float(text: str) -> Any:
    value = float(text)
    return value if abs(value) != float("inf") else _Wrong("is a number out of all reason")


def _int(text: str) -> Any:
    return int(text) if len(text) <= _MAX_DIGITS else _Wrong("is a number out of all reason")


DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_float,
    parse_int=_int,
    parse_constant=lambda name: _Wrong(f"{name} is no JSON number"),
)
"""Decodes ambiguous content too, so that `checked` can report all of it."""


def decode(data: bytes | str) -> Any:
    """Return the JSON value in `data`. Raise `InvalidInput` with every fault by its field."""
    try:
        text = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError:
        raise whole("is not text in UTF-8") from None
    try:
        return checked(DECODER.decode(text.removeprefix("\ufeff")))
    except (ValueError, RecursionError) as error:
        raise whole(not_json(error)) from None


def checked(value: Any) -> Any:
    """Return `value`, which `DECODER` has decoded. Raise `InvalidInput` if anything in it is ambiguous."""
    if problems := list(_faults(value, "", 1)):
        raise InvalidInput(problems)
    return value


def _faults(value: Any, where: str, depth: int) -> Iterator[Problem]:
    if isinstance(value, _Wrong):
        yield Problem(field=where or "(whole)", problem=value.why)
    elif isinstance(value, str) and _HALF.search(value):
        yield Problem(field=where or "(whole)", problem="holds half a character (a lone surrogate)")
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            yield Problem(field=where or "(whole)", problem="is nested too deeply")
            return
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{where}.{name}" if where else str(name)
            if isinstance(name, str) and _HALF.search(name):
                yield Problem(field=where or "(whole)", problem="has a key with half a character (a lone surrogate)")
            if isinstance(value, _Twice) and name in value.keys_twice:
                yield Problem(field=inner, problem="is given twice")
            yield from _faults(part, inner, depth + 1)


def check_size(value: Any) -> None:
    """Raise `InvalidInput` for more than 64 KiB of JSON without blanks, which would stall its case.

    Evidence is sent as references.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_INPUT_BYTES:
        # The text has no size, so that every message of a flood gets the same one.
        raise whole(f"is larger than {MAX_INPUT_BYTES} bytes: send references, not the things themselves")


def not_json(error: Exception) -> str:
    """Return a decoder's error as a sentence."""
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
    return f"is not JSON: {error}"


def whole(problem: str) -> InvalidInput:
    """Return an error about the input as a whole."""
    return InvalidInput([Problem(field="(whole)", problem=problem)])
