"""Which messages were applied, by their id (S31)."""

from typing import Annotated, Any

from pydantic import BeforeValidator


def _ids_alone(value: Any) -> Any:
    """Cases of earlier releases remembered ids without what was said under them."""
    return dict.fromkeys(value, "") if isinstance(value, list) else value


Seen = Annotated[dict[str, str], BeforeValidator(_ids_alone)]
"""Fingerprints of messages by `message_id`; an empty one matches everything."""
