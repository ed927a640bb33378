"""What a case keeps a list of: lines of its timeline, refused signals, answers to the callback, messages."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator


class Entry(BaseModel):
    """One line of the timeline."""

    at: AwareDatetime
    what: str
    text: str = ""
    by: str | None = None


class Refused(BaseModel):
    """A signal that could not be applied, and those like it: the latest sentence that says why."""

    at: AwareDatetime
    message: str
    by: str | None = None
    why: str
    count: int = 1
    last_at: AwareDatetime | None = None
    """When the latest of several came."""


class Satisfaction(BaseModel):
    """The customer's answer to a callback."""

    at: AwareDatetime
    cycle: int
    score: int
    comment: str = ""


def _ids_alone(value: Any) -> Any:
    """Cases of earlier releases remembered ids without what was said under them."""
    return dict.fromkeys(value, "") if isinstance(value, list) else value


Seen = Annotated[dict[str, str], BeforeValidator(_ids_alone)]
"""Fingerprints of the messages that were applied, by `message_id` (S31); an empty one matches everything."""
