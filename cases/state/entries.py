"""What a case keeps a list of: lines of its timeline, refused signals, answers to the callback."""

from pydantic import AwareDatetime, BaseModel


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
