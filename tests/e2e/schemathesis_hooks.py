"""Lets schemathesis write and read NDJSON, one JSON value per line."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def to_lines(_: Any, value: Any) -> bytes:
    """Return the body of a batch; the document describes it as text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@schemathesis.deserializer("application/x-ndjson")
def from_lines(_: Any, response: Any) -> list[Any]:
    """Return the values in the lines."""
    return [json.loads(line) for line in response.content.splitlines()]
