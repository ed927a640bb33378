"""The claim against a carrier: what is true of it, and what follows from each message (B16).

Nothing here waits, sends or asks a clock. What the carrier pays (`recovered`) is set against what the case really
paid (`paid_out`); nobody's word changes a claim that has ended.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel

from cases import rate_limit
from cases.claim.terms import ClaimTerms, claim_key
from cases.complaint import CLOCK_SKEW, Evidence, lacking
from cases.contract import CLAIM_SETTLED
from cases.errors import Refusal
from cases.inbox.messages import EvidenceReceived, Message, StepReported, check_digits, read
from cases.inbox.receiving import refuse
from cases.inbox.repeats import remember, repeated
from cases.money import Money
from cases.partner_calls import Document, Receipt, ReceiptState, StaffNotice, StepCommand
from cases.patches import Holds, always
from cases.state.entries import Refused, Seen
from cases.text import Long
from cases.views.search_attributes import TEAM
from cases.vocabulary import EvidenceKind, RemedyKind, Role

LAST_CALL = timedelta(days=1)
"""So long before its window closes a claim is filed with the documents there are: a carrier may be out of reach
for half a day, and then there has to be time for another try."""
ANSWER_WITHIN = timedelta(days=30)
"""After so long without an answer staff ask the carrier by other ways: as long as its own window for claims."""


class ClaimState(StrEnum):
    """Where a claim stands; the last four are its end."""

    WAITING = "waiting"
    """For its window, for documents, or for another try."""
    FILING = "filing"
    FILED = "filed"
    UNKNOWN = "unknown"
    """Sent, and nobody knows whether it arrived (S13)."""
    PAID = "paid"
    REFUSED = "refused"
    EXPIRED = "expired"
    """Its window closed before the carrier took it."""
    CANCELLED = "cancelled"


class ClaimSettled(Message):
    """What the carrier paid in the end; 0.00 where it refused (B16)."""

    recovered: Money
    detail: Long = ""


FACTS: dict[str, type[Message]] = {
    "step-reported": StepReported,
    CLAIM_SETTLED: ClaimSettled,
    "evidence-received": EvidenceReceived,
}
"""What a claim understands, each as a signal and as an update."""


class Claim(BaseModel):
    """The state of one claim."""

    terms: ClaimTerms
    documents: list[Document]
    state: ClaimState = ClaimState.WAITING
    number: int = 1
    """Counts the carrier's final refusals to take it, and so the keys."""
    reference: str | None = None
    filed_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    recovered: Decimal = Decimal("0.00")
    paid_out: Decimal = Decimal("0.00")
    overdue: bool = False
    """Whether the carrier has let its time to answer pass."""
    detail: str = ""
    refused: list[Refused] = []
    seen: Seen = {}
    """Messages that were applied, by their id."""
    paces: dict[str, AwareDatetime] = {}
    """How often each message has come lately (`cases.rate_limit`)."""

    @property
    def open(self) -> bool:
        """Return whether it can still bring something."""
        return self.closed_at is None

    @property
    def missing(self) -> list[str]:
        """The documents that the policy asks for and nobody has given."""
        return lacking(self.terms.needed, (d.name for d in self.documents))

    @property
    def last_call(self) -> datetime:
        """When it is filed with what there is."""
        return max(self.terms.not_before, self.terms.not_after - LAST_CALL)

    def command(self) -> StepCommand:
        """What the carrier is asked for. A final no is not asked again under the same key (S13)."""
        key = claim_key(self.terms.command.case_id, self.number)
        return self.terms.command.model_copy(update={"key": key, "documents": list(self.documents)})

    def notice(self, why: str) -> StaffNotice:
        """Return the notice to staff for this reason. Each reason is notified once."""
        facts = {**self.terms.facts, "why": why, "claimed": f"{self.terms.claimed:.2f}"}
        if why == "documents":
            facts |= {"missing": self.missing, "filed_at": self.last_call.isoformat()}
        return StaffNotice(
            key=f"{self.terms.command.key}/{why}",
            case_id=self.terms.command.case_id,
            event="carrier_claim",
            role=Role.OWNER,
            team=self.terms.attributes[TEAM.name],
            facts=facts,
        )

    def file(self) -> None:
        """It is being sent to the carrier."""
        self.state = ClaimState.FILING

    def use_key(self, number: int) -> None:
        """What is sent, asked and reported from now on is about its `number`th key."""
        self.number = number

    def not_taken(self, why: str, *, final: bool) -> None:
        """The carrier has not got it, and may take it later."""
        if self.open:
            self.state, self.detail, self.number = ClaimState.WAITING, why, self.number + final

    def unknown(self, why: str) -> None:
        """The carrier may have it."""
        if self.open:
            self.state, self.detail = ClaimState.UNKNOWN, why

    def unanswered(self) -> None:
        """The carrier has let its time to answer pass."""
        self.overdue = True

    def paid_by_us(self, amount: Decimal) -> None:
        """What the case has really paid out so far."""
        self.paid_out = amount

    def taken(self, receipt: Receipt, at: datetime) -> None:
        """The carrier has it; some decide at once."""
        if self.open:
            self.state, self.reference, self.filed_at = ClaimState.FILED, receipt.reference, at
            self.decide(receipt.state, receipt.detail, at)

    def decide(self, state: ReceiptState, detail: str, at: datetime) -> None:
        """Apply the carrier's decision: `done` pays the claim in full, `failed` refuses it."""
        self.detail = detail
        if state is ReceiptState.DONE:
            self.settle(self.terms.claimed, at)
        elif state is ReceiptState.FAILED:
            self.settle(Decimal("0.00"), at)

    def settle(self, recovered: Decimal, at: datetime) -> None:
        """It ends with what it brought."""
        self.recovered = recovered
        self.end(ClaimState.PAID if recovered else ClaimState.REFUSED, at)

    def end(self, state: ClaimState, at: datetime) -> None:
        """It brings nothing more."""
        self.state, self.closed_at = state, at


def receive(claim: Claim, name: str, payload: Any, now: datetime, holds: Holds = always) -> dict[str, Any]:
    """Apply one message, and answer where the claim then stands; raises `Refusal`, and then nothing has changed."""
    message = read(name, payload, FACTS, "a carrier claim", holds)
    if repeated(claim.seen, name, message, holds):
        return {"applied": False, "state": claim.state, "why": f"message {message.message_id} was applied before"}
    if not claim.open:
        raise Refusal(f"the claim has ended as {claim.state}: {claim.recovered:.2f} recovered, nothing changes it")
    if message.occurred_at and message.occurred_at > now + CLOCK_SKEW:
        raise Refusal(f"occurred_at: {message.occurred_at.isoformat()} is in the future")
    check_digits(name, message, claim.terms.command.currency, holds)
    if why := rate_limit.too_much(claim.paces, name, now, claim):
        raise Refusal(why)
    if isinstance(message, EvidenceReceived):
        _add(claim, message.evidence)
    elif isinstance(message, StepReported):
        _reported(claim, message, now)
    elif isinstance(message, ClaimSettled):
        claim.detail = message.detail
        claim.settle(message.recovered, now)
    rate_limit.count(claim.paces, name, now)
    remember(claim.seen, name, message)
    return {"applied": True, "state": claim.state, "missing": claim.missing}


def keep_refused(claim: Claim, name: str, payload: Any, refusal: Refusal, now: datetime) -> bool:
    """Keep a signal that could not be applied; return whether it has a line of its own (`refuse`)."""
    return refuse(claim.refused, name, payload, str(refusal), now)


def _reported(claim: Claim, message: StepReported, now: datetime) -> None:
    if message.step != RemedyKind.CARRIER_CLAIM:
        raise Refusal(f"step: {message.step} is not this claim's: that is {RemedyKind.CARRIER_CLAIM}")
    if claim.state is ClaimState.WAITING:
        raise Refusal(f"the claim has not been filed; if an amount was recovered, report it with {CLAIM_SETTLED}")
    key = claim.command().key
    if message.key not in (None, key):
        raise Refusal(f"the claim is filed under {key}: a report on {message.key} changes nothing any more")
    claim.decide(message.state, message.detail, now)


def _add(claim: Claim, evidence: list[Evidence]) -> None:
    """A `document` stands for a record of ours that is missing, one each, in the order that the policy names them."""
    if claim.state is not ClaimState.WAITING:
        raise Refusal(f"the claim is {claim.state}: send further documents to the carrier")
    for each in evidence:
        if any(each.uri == d.uri for d in claim.documents):
            continue
        records = [name for name in claim.missing if name not in {*EvidenceKind}]
        name = records[0] if each.kind is EvidenceKind.DOCUMENT and records else each.kind.value
        claim.documents.append(Document(name=name, uri=each.uri))
