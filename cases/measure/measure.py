"""An improvement measure, its changes by messages, and whom it notifies when (G13).

Nothing here waits, sends or reads a clock. The notices that are due are derived from the dates and from how many were
sent (`next_notice`), and each has a key of its own, so that none is lost or repeated.
"""

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, BeforeValidator

from cases import rate_limit
from cases.contract import measure_workflow_id
from cases.errors import Refusal
from cases.inbox.messages import Message, read
from cases.inbox.receiving import refuse
from cases.inbox.repeats import remember, repeated
from cases.measure.proposed import OPEN_STATES, KnownMeasure, MeasureState
from cases.partner_calls import StaffNotice
from cases.patches import Holds, always
from cases.policy.every_line import MeasureTerms
from cases.state.entries import Refused, Seen
from cases.text import Signature, Text
from cases.vocabulary import Role

LONGEST = timedelta(days=731)
"""How far ahead a due date may be."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _as_date(value: Any) -> Any:
    """Refuse everything that is read as a date by accident, such as a number."""
    if type(value) is not date and not (isinstance(value, str) and _DATE.fullmatch(value)):
        raise ValueError("must be a date such as 2026-12-15")
    return value


class Adopt(Message):
    """Adopt the measure: who is responsible for it, and until which day (G13)."""

    by: Signature
    owner: Signature
    due: Annotated[date, BeforeValidator(_as_date)]


class Done(Message):
    """The measure is done: a word of what was done (G13)."""

    by: Signature
    result: Text


class Drop(Message):
    """The measure is not pursued any further, with the reason (G13)."""

    by: Signature
    reason: Text


MESSAGES: dict[str, type[Message]] = {"adopt": Adopt, "done": Done, "drop": Drop}
"""The messages that a measure accepts, each as a signal and as an update."""


class MeasureEvent(StrEnum):
    """The notices about a measure."""

    DUE = "measure_due"
    """To the owner, before the due date."""
    OVERDUE = "measure_overdue"
    """Up the ladder, after the due date."""
    CLOSED = "measure_closed"
    """To everybody who was notified that it was overdue."""


class Notice(NamedTuple):
    """A notice that is due at a certain time."""

    at: datetime
    number: int
    """Its place among the notices that the measure sends while it is adopted, from 0."""
    event: MeasureEvent
    role: Role


class Measure(BaseModel):
    """The state of one measure that a person has adopted, or is about to."""

    about: KnownMeasure
    terms: MeasureTerms
    timezone: str
    adopted_by: str | None = None
    closed_by: str | None = None
    sent: int = 0
    """How many of its notices have been sent or left out."""
    notified: list[Role] = []
    """The roles that know that it is overdue."""
    refused: list[Refused] = []
    seen: Seen = {}
    paces: dict[str, AwareDatetime] = {}
    """The rate limit's record for each message name (`cases.rate_limit`)."""

    @property
    def open(self) -> bool:
        """Whether it is neither done nor dropped."""
        return self.about.state in OPEN_STATES

    @property
    def due_at(self) -> datetime | None:
        """The end of its due date in its line's time zone; None before it is adopted."""
        if self.about.due_on is None:
            return None
        return datetime.combine(self.about.due_on + timedelta(days=1), time(), ZoneInfo(self.timezone))

    def next_notice(self, now: datetime) -> Notice | None:
        """Return the next notice, which may be overdue; None if there is none.

        After an outage every role of the ladder still gets its first notice. Repetitions that were missed are left out.
        """
        due_at, adopted_at = self.due_at, self.about.adopted_at
        if due_at is None or adopted_at is None or self.about.state is not MeasureState.ADOPTED:
            return None
        remind_at, number = due_at - self.terms.remind, self.sent
        if number == 0 and remind_at <= adopted_at:
            number = 1  # the owner has just been named
        if number == 0:
            return Notice(remind_at, 0, MeasureEvent.DUE, Role.OWNER)
        ladder, every = self.terms.overdue, self.terms.repeat
        if number > len(ladder):
            number = max(number, 1 + (now - due_at) // every)
        role = ladder[min(number, len(ladder)) - 1]
        return Notice(due_at + (number - 1) * every, number, MeasureEvent.OVERDUE, role)

    def settle(self, notice: Notice) -> None:
        """Record that the notice is being sent. It is never sent again."""
        self.sent = notice.number + 1
        if notice.event is MeasureEvent.OVERDUE and notice.role not in self.notified:
            self.notified.append(notice.role)

    def letter(self, event: MeasureEvent, role: Role, which: str) -> StaffNotice:
        """Return a notice to staff. `which` tells it from the measure's other notices of this event."""
        about = self.about
        facts = about.model_dump(
            mode="json",
            include={"measure_id", "line", "dimension", "subject", "proposal", "reason", "due_on", "result", "owner"},
        )
        return StaffNotice(
            key=f"{measure_workflow_id(about.measure_id)}/{event}/{which}",
            case_id=about.measure_id,
            event=event,
            role=role,
            team=self.terms.team,
            owner=about.owner,
            facts={**facts, "state": about.state, "by": self.closed_by, "timezone": self.timezone},
        )

    def end(self, state: MeasureState, result: str, by: str | None, now: datetime) -> None:
        """End the measure with a word of what was done, or why it was dropped."""
        self.about = self.about.model_copy(update={"state": state, "result": result, "closed_at": now})
        self.closed_by = by

    @property
    def known_as(self) -> str:
        """What has become of it, as a clause."""
        about = self.about
        match about.state:
            case MeasureState.ADOPTED:
                return f"was adopted: {about.owner} is responsible, until {about.due_on}"
            case MeasureState.PROPOSED:
                return "has been proposed, and nobody has adopted it"
        return f"was {about.state} on {about.closed_at and about.closed_at.date()}: {about.result}"


def receive(measure: Measure, name: str, payload: Any, now: datetime, holds: Holds = always) -> dict[str, Any]:
    """Apply one message, and return the answer with the measure's state. If it raises `Refusal`, nothing changes."""
    message = read(name, payload, MESSAGES, "a measure", holds)
    if repeated(measure.seen, name, message, holds):
        return _answer(measure, why=f"message {message.message_id} was applied before")
    if why := rate_limit.too_much(measure.paces, name, now, measure):
        raise Refusal(why)
    if isinstance(message, Adopt):
        answer = _adopt(measure, message, now)
    elif isinstance(message, Done):
        answer = _end(measure, MeasureState.DONE, message.result, message.by, now)
    elif isinstance(message, Drop):
        answer = _end(measure, MeasureState.DROPPED, message.reason, message.by, now)
    else:
        raise TypeError(type(message))
    rate_limit.count(measure.paces, name, now)
    remember(measure.seen, name, message)
    return answer


def keep_refused(measure: Measure, name: str, payload: Any, refusal: Refusal, now: datetime) -> bool:
    """Record a signal that could not be applied, and return whether there is a new line (see `refuse`)."""
    return refuse(measure.refused, name, payload, str(refusal), now)


def _adopt(measure: Measure, message: Adopt, now: datetime) -> dict[str, Any]:
    about = measure.about
    if about.state is not MeasureState.PROPOSED:
        if measure.open and (about.owner, about.due_on) == (message.owner, message.due):
            return _answer(measure, why=f"{about.measure_id} {measure.known_as}")
        raise Refusal(f"{about.measure_id} {measure.known_as}; a measure is adopted once")
    today = now.astimezone(ZoneInfo(measure.timezone)).date()
    if not today <= message.due <= today + LONGEST:
        raise Refusal(f"due: {message.due} must be from today ({today}) to {today + LONGEST}")
    adopted = {"state": MeasureState.ADOPTED, "owner": message.owner, "due_on": message.due, "adopted_at": now}
    measure.about, measure.adopted_by = about.model_copy(update=adopted), message.by
    return _answer(measure)


def _end(measure: Measure, state: MeasureState, word: str, by: str, now: datetime) -> dict[str, Any]:
    about = measure.about
    if about.state is state:
        return _answer(measure, why=f"{about.measure_id} {measure.known_as}")
    if not measure.open:
        raise Refusal(f"{about.measure_id} {measure.known_as}; nothing changes it")
    if state is MeasureState.DONE and about.state is MeasureState.PROPOSED:
        raise Refusal(f"{about.measure_id} {measure.known_as}: adopt it first, or drop it")
    measure.end(state, word, by, now)
    return _answer(measure)


def _answer(measure: Measure, why: str | None = None) -> dict[str, Any]:
    applied: dict[str, Any] = {"applied": why is None, "state": measure.about.state}
    return applied if why is None else {**applied, "why": why}


class MeasureView(KnownMeasure):
    """A measure as its query `measure` and its workflow return it."""

    adopted_by: str | None
    closed_by: str | None
    notified: list[Role]
    """The roles that know that it is overdue."""
    refused: list[Refused]

    @classmethod
    def of(cls, measure: Measure) -> Self:
        """Return the current view of the measure."""
        also = ("adopted_by", "closed_by", "notified", "refused")
        return cls(**dict(measure.about), **{name: getattr(measure, name) for name in also})
