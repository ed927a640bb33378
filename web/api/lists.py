"""What a list may be filtered and sorted by, and where its next page begins."""

import base64
import binascii
import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from cases.errors import InvalidInput, Problem
from cases.views.need_view import NeedKind
from cases.vocabulary import Status

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _flag(value: Any) -> Any:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("must be true or false")
        return value == "true"
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("must be a whole number")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
NEXT_DUE, LATEST = "next_due_at", "-opened_at"


class ListQuery(BaseModel):
    """The parameters of a list of cases."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    state: Literal["open", "closed", "all"] = "open"
    """Open cases, closed ones, or all."""
    line: Word | None = None
    topic: Word | None = None
    status: Status | None = None
    team: Word | None = None
    owner: Word | None = None
    """A person's name; case and width of letters do not matter."""
    order_id: Word | None = None
    urgent: Flag | None = None
    broken: Flag | None = None
    """Whether a promise was not kept in time."""
    overdue: Flag = False
    """Only cases that broke a promise, or are past a deadline."""
    needs: NeedKind | None = None
    """What a person has to do."""
    unknown_money: Flag | None = None
    """Whether the result of a step is unknown."""
    search: Word | None = None
    """Words, in any order: ids, the customer's name, email and description, items, and the last digits (four or more)
    of the phone number. Part of a Chinese text is enough."""
    sort: Literal["next_due_at", "-opened_at"] | None = None
    """`next_due_at`: what is due next comes first, for open cases only (their default). `-opened_at`: latest first."""
    limit: Annotated[int, BeforeValidator(_number), Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,600}$")] | None = None
    """`next` of the page before, with the same filters."""
    total: Flag = False
    """Also return how many cases there are on all pages."""

    def filters(self, now: datetime) -> dict[str, Any]:
        """Return the fields of `records.CaseFilter`. Raises `InvalidInput` for an order that is not possible."""
        if self.sort == NEXT_DUE and self.state != "open":
            raise _wrong("sort", f"{NEXT_DUE} is for open cases only: closed ones have no deadline")
        same = ("state", "line", "topic", "team", "order_id", "urgent", "broken", "needs", "unknown_money")
        return {
            **{name: getattr(self, name) for name in same},
            "status": self.status.value if self.status else None,
            "overdue_at": now if self.overdue else None,
            "text": self.search,
            "latest_first": None if self.sort is None else self.sort == LATEST,
        }

    def digest(self) -> str:
        """Return a digest of the filters and the order, which a cursor belongs to."""
        content = self.model_dump_json(exclude={"limit", "cursor", "total"})
        return hashlib.sha256(content.encode()).hexdigest()[:16]


class EventsQuery(BaseModel):
    """The parameters of a list of events."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    after: Annotated[int, BeforeValidator(_number), Field(ge=0, le=1_000_000)] = 0
    """Only events after the one with this `number`."""
    limit: Annotated[int, BeforeValidator(_number), Field(ge=1, le=1000)] = 200


Happened = Annotated[EventsQuery, Query()]
"""The type of a route's parameter that receives the parameters of a list of events."""
Listing = Annotated[ListQuery, Query()]
"""The type of a route's parameter that receives the parameters of a list."""
Position = tuple[datetime | None, str]


def cursor(wanted: ListQuery, after: Position | None) -> str | None:
    """Return the cursor of the page that begins after this position; None if there is no such page."""
    if after is None:
        return None
    content = json.dumps([wanted.digest(), after[0].isoformat() if after[0] else None, after[1]])
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def position(wanted: ListQuery) -> Position | None:
    """Return where the page begins. Raises `InvalidInput` for a cursor that is not one, or not of this list."""
    if wanted.cursor is None:
        return None
    try:
        content = base64.urlsafe_b64decode(wanted.cursor + "=" * (-len(wanted.cursor) % 4))
        digest, at, case_id = json.loads(content)
        if digest != wanted.digest() or not isinstance(case_id, str) or "\0" in case_id:
            raise ValueError  # noqa: TRY301 (as any other)
        then = None if at is None else datetime.fromisoformat(at)
        if then is not None and then.tzinfo is None:
            raise ValueError  # noqa: TRY301 (as any other)
    except (binascii.Error, ValueError, TypeError):
        raise _wrong("cursor", "is not of this list: use next of the page before, with the same filters") from None
    return then, case_id


def _wrong(field: str, problem: str) -> InvalidInput:
    return InvalidInput([Problem(field=field, problem=problem)])
