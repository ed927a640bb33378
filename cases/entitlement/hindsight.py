"""Hindsight: what another policy would have promised, broken and paid in a case that has closed (G13).

What happened stays: when the customer complained, was reached and got an offer, what was found, and which option was
chosen. Only the terms change, by the code that applies them to open cases. What cannot be known is counted as unknown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from cases.complaint import Complaint
from cases.entitlement.granting import assess
from cases.errors import Refusal, problems_of
from cases.policy.policy import Policy, PromiseRule, check_against
from cases.state.finding import PartialFinding
from cases.state.offer import Option
from cases.state.promise import Promise, Segment
from cases.vocabulary import KEPT_WHEN, KeptWhen, OfferState, PromiseName, PromiseState, Starts

Json = Mapping[str, Any]
NOBODY = {"name": "—", "phone": "0"}
"""Stands in for the customer, who may have been forgotten and is not needed."""


class PromiseThen(NamedTuple):
    """A promise as it was, and as it would have been. None: it was not made."""

    name: str
    was: str | None
    would_be: str | None
    known: bool
    """Whether it is known how it would have ended."""


class Hindsight(NamedTuple):
    """What another policy would have meant for one closed case."""

    case_id: str
    promises: tuple[PromiseThen, ...] = ()
    currency: str = ""
    paid: Decimal = Decimal(0)
    would_pay: Decimal | None = None
    """None: not known, because the option that was chosen would not have been offered."""
    fault: str | None = None
    """Why the case cannot be compared at all."""


class _Then(BaseModel):
    """A promise in a record."""

    name: PromiseName
    cycle: int
    state: PromiseState
    rule: str
    started_at: datetime
    kept_at: datetime | None = None
    segments: list[Segment]

    @property
    def lapsed_at(self) -> datetime | None:
        """When nothing was owed any more."""
        last = self.segments[-1]
        return last.ran_until if last.why_stopped == "void" else None


def hindsight(case_id: str, record: Json, policy: Policy) -> Hindsight:
    """Return what `policy` would have meant for a closed case. `record` is its final snapshot as JSON."""
    try:
        complaint = Complaint.model_validate({**record["complaint"], "customer": NOBODY})
        promises = [_Then.model_validate(each) for each in record.get("promises", [])]
        finding = PartialFinding.model_validate(
            {name: value for name, value in record["finding"].items() if name in PartialFinding.model_fields}
        )
    except ValidationError as error:
        return Hindsight(case_id, fault="; ".join(str(problem) for problem in problems_of(error)))
    if problems := check_against(policy, complaint):
        return Hindsight(case_id, fault="; ".join(str(problem) for problem in problems))
    pinned = policy.slice_for(complaint)
    urgent = bool(record.get("urgent")) or pinned.topics[complaint.topic].urgent
    rules = [rule for rule in pinned.promised(urgent=urgent) if not rule.complex]
    paid = sum((Decimal(amount) for amount in record["paid"].values()), Decimal(0))
    try:
        options = assess(pinned, complaint, finding).options
    except Refusal as refusal:
        return Hindsight(case_id, fault=str(refusal))
    return Hindsight(
        case_id,
        (*_again(promises, pinned, urgent=urgent), *_new(promises, rules, record, complaint, pinned)),
        complaint.order.currency if complaint.order else "",
        paid,
        _would_pay(paid, record["offers"], options),
    )


# Promises


def _again(made: list[_Then], policy: Policy, *, urgent: bool) -> list[PromiseThen]:
    """Return the promises that were made, by the terms of the policy."""
    found = []
    for then in made:
        named = [rule for rule in policy.promised(urgent=urgent) if rule.name == then.name]
        rule = next((rule for rule in named if rule.rule == then.rule), named[0] if named else None)
        would_be = _judged(then, rule, policy).value if rule else None
        found.append(PromiseThen(then.name, then.state, would_be, known=True))
    return found


def _judged(then: _Then, rule: PromiseRule, policy: Policy) -> PromiseState:
    promise = Promise.of(rule, then.started_at, cycle=then.cycle, calendar=policy.working_days)
    if rule.pausable:
        ran = [segment.model_copy() for segment in then.segments]
        if ran[-1].why_stopped in {"kept", "void"}:
            ran[-1] = Segment(ran_from=ran[-1].ran_from)
        promise.segments = ran
    return _ended(promise, then.kept_at, then.lapsed_at)


def _ended(promise: Promise, kept_at: datetime | None, lapsed_at: datetime | None) -> PromiseState:
    if kept_at is not None:
        promise.keep(kept_at)
    elif lapsed_at is not None:
        promise.lapse(lapsed_at)
    return promise.state


def _new(
    made: list[_Then], rules: list[PromiseRule], record: Json, complaint: Complaint, policy: Policy
) -> list[PromiseThen]:
    """Return the promises that only the policy makes. Those that begin later than receipt are not known."""
    known = {then.name for then in made}
    when = _first_times(made, record)
    found = []
    for rule in rules:
        if rule.name in known:
            continue
        if rule.starts is not Starts.RECEIVED:
            found.append(PromiseThen(rule.name, None, PromiseState.OPEN, known=False))
            continue
        promise = Promise.of(rule, complaint.received_at, cycle=1, calendar=policy.working_days)
        state = _ended(promise, when.get(rule.kept_by), None)
        found.append(PromiseThen(rule.name, None, state, known=rule.kept_by in when))
    return found


def _first_times(made: list[_Then], record: Json) -> dict[KeptWhen, datetime]:
    """Return when each event that keeps promises first happened, as far as the record knows."""
    found: dict[KeptWhen, datetime] = {}
    for then in made:
        if then.kept_at and then.cycle == 1:
            found.setdefault(KEPT_WHEN[then.name], then.kept_at)
    delivered = [datetime.fromisoformat(at) for offer in record["offers"] if (at := offer.get("delivered_at"))]
    if delivered:
        found.setdefault(KeptWhen.OFFER_DELIVERED, min(delivered))
    return found


# Money


def _would_pay(paid: Decimal, offers: Iterable[Json], options: list[Option]) -> Decimal | None:
    """Return what would have been paid: as before, but the policy's amounts in the option that was chosen.

    What agents offered on their own would have stayed.
    """
    instead = {option.key: _money(option.model_dump(mode="json")) for option in options}
    for offer in offers:
        if offer["state"] != OfferState.ACCEPTED or offer["made_by"] is not None:
            continue
        chosen = next(option for option in offer["options"] if option["key"] == offer["accepted"])
        if chosen["key"] not in instead:
            return None
        paid += instead[chosen["key"]] - _money(chosen)
    return paid


def _money(option: Json) -> Decimal:
    return sum((Decimal(each["amount"]) for each in option["remedies"] if each.get("amount")), Decimal(0))


# Many cases


def summary(cases: Iterable[Hindsight]) -> dict[str, Any]:
    """Return the sums over these cases, as JSON: promises by name, money by currency, and what is not known."""
    counted: dict[str, Counter[str]] = {}
    money: dict[str, list[Decimal]] = {}
    found = list(cases)
    for case in found:
        for promise in case.promises:
            counts = counted.setdefault(promise.name, Counter())
            counts["promised"] += promise.was is not None
            counts["broken"] += promise.was == PromiseState.BROKEN
            counts["would_promise"] += promise.would_be is not None
            counts["would_break"] += promise.known and promise.would_be == PromiseState.BROKEN
            counts["unknown"] += not promise.known
        if case.would_pay is not None and case.currency:
            sums = money.setdefault(case.currency, [Decimal(0), Decimal(0)])
            sums[0] += case.paid
            sums[1] += case.would_pay
    names = ("promised", "would_promise", "broken", "would_break", "unknown")
    return {
        "cases": len(found),
        "promises": {name: {each: counts[each] for each in names} for name, counts in sorted(counted.items())},
        "paid": {
            currency: {"paid": f"{was:.2f}", "would_pay": f"{would:.2f}"} for currency, (was, would) in money.items()
        },
        "money_unknown": [case.case_id for case in found if case.fault is None and case.would_pay is None],
        "not_comparable": [{"case_id": case.case_id, "why": case.fault} for case in found if case.fault],
    }
