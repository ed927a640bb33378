"""The state of a claim against a carrier, and its changes by messages (B16).

Nothing here waits, sends or reads a clock. The claim compares what the carrier paid (`recovered`) with what the case
actually paid (`paid_out`). No message changes a claim that has ended.
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
"""How long before the end of its window a claim is filed with the documents at hand. A carrier may be unreachable for
half a day, and there has to be time for another attempt."""
ANSWER_WITHIN = timedelta(days=30)
"""How long the carrier has to answer before staff contact it directly: as long as its own window for claims."""


class ClaimState(StrEnum):
    """The state of a claim. The last four states are final."""

    WAITING = "waiting"
    """Waiting for its window, for documents, or for another attempt."""
    FILING = "filing"
    FILED = "filed"
    UNKNOWN = "unknown"
    """Sent, but it is unknown whether it arrived (S13)."""
    PAID = "paid"
    REFUSED = "refused"
    EXPIRED = "expired"
    """Its window closed before the carrier accepted it."""
    CANCELLED = "cancelled"


class ClaimSettled(Message):
    """The amount that the carrier finally paid; 0.00 if it refused (B16)."""

    recovered: Money
    detail: Long = ""


FACTS: dict[str, type[Message]] = {
    "step-reported": StepReported,
    CLAIM_SETTLED: ClaimSettled,
    "evidence-received": EvidenceReceived,
}
"""The messages that a claim accepts, each as a signal and as an update."""


class Claim(BaseModel):
    """The state of one claim."""

    terms: ClaimTerms
    documents: list[Document]
    state: ClaimState = ClaimState.WAITING
    number: int = 1
    """The number in the key. It increases with each final refusal of the carrier to accept the claim."""
    reference: str | None = None
    filed_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    recovered: Decimal = Decimal("0.00")
    paid_out: Decimal = Decimal("0.00")
    overdue: bool = False
    """Whether the carrier has not answered in time."""
    detail: str = ""
    refused: list[Refused] = []
    seen: Seen = {}
    """Fingerprints of the messages that were applied, by their id."""
    paces: dict[str, AwareDatetime] = {}
    """The rate limit's record for each message name (`cases.rate_limit`)."""

    @property
    def open(self) -> bool:
        """Return whether the claim has not ended."""
        return self.closed_at is None

    @property
    def missing(self) -> list[str]:
        """The documents that the policy requires and that the claim does not have."""
        return lacking(self.terms.needed, (d.name for d in self.documents))

    @property
    def last_call(self) -> datetime:
        """When the claim is filed even if documents are missing."""
        return max(self.terms.not_before, self.terms.not_after - LAST_CALL)

    def command(self) -> StepCommand:
        """Return the request to the carrier. After a final refusal it has a new key (S13)."""
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
        """Record that the claim is being sent to the carrier."""
        self.state = ClaimState.FILING

    def use_key(self, number: int) -> None:
        """Use the key with this number for everything that is sent, asked and reported from now on."""
        self.number = number

    def not_accepted(self, why: str, *, final: bool) -> None:
        """Record that the carrier has not received the claim or does not accept it now. It can be sent again."""
        if self.open:
            self.state, self.detail, self.number = ClaimState.WAITING, why, self.number + final

    def unknown(self, why: str) -> None:
        """Record that the carrier may have received the claim."""
        if self.open:
            self.state, self.detail = ClaimState.UNKNOWN, why

    def unanswered(self) -> None:
        """Record that the carrier has not answered in time."""
        self.overdue = True

    def set_paid_out(self, amount: Decimal) -> None:
        """Record what the case has actually paid so far."""
        self.paid_out = amount

    def accepted(self, receipt: Receipt, at: datetime) -> None:
        """Record that the carrier has received the claim. Some carriers decide at once."""
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
        """End the claim with the recovered amount."""
        self.recovered = recovered
        self.end(ClaimState.PAID if recovered else ClaimState.REFUSED, at)

    def end(self, state: ClaimState, at: datetime) -> None:
        """End the claim in this state."""
        self.state, self.closed_at = state, at


def receive(claim: Claim, name: str, payload: Any, now: datetime, holds: Holds = always) -> dict[str, Any]:
    """Apply one message, and return the answer with the claim's state. If it raises `Refusal`, nothing has changed."""
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
    """Record a signal that could not be applied, and return whether there is a new line (see `refuse`)."""
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
    """Add documents. A `document` counts as the first of our own records that is missing, in the policy's order."""
    if claim.state is not ClaimState.WAITING:
        raise Refusal(f"the claim is {claim.state}: send further documents to the carrier")
    for each in evidence:
        if any(each.uri == d.uri for d in claim.documents):
            continue
        records = [name for name in claim.missing if name not in {*EvidenceKind}]
        name = records[0] if each.kind is EvidenceKind.DOCUMENT and records else each.kind.value
        claim.documents.append(Document(name=name, uri=each.uri))
