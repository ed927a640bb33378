"""How the API is described in its OpenAPI document: the answers of each route, and parameters that several share."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

from cases.views.listing import Listing
from cases.views.snapshot import Snapshot
from cases.views.view_fields import Omittable
from client.opening import How
from web.problems import MEDIA_TYPE

CaseId = Annotated[str, Path(description="The case's id", examples=["HL-1"], pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
"""The type of a route's parameter that is a case id."""
IdempotencyKey = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        description="Any text of your own, such as a UUID. A request that is repeated with it within 24 hours is "
        "carried out once, and gets the same answer.",
        pattern=r"^[!-~]{1,255}$",
    ),
]
IfMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="If-Match",
        description="The `ETag` of the case that the message relies on. If the case has changed since: 412.",
    ),
]


class Described(BaseModel):
    """A base for what the API answers."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ProblemDetails(Described):
    """An error, as in RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    """A sentence for people."""
    request_id: str
    """The request, as in the header `X-Request-Id` and in the server's log."""
    errors: Omittable[list["Fault"]] = None
    """Every faulty field of the request."""


class Fault(Described):
    """One faulty field."""

    field: str
    """The field as a dotted path; `(whole)` is the request itself."""
    problem: str


class CaseInList(Listing):
    """One case in a list. More fields may be added."""

    seq: int
    """A number that grows with each change of the case."""
    ended: str | None
    """How the workflow ended without closing its case (terminated, failed, timed_out); null: it did not."""


class CaseList(Described):
    """A page of cases."""

    cases: list[CaseInList]
    next: str | None
    """The `cursor` of the next page; null: this is the last."""
    total: Omittable[int] = None
    """The number of cases on all pages, if `total=true`."""


class OneCase(Described):
    """A case."""

    case: Snapshot
    as_of: AwareDatetime | None
    """null: the case as it is now. Otherwise no worker answers, and this is when our database was written."""


class Event(Described):
    """One event (docs/events.md)."""

    id: str
    """It never changes, and is the same wherever the event is sent."""
    type: str
    """Such as promise.broken. More types may be added."""
    timestamp: AwareDatetime
    """When it happened."""
    data: dict[str, Any]
    """What has changed: `case_id`, `line`, `number`, and what the type adds."""


class Events(Described):
    """Events of a case, in order."""

    events: list[Event]
    more: bool
    """Whether there are events after these."""


class OpenedCase(Described):
    """The result for a complaint."""

    case_id: str
    result: How
    """`opened`; `pending`: opened, and no worker has accepted it yet; `exists`: there was a case with this id."""
    detail: str
    """A sentence for people."""
    differs: list[str]
    """The fields in which the complaint differs from that of the existing case."""
    case: Omittable[Snapshot] = None
    """The existing case, if the key may read it and a worker answers."""


class BatchLine(Described):
    """The result for one line of a batch."""

    line: int
    """The number of the line, from 1."""
    case_id: Omittable[str] = None
    status: int
    """The status that the complaint alone would have been answered with."""
    result: How
    detail: str
    differs: Omittable[list[str]] = None
    errors: Omittable[list[Fault]] = None


class Answer(Described):
    """The case's answer to a message. More fields may be added."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    case: str
    """The case that has the message: for a closed case it may be the one that follows it."""
    applied: bool
    """Whether the message changed the case."""
    why: Omittable[str] = None
    """Why the message changed nothing, or which case has it."""


_DESCRIBED = {
    400: "The request is not complete",
    401: "No valid key",
    403: "The key does not have the scope",
    404: "No such case, or not for this key",
    405: "Not possible here",
    408: "The request took too long to arrive",
    409: "The case refuses the message, or a request with this `Idempotency-Key` is in progress",
    412: "The case has changed since the version in `If-Match`; `changed` lists what has happened",
    413: "The body is too large",
    415: "Another media type is needed",
    422: "Faulty fields: all of them are in `errors`",
    429: "Too many requests: wait as many seconds as `Retry-After` says",
    500: "An error of this server",
    503: "Temporal or our database does not answer",
}
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "`If-None-Match` has the current version"}}
ALWAYS = (401, 403, 429, 500, 503)


def answers(model: Any, *problems: int, status: int = 200, **more: Any) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a route: the model of the good one, and which problems there may be."""
    good: dict[int | str, dict[str, Any]] = {status: {"description": HTTPStatus(status).phrase, **more}}
    if model is not None:
        good[status]["model"] = model
    bad: dict[int | str, dict[str, Any]]
    bad = {each: {"description": _DESCRIBED[each], "content": _PROBLEM} for each in sorted({*problems, *ALWAYS})}
    return {**good, **bad}
