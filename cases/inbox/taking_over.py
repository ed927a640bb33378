"""Taking over a second complaint in the older case (G12).

The older case takes over its items, evidence, wish, description and urgency, and the stricter of both promises. If it
already has a finding, no rule can judge what is new. Then an agent has to assess it before another automatic offer.
"""

from collections import Counter
from datetime import datetime

from cases.calendar import WorkCalendar
from cases.complaint import Affected, Complaint, Evidence, pieces
from cases.look_ups import LookUpName
from cases.progress.evidence import evidence_received
from cases.progress.promises import OWED_AGAIN, OWED_BY_HANDLING_CASE
from cases.progress.urgency import deadline, raise_urgency
from cases.reasons import Reason
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.promise import Promise, Segment
from cases.state.second_complaint import SOURCE, ComplaintLinked, Promised, SecondComplaint, TakenOver
from cases.state.status import NOTHING_OFFERED
from cases.state.units import affected_of
from cases.vocabulary import OfferState, PromiseState, Role, Status

UNJUDGED_SOURCES = frozenset({*LookUpName, SOURCE})
"""Sources of facts that no person has judged: partners' records, and other complaints."""


def take_over(case: Case, later: ComplaintLinked, said: SecondComplaint, at: datetime) -> None:
    """Take over the claims of another case. A repeated signal adds only what is new."""
    other = later.case
    fresh = [e for e in later.evidence if e not in case.evidence]
    known = taken_over(case, other)
    record = known or TakenOver.model_validate({**dict(said), "case": other, "found": {}})
    news = [] if known else _claims(case, record, at)
    if found := {name: value for name, value in said.established.items() if name not in record.established}:
        record.found = {**record.found, **found}
    news += [f"found there: {', '.join(f'{name} {_text(value)}' for name, value in found.items())}"] if found else []
    if fresh:
        news.append(f"shows {', '.join(e.kind for e in fresh)}")
    if not known:
        case.second_complaints.append(record)
    if said.urgent:
        raise_urgency(case, f"{other} is urgent", at)
    if news and (_finding_was_made(case) or found or any(map(_doubtful, news))):
        needs_judgement(case, record, news, at)
    if fresh:
        evidence_received(case, fresh, at, at)
    for promised in later.promises:
        _take_over_promise(case, promised, at)


def taken_over(case: Case, other: str) -> TakenOver | None:
    """Return the record of what was taken over from the case `other`, or None."""
    return next((record for record in case.second_complaints if record.case == other), None)


def withdrawn(case: Case, other: str, reason: str, at: datetime) -> None:
    """Record that the second complaint is withdrawn. An agent has to assess what is still owed to the first."""
    record = taken_over(case, other)
    if record is None or record.withdrawn is not None:
        return
    record.withdrawn = reason
    case.note("withdrawn", at, f"{other}: {reason}")
    needs_judgement(case, record, ["is withdrawn"], at)


def evidence_added(case: Case, evidence: list[Evidence], at: datetime) -> None:
    """Request an assessment of new evidence if the case also handles other complaints, which it may be about."""
    if evidence and case.second_complaints and _finding_was_made(case):
        needs_judgement(case, case.second_complaints[-1], [f"shows {', '.join(e.kind for e in evidence)}"], at)


def needs_judgement(case: Case, record: TakenOver, news: list[str], at: datetime) -> None:
    """Require that an agent assesses what is new, before another offer and before the case ends."""
    record.news += [new for new in news if new not in record.news]
    case.note("to be judged", at, f"{record.case}: {', '.join(news)}")
    if record.case not in case.unjudged:
        case.unjudged.append(record.case)
    case.needs_offer = case.needs_offer or Reason.of("second_complaint", case=record.case)
    if case.status is Status.FOLLOWING_UP:
        case.enter(Status.ASSESSING)
    if case.status not in NOTHING_OFFERED or case.status is Status.ASSESSING:
        # Otherwise `consider` notifies the owner.
        case.notify_staff(Role.OWNER, "needs_offer", reason=Reason.of("second_complaint", case=record.case))


def _finding_was_made(case: Case) -> bool:
    """Return whether an agent has assessed the case, or an offer was made."""
    return bool(case.offers) or any(fact.source not in UNJUDGED_SOURCES for fact in case.finding.facts)


# Its claims


DOUBTFUL = "as well, or is it the same?"
"""Marks an item that both complaints name: it may be one unit or two."""


def _doubtful(new: str) -> bool:
    return new.endswith(DOUBTFUL)


def _claims(case: Case, record: TakenOver, at: datetime) -> list[str]:
    """Add its items to those of the case, and return what is new, as short texts."""
    others: list[Complaint | SecondComplaint] = [case.complaint, *case.second_complaints]
    if any(_claimed(each) == _claimed(record) for each in others):
        return []  # the same complaint, sent under another id
    news = _items(case, record, at)
    if record.wish and record.wish not in {each.wish for each in others}:
        news.append(f"wishes {record.wish}")
    if record.description.strip() and record.description.strip() not in {each.description.strip() for each in others}:
        news.append("says more")
    return news


def _claimed(complaint: Complaint | SecondComplaint) -> tuple[object, ...]:
    return complaint.affected, complaint.description.strip(), complaint.wish


def _items(case: Case, record: TakenOver, at: datetime) -> list[str]:
    order = case.complaint.order
    ordered = pieces(order.items if order else [])
    mine = pieces(affected_of(case.complaint, case.finding))
    theirs = ordered if record.affected is None else pieces(record.affected)
    both = Counter({sku: min(ordered[sku], mine[sku] + theirs[sku]) for sku in ordered if mine[sku] or theirs[sku]})
    unordered = [f"{n} × {sku}, which is not an item of the order" for sku, n in theirs.items() if sku not in ordered]
    added, named = both - mine, record.affected is not None
    record.adds = _listed(added)
    if added and not has_accepted_offer(case):
        case.add_to_finding(PartialFinding(affected=_listed(both)), SOURCE, at, record.case)
    return unordered + [f"{n} × {sku}{f' {DOUBTFUL}' if named and mine[sku] else ''}" for sku, n in added.items()]


def has_accepted_offer(case: Case) -> bool:
    """Return whether an offer was accepted. Its items must not be granted again."""
    return any(offer.state is OfferState.ACCEPTED for offer in case.offers)


def _listed(counted: Counter[str]) -> list[Affected]:
    return [Affected(sku=sku, quantity=count) for sku, count in counted.items() if count > 0]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(f"{item['quantity']} × {item['sku']}" for item in value)
    return str(value)


# Its promises


def _take_over_promise(case: Case, owed: Promised, at: datetime) -> None:
    """Take over a promise with an earlier deadline. A kept promise is owed again if an agent has to assess again."""
    if owed.kept_by not in OWED_BY_HANDLING_CASE:
        return  # the customer's own case keeps it
    theirs = _promise_here(case, owed, at)
    mine = next((p for p in reversed(case.promises) if p.name == owed.name and p.cycle == case.cycle), None)
    if mine is not None and mine.live:
        if not mine.running or deadline(theirs, at) >= deadline(mine, at):
            return
        theirs.claimed, theirs.hold = list(mine.claimed), mine.hold
        mine.lapse(at)
        case.note("promised earlier", at, f"{theirs.name}: due {case.clock(deadline(theirs, at))}")
    elif mine is not None and not (case.unjudged and owed.kept_by in OWED_AGAIN):
        return
    theirs.check_overdue(at)
    case.promises.append(theirs)


def _promise_here(case: Case, owed: Promised, at: datetime) -> Promise:
    """Return the promise as it was in the other case, paused for the evidence that this case waits for."""
    calendar: WorkCalendar = case.policy.working_days
    promise = Promise(
        rule=owed.rule,
        name=owed.name,
        kept_by=owed.kept_by,
        cycle=case.cycle,
        within=owed.within,
        pausable=owed.pausable,
        calendar=calendar,
        started_at=owed.segments[0].ran_from,
        segments=[Segment.model_validate(dict(stretch)) for stretch in owed.segments],
        pauses=set(owed.pauses),
        state=PromiseState.PAUSED if owed.pauses else PromiseState.OPEN,
        moved_at=at,
    )
    for reason in sorted(promise.pauses - set(case.awaited)):
        promise.resume(reason, at)
    for kind in case.awaited:
        promise.pause(kind, at)
    return promise
