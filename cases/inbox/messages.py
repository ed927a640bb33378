"""The messages that a case accepts, each as a frozen model. Facts are in the past tense, commands in the imperative.

A fact is a signal or an update of the same name. A command is an update only (contract, *Messages*).
"""

from contextlib import suppress
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import Field, ValidationError

from cases.calendar import Instant
from cases.complaint import Evidence, Strict
from cases.contract import MOVE_POLICY
from cases.errors import Refusal, printable, problems_of
from cases.money import excess_digits
from cases.partner_calls import Key, ReceiptState, StepFinding
from cases.patches import Holds, always
from cases.scalars import NUMERIC
from cases.state.finding import PartialFinding
from cases.state.offer import Option
from cases.text import ALL_VISIBLE, NEW_INPUT, Identifier, Long, MessageId, Signature, Text
from cases.vocabulary import Wish


class Message(Strict):
    """The fields of every message: the sender, when it happened, and an id so that it is applied only once."""

    by: Signature | None = None
    occurred_at: Instant | None = None
    message_id: MessageId | None = None


class ContactMade(Message):
    """An agent reached the customer. This keeps `acknowledge` (G2)."""

    note: Long = ""


class EvidenceReceived(Message):
    """Evidence has arrived. Promises that waited for it resume (G11)."""

    evidence: Annotated[list[Evidence], Field(min_length=1, max_length=50)]


class CustomerApproved(Message):
    """The customer accepted one option of an offer (G5, S19)."""

    offer: Identifier | None = None
    option: Identifier | None = None


class CustomerDeclined(Message):
    """The customer declined the offer, with a reason. An agent decides what is next (G5)."""

    offer: Identifier | None = None
    reason: Text
    wish: Wish | None = None


class StepReported(Message):
    """A report on a step by a partner or a crew (G6)."""

    step: Identifier
    key: Annotated[Key, ALL_VISIBLE] | None = None
    """The key of the request to the partner. With it, a report on an earlier attempt changes nothing (S13)."""
    state: Literal[ReceiptState.DISPATCHED, ReceiptState.DONE, ReceiptState.FAILED]
    detail: Long = ""
    finding: StepFinding | None = None


class SatisfactionReported(Message):
    """The customer's answer to the callback, from 1 (bad) to 5 (good) (G8)."""

    score: Annotated[int, Field(ge=1, le=5), NUMERIC]
    comment: Long = ""


class ComplaintWithdrawn(Message):
    """The customer withdraws the complaint. Possible while no step has begun (G12)."""

    reason: Long = ""


class Assess(PartialFinding, Message):
    """The finding, or part of it, as established by an agent (G3)."""

    note: Long = ""


class Propose(Message):
    """An agent's own offer, instead of the computed one (G4)."""

    options: Annotated[list[Option], Field(min_length=1, max_length=10)]
    note: Long = ""


class Approve(Message):
    """The approval of an offer beyond the limits or for a claim. `approval` is the offer's id (G4, S20)."""

    approval: Identifier | None = None
    note: Long = ""


class Reject(Message):
    """The rejection of an offer that needs approval. `approval` is the offer's id."""

    approval: Identifier | None = None
    note: Long = ""


class DeclareComplex(Message):
    """Fresh food: replace the solution promise by a preliminary plan and a detailed result (F3)."""

    reason: Text
    plan: Long = ""


class ResolveStep(Message):
    """The resolution of a blocked step (G6). `replace`: waive it, and an agent makes another offer for it.

    `dependents`: what to do with the steps that depend on a replaced or waived step (S28).
    """

    step: Identifier
    action: Literal["retry", "replace", "waive"]
    reason: Text
    dependents: Literal["waive", "carry_out"] = "waive"


class Assign(Message):
    """The team and owner of the case."""

    team: Identifier | None = None
    owner: Signature | None = None


class AcknowledgeEscalation(Message):
    """A person acknowledges an escalation. The ladder skips one rung (S23)."""

    promise: Identifier


class MarkUrgent(Message):
    """Make the case urgent, permanently. It is escalated at half the time and comes first in every queue (G10)."""

    reason: Text


class MovePolicy(Message):
    """Move the open case to the policy that is in force now. Time already used stays used (S18)."""

    by: Signature
    reason: Text
    version: Identifier | None = None


class Note(Message):
    """A remark on the timeline."""

    text: Text


FACTS: dict[str, type[Message]] = {
    "contact-made": ContactMade,
    "evidence-received": EvidenceReceived,
    "customer-approved": CustomerApproved,
    "customer-declined": CustomerDeclined,
    "step-reported": StepReported,
    "satisfaction-reported": SatisfactionReported,
    "complaint-withdrawn": ComplaintWithdrawn,
}
COMMANDS: dict[str, type[Message]] = {
    "assess": Assess,
    "propose": Propose,
    "approve": Approve,
    "reject": Reject,
    "declare-complex": DeclareComplex,
    "resolve-step": ResolveStep,
    "assign": Assign,
    "acknowledge-escalation": AcknowledgeEscalation,
    "mark-urgent": MarkUrgent,
    MOVE_POLICY: MovePolicy,
    "note": Note,
}
MESSAGES = {**FACTS, **COMMANDS}
OFFERS = frozenset({"assess", "propose", "approve"})
"""Messages that may send an offer to the customer. The order's account is read before they are applied (S35)."""
SAFE_TEXT, DIGITS, REPEATS = "safe text", "digits of currencies", "repeats by content"
LATE_REPORTS, NO_RETURN = "late reports are kept", "nothing is returned for nothing"
"""Names of patches: cases may be older than these rules (S29, S30, S31, S27, S28)."""


class When(NamedTuple):
    """The times of a message."""

    at: datetime
    """When the reported event happened. Promises are judged by this time (S9)."""
    now: datetime
    """When the message is applied."""


def read(
    name: str,
    payload: Any,
    known: dict[str, type[Message]] = MESSAGES,
    whose: str = "a case",
    holds: Holds = always,
) -> Message:
    """Return the message in `payload` (decoded JSON). Raise `Refusal` with all faulty fields."""
    model = known.get(name)
    if model is None:
        raise Refusal(f"there is no message {printable(name)}; {whose} understands {', '.join(known)}")
    if payload is None:
        payload = {}
    if not isinstance(payload, dict):
        raise Refusal(f"{name} takes a JSON object with {', '.join(model.model_fields)}")
    try:
        return model.model_validate(payload, context=NEW_INPUT)
    except ValidationError as error:
        refusal = Refusal(f"{name}: " + "; ".join(str(problem) for problem in problems_of(error)))
    with suppress(ValidationError):
        message = model.model_validate(payload)
        if not holds(SAFE_TEXT):
            return message
    raise refusal


def check_digits(name: str, message: Message, currency: str, holds: Holds = always) -> None:
    """Raise `Refusal` for an amount with more digits than the currency has (S30)."""
    problems = [str(problem) for problem in excess_digits(message, currency)]
    if problems and holds(DIGITS):
        raise Refusal(f"{name}: {'; '.join(problems)}")


def value_type(annotation: Any) -> Any:
    """Return the type of a field without None and without constraints."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not NoneType)
    return annotation
