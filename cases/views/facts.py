"""The facts of a case that reviews count (G13): small, without personal data except the owner's name.

They are derived from a snapshot as JSON, of any build. Our database keeps them in columns, because a review of 200,000
cases cannot decode as many snapshots, which may also be sealed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from cases.text import comparable, replaced
from cases.vocabulary import Liable, Outcome, PromiseName, PromiseState, StepState

RULES = 1
"""The version of the rules below. Raise it with each change: stored facts are then derived again."""
LONGEST = 80
"""Characters of a name or a cause that count."""
NOT_RESOLVED = frozenset({Outcome.WITHDRAWN, Outcome.NO_RESPONSE})
"""Outcomes of cases that ended because the customer wanted nothing more. They have no time to resolve."""


class Fault(StrEnum):
    """Why a promise was not kept in time."""

    OURS = "ours"
    SYSTEM = "system"
    """The warning that was due before the deadline went out after it: nobody could have acted in time (S8)."""
    LATE = "late"
    """The deadline had passed before the case was opened."""


class PromiseFacts(NamedTuple):
    """One promise of a case."""

    name: str
    rule: str
    state: str
    due_at: datetime | None
    """None while the promise is paused."""
    kept_at: datetime | None
    fault: str | None
    """Why it was not kept in time (`Fault`); None: it was, or it is not due yet."""


class CaseFacts(NamedTuple):
    """One case, open or closed."""

    case_id: str
    line: str
    topic: str
    channel: str
    team: str | None
    owner: str | None
    order_id: str | None
    carrier: str | None
    route: str | None
    warehouse: str | None
    crew: str | None
    product: str | None
    """The SKU; None if the complaint is about no item or several."""
    party: str | None
    """Who is responsible: a `Liable`, or `installation`; None: nobody, or not established."""
    cause: str | None
    """The finding's cause, in the words of a person or partner."""
    received_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    to_acknowledge: int | None
    """Whole seconds from receipt to the first answer; None: there was none yet."""
    to_offer: int | None
    """Whole seconds from receipt to the delivery of the first offer."""
    to_resolve: int | None
    """Whole seconds from receipt until nothing was left to carry out; None: open, or the customer ended it."""
    score: int | None
    """The customer's last answer, 1 to 5."""
    follows: bool
    """Whether it continues a closed case (G12)."""
    cycles: int
    """1, and one more for each dissatisfied answer."""


class Facts(NamedTuple):
    """The facts of a case and of its promises, in the order in which they were made."""

    case: CaseFacts
    promises: list[PromiseFacts]


def facts_of(snapshot: Mapping[str, Any]) -> Facts | None:
    """Return the facts in a snapshot, which is decoded JSON. Older ones lack some parts.

    None if the snapshot has no complaint: it is being admitted, is of a very early build, or was erased.
    """
    complaint = snapshot.get("complaint")
    if not complaint or "received_at" not in complaint or not snapshot.get("opened_at"):
        return None
    order, handled, finding = (
        found or {} for found in (complaint.get("order"), snapshot.get("handled_by"), snapshot.get("finding"))
    )
    received = _time(complaint["received_at"])
    opened, closed = _time(snapshot["opened_at"]), _time(snapshot.get("closed_at"))
    promises = [_promise(promise, snapshot, opened) for promise in snapshot.get("promises", ())]
    owner, topic = snapshot.get("owner") or {}, str(complaint["topic"])
    case = CaseFacts(
        case_id=snapshot["case_id"],
        line=complaint["line"],
        topic=topic,
        channel=complaint["channel"],
        team=owner.get("team"),
        owner=owner.get("name"),
        order_id=order.get("order_id"),
        carrier=_short(handled.get("carrier") or order.get("carrier")),
        route=_short(handled.get("route")),
        warehouse=_short(handled.get("warehouse")),
        crew=_short(handled.get("installer")),
        product=_product(finding, complaint, order),
        party=_party(finding, topic),
        # The cause of an inquiry is its answer.
        cause=_short(finding.get("cause")) if "." in topic else None,
        received_at=received,
        opened_at=opened,
        closed_at=closed,
        outcome=snapshot.get("outcome"),
        to_acknowledge=_after(received, _kept(promises, PromiseName.ACKNOWLEDGE)),
        to_offer=_after(received, _first(offer.get("delivered_at") for offer in snapshot.get("offers", ()))),
        to_resolve=_after(received, _resolved(snapshot, closed)),
        score=next((each["score"] for each in reversed(snapshot.get("satisfaction", ()))), None),
        follows=bool(complaint.get("follows")),
        cycles=snapshot.get("cycle", 1),
    )
    return Facts(case, promises)


def _promise(promise: Mapping[str, Any], snapshot: Mapping[str, Any], opened: datetime) -> PromiseFacts:
    due = _time(promise.get("due_at"))
    fault = (
        _fault(promise, due, snapshot.get("escalations", ()), opened)
        if promise["state"] == PromiseState.BROKEN
        else None
    )
    return PromiseFacts(promise["name"], promise["rule"], promise["state"], due, _time(promise.get("kept_at")), fault)


def _fault(
    promise: Mapping[str, Any], due: datetime | None, rungs: Iterable[Mapping[str, Any]], opened: datetime
) -> Fault:
    """Return why a broken promise was not kept: due against sent (S8)."""
    if due is None:
        return Fault.OURS
    if due <= opened:
        return Fault.LATE
    for rung in rungs:
        same = (rung["promise"], rung["cycle"]) == (promise["name"], promise["cycle"])
        if same and _time(promise["started_at"]) <= _time(rung["due_at"]) < due:
            sent = _time(rung.get("sent_at"))
            if sent is None or sent > due:
                return Fault.SYSTEM
    return Fault.OURS


def _kept(promises: Iterable[PromiseFacts], name: PromiseName) -> datetime | None:
    return min((p.kept_at for p in promises if p.name == name and p.kept_at), default=None)


def _resolved(snapshot: Mapping[str, Any], closed: datetime | None) -> datetime | None:
    """Return when nothing was left to carry out: the last step, or the end of a case without one."""
    if closed is None or snapshot.get("outcome") in NOT_RESOLVED:
        return None
    done = [_time(step.get("since")) for step in snapshot.get("steps", ()) if step["state"] == StepState.DONE]
    return max((at for at in done if at), default=closed)


def _first(times: Iterable[str | None]) -> datetime | None:
    return min((at for each in times if (at := _time(each))), default=None)


def _after(received: datetime, at: datetime | None) -> int | None:
    return None if at is None else max(0, int((at - received).total_seconds()))


def _party(finding: Mapping[str, Any], topic: str) -> str | None:
    """Return who is responsible: as found, else by the topic if the complaint was upheld or the goods were late."""
    if liable := finding.get("liable"):
        return str(liable)
    late = finding.get("lost") or (finding.get("days_late") or 0) > 0 or (finding.get("hours_late") or 0) > 0
    upheld = late or finding.get("upheld") or (finding.get("severity") and finding.get("upheld") is not False)
    if not upheld:
        return None
    area = topic.partition(".")[0]
    return {"transport": Liable.DELIVERY.value, "claim": Liable.DELIVERY.value, "installation": INSTALLATION}.get(area)


INSTALLATION = "installation"
"""The party responsible for an installation that was found at fault."""


def _product(finding: Mapping[str, Any], complaint: Mapping[str, Any], order: Mapping[str, Any]) -> str | None:
    items = finding.get("affected") or complaint.get("affected") or order.get("items") or ()
    skus = {item["sku"] for item in items}
    return _short(skus.pop()) if len(skus) == 1 else None


def _short(text: str | None) -> str | None:
    """Return a name as it is counted: one line, in one width, not too long; None if nothing is visible."""
    return (replaced(" ".join(comparable(text).split()))[:LONGEST] or None) if text else None


def _time(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None
