"""Two complaints about one order and topic are linked; or, as the policy says, the older case handles both (G12, S22).

To be merged the later case tells the older one (`ComplaintLinked`) and then rests until that one closes (`CaseClosed`).
What reaches it meanwhile is passed on. Where the older case is gone, the later one goes on by itself.
"""

from datetime import datetime

from pydantic import BaseModel, Field, ValidationError

from cases import messages as m
from cases import pace
from cases.case import Case
from cases.closing import retire
from cases.complaint import CaseId, Evidence
from cases.conduct import UNDECIDED, consider
from cases.errors import Refusal, problems_of
from cases.evidence import arrived, ask
from cases.names import (
    CASE_CLOSED,
    COMPLAINT_LINKED,
    KeptWhen,
    LinkKind,
    OfferState,
    Outcome,
    Starts,
    Status,
    StepState,
)
from cases.reasons import Reason
from cases.repeats import remember, repeated
from cases.silence import heard_from

MAX_LINKS = 100
"""Related cases that a case names; a flood of complaints about one order must not fill its history."""


class ComplaintLinked(BaseModel):
    """A later complaint about the same came as `case`; `merges`: handle it as well."""

    case: CaseId
    merges: bool
    evidence: list[Evidence] = Field(default=[], max_length=1_000)


class CaseClosed(BaseModel):
    """`case` has closed with `outcome`; without one it could not take the complaint in."""

    case: CaseId
    outcome: Outcome | None = None


BETWEEN_CASES: dict[str, type[ComplaintLinked | CaseClosed]] = {
    COMPLAINT_LINKED: ComplaintLinked,
    CASE_CLOSED: CaseClosed,
}
"""Signals that cases send to one another; no part of the contract, and still read like any stranger's."""


def read(name: str, payload: object) -> ComplaintLinked | CaseClosed:
    """The signal in `payload` (decoded JSON); raises `Refusal` naming each faulty field."""
    try:
        return BETWEEN_CASES[name].model_validate(payload)
    except ValidationError as error:
        raise Refusal(f"{name}: " + "; ".join(str(problem) for problem in problems_of(error))) from None


# The older case


def link(case: Case, later: ComplaintLinked, at: datetime) -> bool:
    """Take the later complaint in, or note that it is handled apart; False: this case cannot.

    It is over, merged itself, or has taken in so many lately that the rest had better go on by itself.
    """
    if later.case == case.id:
        raise Refusal(f"{later.case} is this case: it cannot be linked to itself")
    if case.closing or case.merged_into:
        return False
    kind = LinkKind.MERGED if later.merges else LinkKind.RELATED
    if {"kind": kind, "case": later.case} in case.links:
        return True
    if not later.merges and len(case.links) >= MAX_LINKS:
        return True
    if later.merges:
        if pace.too_much(case.paces, COMPLAINT_LINKED, at, case):
            return False
        pace.count(case.paces, COMPLAINT_LINKED, at)
    _set_link(case, kind, later.case)
    how = "handled here" if later.merges else "handled apart"
    case.note("linked", at, f"{later.case}: a further complaint about the same, {how}")
    heard_from(case, at, at)
    fresh = [e for e in later.evidence if e not in case.evidence]
    if later.merges and fresh:
        arrived(case, fresh, at, at)
    return True


def merged(case: Case) -> list[str]:
    """The cases whose complaints this one handles as well."""
    return [link["case"] for link in case.links if link["kind"] == LinkKind.MERGED]


# The later case


def can_merge(case: Case) -> bool:
    """Whether the policy wants it, and nothing was agreed, begun or taken in that would be lost by it."""
    begun = any(step.begun for step in case.steps) or case.policy.second_complaint != "merge"
    return case.status in UNDECIDED and not (begun or case.closing or case.accepted or case.merged_into or merged(case))


def linked(case: Case, *, merges: bool) -> ComplaintLinked:
    """What the older case is told."""
    return ComplaintLinked(case=case.id, merges=merges, evidence=case.evidence if merges else [])


def merge(case: Case, first: str, at: datetime) -> None:
    """Rest while `first` handles the complaint: nothing is offered here, and what was promised is promised there."""
    _set_link(case, LinkKind.MERGED_INTO, first)
    retire(case, OfferState.REPLACED)
    case.letters = [letter for letter in case.letters if not (letter.about or "").startswith("offer:")]
    for step in case.unsettled:
        step.turn(StepState.WAIVED, at, Reason.of("handled_by", case=first))
    for promise in case.promises:
        if promise.kept_by is not KeptWhen.CUSTOMER_REACHED:
            promise.lapse(at)
    case.awaited, case.status = [], Status.RECEIVED
    case.note("merged", at, f"{first} is older and handles it")
    case.say("linked", other_case_id=first)


def relate(case: Case, other: str, at: datetime, *, told: bool) -> None:
    """Go on apart; `told`: the other case is alive, and the customer hears of it."""
    _set_link(case, LinkKind.RELATED, other)
    case.note("related", at, f"{other} is about the same, {'and goes on apart' if told else 'and cannot be reached'}")
    if told:
        case.say("linked", other_case_id=other)
        if not case.offers and not case.merged_into:
            # Offered by itself, the same might be granted twice.
            case.needs_offer = Reason.of("contested_open", case=other)


def go_on_alone(case: Case, at: datetime, why: str) -> None:
    """The case that this one was merged into is gone: a new cycle with promises of its own (S10)."""
    first = case.merged_into
    if first is None or case.closing:
        return
    _set_link(case, LinkKind.RELATED, first)
    case.note("goes on alone", at, f"{first} {why}")
    case.cycle += 1
    case.reminded = False
    case.begin_promises(Starts.RECEIVED, at, only=frozenset(KeptWhen) - {KeptWhen.CUSTOMER_REACHED})
    ask(case, at)
    if not case.looking_up:
        consider(case, at)


def close_with(case: Case, first: CaseClosed, at: datetime) -> None:
    """The case that this one was merged into has closed: so has this one, without a second report (G9)."""
    if case.merged_into is None or case.merged_into != first.case:
        raise Refusal(f"{case.id} is not merged into {first.case}: it closes by itself")
    if case.closing:
        return
    if first.outcome is None:
        go_on_alone(case, at, "was over before")
        return
    for promise in case.promises:
        promise.lapse(at)
    case.outcome, case.status, case.closed_at = first.outcome, Status.CLOSED, at
    case.note("closed", at, f"{first.outcome}, with {first.case}")


def pass_on(case: Case, name: str, payload: object, at: datetime, holds: m.Holds = m.always) -> bool:
    """Note that a fact goes on to the case that this one was merged into; raises `Refusal` where it must not.

    False: that very message has gone there before (S31). An answer to an offer that was made here would be taken there
    for a yes to another one (S19).
    """
    message = m.read(name, payload, holds=holds)
    if repeated(case.seen, name, message, holds) and holds(m.REPEATS):
        return False
    m.counted(name, message, case.currency, holds)
    if isinstance(message, m.CustomerApproved | m.CustomerDeclined) and case.offers:
        raise Refusal(
            f"{case.id} was merged into {case.merged_into}, and what was offered here no longer stands: "
            f"answer the offer of {case.merged_into}"
        )
    if why := pace.too_much(case.paces, name, at, case):
        raise Refusal(why)
    pace.count(case.paces, name, at)
    if isinstance(message, m.ContactMade):
        case.keep(KeptWhen.CUSTOMER_REACHED, at)
    case.note("passed on", at, f"{name} to {case.merged_into}", message.by)
    return True


def passed_on(case: Case, name: str, payload: object) -> None:
    """The case that this one was merged into has the fact."""
    remember(case.seen, name, m.read(name, payload, holds=lambda _: False))


def _set_link(case: Case, kind: LinkKind, other: str) -> None:
    """One link between two cases, the latest; a follow-up's link to its predecessor stays."""
    ours = (LinkKind.MERGED, LinkKind.MERGED_INTO, LinkKind.RELATED)
    case.links = [x for x in case.links if x["kind"] not in ours or x["case"] != other]
    case.links.append({"kind": kind, "case": other})
