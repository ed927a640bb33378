"""A later call, its changes by messages, and when it is asked for (G13).

Nothing here waits, sends or reads a clock. The calls that are due are derived from the date and from how many were
asked for, and each has a key of its own, so that none is lost or repeated.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from cases import rate_limit
from cases.calendar import length
from cases.contract import later_call_workflow_id
from cases.errors import Refusal
from cases.inbox.messages import Message, read
from cases.inbox.receiving import refuse
from cases.inbox.repeats import remember, repeated
from cases.partner_calls import StaffNotice
from cases.progress.closing import CARRIED_OUT
from cases.scalars import NUMERIC, Flag
from cases.state.case import Case
from cases.state.entries import Refused, Seen
from cases.text import Long, Signature
from cases.vocabulary import Role

ANSWERED = "later-call-answered"
EVENT = "later_call"
"""The notice that asks an agent to call."""


class LaterCallAnswered(Message):
    """What the customer said at the later call, or that they were not reached and are not called again (G13)."""

    by: Signature
    reached: Flag = True
    score: Annotated[int, Field(ge=1, le=5), NUMERIC] | None = None
    comment: Long = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.reached and self.score is None and not self.comment.strip():
            raise ValueError("give a score or a comment, or reached: false")
        if not self.reached and self.score is not None:
            raise ValueError("a customer who was not reached gave no score")
        return self


MESSAGES: dict[str, type[Message]] = {ANSWERED: LaterCallAnswered}
"""The messages that a later call accepts, each as a signal and as an update."""


class LaterCallTerms(BaseModel):
    """What a case passes to its later call. No personal data of the customer."""

    case_id: str
    line: str
    team: str
    owner: str | None
    due_at: AwareDatetime
    every: timedelta
    attempts: int
    facts: dict[str, Any]
    """The facts in every notice about the call."""


def later_call_terms(case: Case) -> LaterCallTerms | None:
    """Return the terms of the case's later call; None if its policy asks for none, or nothing was carried out."""
    terms = case.policy.later_call
    if terms is None or case.merged_into or case.outcome not in CARRIED_OUT or case.closed_at is None:
        return None
    return LaterCallTerms(
        case_id=case.id,
        line=case.complaint.line,
        team=case.team,
        owner=case.owner,
        due_at=case.policy.working_days.add(case.closed_at, length(terms.after)),
        every=length(terms.every).amount,
        attempts=terms.attempts,
        facts=case.staff_facts,
    )


class LaterCall(BaseModel):
    """The state of one later call."""

    terms: LaterCallTerms
    asked: int = 0
    """How often an agent was asked to call."""
    answered_at: AwareDatetime | None = None
    given_up_at: AwareDatetime | None = None
    answer: LaterCallAnswered | None = None
    refused: list[Refused] = []
    seen: Seen = {}
    paces: dict[str, AwareDatetime] = {}
    """The rate limit's record for each message name (`cases.rate_limit`)."""

    @property
    def open(self) -> bool:
        """Whether an answer is still awaited."""
        return self.answered_at is None and self.given_up_at is None

    @property
    def next_at(self) -> datetime:
        """When an agent is asked to call, for the next time, or when it is given up."""
        return self.terms.due_at + self.asked * self.terms.every

    def ask(self, now: datetime) -> StaffNotice | None:
        """Return the next notice, which asks an agent to call; None if that was done often enough: it is given up."""
        terms = self.terms
        if self.asked == terms.attempts:
            self.given_up_at = now
            return None
        self.asked += 1
        return StaffNotice(
            key=f"{later_call_workflow_id(terms.case_id)}/{self.asked}",
            case_id=terms.case_id,
            event=EVENT,
            role=Role.OWNER,
            team=terms.team,
            owner=terms.owner,
            facts={**terms.facts, "attempt": self.asked, "attempts": terms.attempts},
        )

    @property
    def known_as(self) -> str:
        """What has become of it, as a clause."""
        if self.answered_at and self.answer:
            how = "was answered" if self.answer.reached else "was ended, because the customer was not reached"
            return f"{how} on {self.answered_at.date()}, entered by {self.answer.by}"
        if self.given_up_at:
            return f"was given up on {self.given_up_at.date()}, because nobody entered an answer"
        return f"is due on {self.terms.due_at.date()}"


def receive(call: LaterCall, name: str, payload: Any, now: datetime) -> dict[str, Any]:
    """Apply one message, and return the answer. If it raises `Refusal`, nothing has changed."""
    message = read(name, payload, MESSAGES, "a later call")
    if repeated(call.seen, name, message):
        return {"applied": False, "why": f"message {message.message_id} was applied before"}
    if not call.open or not isinstance(message, LaterCallAnswered):
        raise Refusal(f"the later call of {call.terms.case_id} {call.known_as}; nothing changes it")
    if why := rate_limit.too_much(call.paces, name, now, call):
        raise Refusal(why)
    call.answer, call.answered_at = message, now
    rate_limit.count(call.paces, name, now)
    remember(call.seen, name, message)
    return {"applied": True}


def keep_refused(call: LaterCall, name: str, payload: Any, refusal: Refusal, now: datetime) -> bool:
    """Record a signal that could not be applied, and return whether there is a new line (see `refuse`)."""
    return refuse(call.refused, name, payload, str(refusal), now)


class LaterCallView(BaseModel):
    """A later call as its query `later-call` and its workflow return it, and as our database keeps it."""

    case_id: str
    line: str
    due_at: AwareDatetime
    asked: int
    """How often an agent was asked to call."""
    answered_at: AwareDatetime | None = None
    given_up_at: AwareDatetime | None = None
    reached: bool | None = None
    """Whether the customer was reached; None if nobody has entered an answer."""
    score: int | None = None
    comment: str = ""
    """The customer's words; personal data."""
    by: str | None = None

    @classmethod
    def of(cls, call: LaterCall) -> Self:
        """Return the current view of the call."""
        terms, answer = call.terms, call.answer
        said = answer.model_dump(include={"reached", "score", "comment", "by"}) if answer else {}
        return cls(
            case_id=terms.case_id,
            line=terms.line,
            due_at=terms.due_at,
            asked=call.asked,
            answered_at=call.answered_at,
            given_up_at=call.given_up_at,
            **said,
        )
