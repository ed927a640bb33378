"""Entries of a case's lists: its timeline, refused signals, satisfaction scores, and applied messages."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator


class Entry(BaseModel):
    """One line of the timeline."""

    at: AwareDatetime
    what: str
    text: str = ""
    by: str | None = None


class Refused(BaseModel):
    """A refused signal and similar ones after it. `why` is the latest reason."""

    at: AwareDatetime
    message: str
    by: str | None = None
    why: str
    count: int = 1
    last_at: AwareDatetime | None = None
    """When the latest of several signals arrived."""


class Satisfaction(BaseModel):
    """The customer's answer to a callback."""

    at: AwareDatetime
    cycle: int
    score: int
    comment: str = ""


def _from_list_of_ids(value: Any) -> Any:
    """Convert a list of ids, which cases of earlier releases have, to a dictionary without fingerprints."""
    return dict.fromkeys(value, "") if isinstance(value, list) else value


Seen = Annotated[dict[str, str], BeforeValidator(_from_list_of_ids)]
"""Fingerprints of the messages that were applied, by `message_id` (S31). An empty fingerprint matches any message."""
