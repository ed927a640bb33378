"""The views of a carrier claim: the answer to its query, and its page in the UI."""

from datetime import datetime
from typing import Annotated, Self

from pydantic.json_schema import SkipJsonSchema

from cases.calendar import clock
from cases.claim.claim import FACTS, Claim, ClaimState
from cases.contract import CLAIM_SETTLED
from cases.views.need_view import Json, NeedView, message_with, need, need_lines
from cases.views.snapshot import RefusedView
from cases.views.ui_page import page
from cases.views.view_fields import Amount, OffsetTime, Omittable, View, one_of
from cases.vocabulary import EvidenceKind


class DocumentView(View):
    """A document for the carrier: its name, and its location if it is not one of our records."""

    name: str
    uri: Omittable[str] = None


class ClaimView(View):
    """A carrier claim as returned by its query `claim` and by its workflow."""

    case_id: str
    order_id: str | None
    carrier: str
    state: Annotated[str, one_of(ClaimState)]
    currency: str
    claimed: Amount
    recovered: Amount | None
    """null while the claim is open"""
    paid_out: Amount
    net: Amount
    """`recovered` less `paid_out`. Negative if we paid more than we recovered."""
    not_before: OffsetTime
    not_after: OffsetTime
    filed_at: OffsetTime | None
    closed_at: OffsetTime | None
    reference: str | None
    documents: list[DocumentView]
    missing: list[str]
    detail: str
    refused: list[RefusedView]
    needs: list[NeedView | SkipJsonSchema[str]]
    """What a person has to do next. Empty if the claim continues by itself. An earlier build wrote sentences."""

    @classmethod
    def of(cls, claim: Claim) -> Self:
        """Return the current view of the claim."""
        terms = claim.terms
        return cls(
            case_id=terms.command.case_id,
            order_id=terms.command.order_id,
            carrier=terms.carrier,
            state=claim.state,
            currency=terms.command.currency,
            claimed=terms.claimed,
            recovered=None if claim.open else claim.recovered,
            paid_out=claim.paid_out,
            net=claim.recovered - claim.paid_out,
            not_before=terms.not_before,
            not_after=terms.not_after,
            filed_at=claim.filed_at,
            closed_at=claim.closed_at,
            reference=claim.reference,
            documents=[DocumentView(name=document.name, uri=document.uri) for document in claim.documents],
            missing=claim.missing,
            detail=claim.detail,
            refused=claim.refused,
            needs=needs(claim),
        )


def needs(claim: Claim) -> list[NeedView]:
    """Return what a person has to do next, in the form of a case's `needs`. Empty if the claim continues by itself."""
    settled = message_with(FACTS, CLAIM_SETTLED, {"recovered": f"{claim.terms.claimed:.2f}"})
    if claim.state is ClaimState.WAITING and claim.missing:
        until = _clock(claim, claim.last_call)
        text = f"documents are missing ({', '.join(claim.missing)}): evidence-received; filed without them on {until}"
        return [need("documents", text, message_with(FACTS, "evidence-received", {"evidence": _lacking(claim)}))]
    if claim.state is ClaimState.UNKNOWN:
        text = f"the carrier has not said whether it has the claim: it is being asked; or ask it, then {CLAIM_SETTLED}"
        return [need("claim_unknown", text, settled)]
    if claim.state is ClaimState.FILED and claim.overdue:
        return [need("unanswered", f"the carrier does not answer: ask the carrier, then {CLAIM_SETTLED}", settled)]
    return []


def _lacking(claim: Claim) -> list[Json]:
    """Return example evidence for each missing document. Our own records have the kind `document`."""
    kinds = {*EvidenceKind}
    return [
        {"kind": name if name in kinds else EvidenceKind.DOCUMENT.value, "uri": f"https://files.example.com/{name}"}
        for name in claim.missing
    ]


def claim_page(claim: Claim) -> str:
    """Return the page of a claim in the UI. It has no personal data, and so no texts from the carrier."""
    terms, money = claim.terms, claim.terms.command.currency
    filed = f"; filed {_clock(claim, claim.filed_at)}" if claim.filed_at else ""
    amounts = [f"claimed {terms.claimed:.2f} {money}"]
    if not claim.open:
        net = claim.recovered - claim.paid_out
        amounts += [f"recovered {claim.recovered:.2f}", f"paid out {claim.paid_out:.2f}", f"net {net:.2f}"]
    sections = {
        "What to do": [need_lines(each) for each in needs(claim)],
        "Window": [f"{_clock(claim, terms.not_before)} to {_clock(claim, terms.not_after)}{filed}"],
        "Documents": [f"attached: {', '.join(d.name for d in claim.documents)}"],
        "Amounts": [", ".join(amounts)],
    }
    if claim.missing:
        sections["Documents"].append(f"**missing**: {', '.join(claim.missing)}")
    if claim.refused:
        sections["Refused messages"] = [f"{r.message}: {r.why}" for r in claim.refused[-5:]]
    return page(f"**{claim.state}** · {terms.carrier} · order {terms.command.order_id}", sections)


def _clock(claim: Claim, at: datetime) -> str:
    return clock(at, claim.terms.facts["timezone"])
