"""Case events: what changed between two rows of a case, for systems that want to be notified.

An event is derived from the snapshot that the row shows and from the events that the case already has. The workflow is
not involved, so a change here changes no recorded history. Events hold no personal data: a reader that needs more reads
the case.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cases.vocabulary import OfferState, PromiseState, Status, StepState

Json = dict[str, Any]


class EventType(StrEnum):
    """Every type of case event. Types may be added; none is renamed or removed."""

    CASE_OPENED = "case.opened"
    CASE_STATUS_CHANGED = "case.status_changed"
    CASE_ASSIGNED = "case.assigned"
    CASE_URGENCY_CHANGED = "case.urgency_changed"
    CASE_NEEDS_CHANGED = "case.needs_changed"
    CASE_LINKED = "case.linked"
    CASE_INTERRUPTED = "case.interrupted"
    CASE_RESUMED = "case.resumed"
    CASE_CLOSED = "case.closed"
    FINDING_CHANGED = "finding.changed"
    EVIDENCE_AWAITED = "evidence.awaited"
    EVIDENCE_RECEIVED = "evidence.received"
    OFFER_AWAITING_APPROVAL = "offer.awaiting_approval"
    OFFER_MADE = "offer.made"
    OFFER_ACCEPTED = "offer.accepted"
    OFFER_DECLINED = "offer.declined"
    OFFER_REPLACED = "offer.replaced"
    OFFER_EXPIRED = "offer.expired"
    STEP_WAITING = "step.waiting"
    STEP_STARTED = "step.started"
    STEP_DISPATCHED = "step.dispatched"
    STEP_DONE = "step.done"
    STEP_UNKNOWN = "step.unknown"
    STEP_BLOCKED = "step.blocked"
    STEP_WAIVED = "step.waived"
    PROMISE_MADE = "promise.made"
    PROMISE_PAUSED = "promise.paused"
    PROMISE_RESUMED = "promise.resumed"
    PROMISE_KEPT = "promise.kept"
    PROMISE_BROKEN = "promise.broken"
    PROMISE_KEPT_LATE = "promise.kept_late"
    PROMISE_LAPSED = "promise.lapsed"
    PROMISE_ESCALATED = "promise.escalated"
    SATISFACTION_REPORTED = "satisfaction.reported"


_E = EventType
MEANINGS: dict[EventType, str] = {
    _E.CASE_OPENED: "the case was opened",
    _E.CASE_STATUS_CHANGED: "the case has another status",
    _E.CASE_ASSIGNED: "the case has another team or owner",
    _E.CASE_URGENCY_CHANGED: "the case is now urgent, or no longer",
    _E.CASE_NEEDS_CHANGED: "what a person has to do has changed; an empty list: nothing",
    _E.CASE_LINKED: "the case is linked to another case or to a carrier claim",
    _E.CASE_INTERRUPTED: "the workflow ended in Temporal without closing the case",
    _E.CASE_RESUMED: "the workflow runs again after that",
    _E.CASE_CLOSED: "the report was delivered; the last event of the case, unless an operator resets it",
    _E.FINDING_CHANGED: "facts were added to the finding",
    _E.EVIDENCE_AWAITED: "the evidence that the customer is asked for has changed; an empty list: none",
    _E.EVIDENCE_RECEIVED: "evidence has arrived, with the complaint or later",
    _E.OFFER_AWAITING_APPROVAL: "an offer needs an approval",
    _E.OFFER_MADE: "an offer goes to the customer",
    _E.OFFER_ACCEPTED: "the offer was accepted, or needed no consent",
    _E.OFFER_DECLINED: "the customer declined the offer, or it was not approved",
    _E.OFFER_REPLACED: "another offer took its place",
    _E.OFFER_EXPIRED: "the offer is no longer open",
    _E.STEP_WAITING: "the step will be tried again",
    _E.STEP_STARTED: "the partner was asked to carry out the step",
    _E.STEP_DISPATCHED: "the goods have left, or the crew is on its way",
    _E.STEP_DONE: "the partner has carried out the step",
    _E.STEP_UNKNOWN: "the result of the step is unknown; the partner is asked",
    _E.STEP_BLOCKED: "the step has failed, and a person has to resolve it",
    _E.STEP_WAIVED: "the step will not be carried out",
    _E.PROMISE_MADE: "a promise was made",
    _E.PROMISE_PAUSED: "the clock of the promise is paused",
    _E.PROMISE_RESUMED: "the clock of the promise runs again",
    _E.PROMISE_KEPT: "the promise was kept in time",
    _E.PROMISE_BROKEN: "the time of the promise is used up",
    _E.PROMISE_KEPT_LATE: "the promise was carried out after its time",
    _E.PROMISE_LAPSED: "nothing is owed any more",
    _E.PROMISE_ESCALATED: "a role was notified that the promise is about to break or is broken",
    _E.SATISFACTION_REPORTED: "the customer answered the callback",
}
"""What each type says, for the documentation."""

_OFFERS: dict[str, EventType] = {
    OfferState.AWAITING_APPROVAL: _E.OFFER_AWAITING_APPROVAL,
    OfferState.OPEN: _E.OFFER_MADE,
    OfferState.ACCEPTED: _E.OFFER_ACCEPTED,
    OfferState.DECLINED: _E.OFFER_DECLINED,
    OfferState.REPLACED: _E.OFFER_REPLACED,
    OfferState.EXPIRED: _E.OFFER_EXPIRED,
}
_STEPS: dict[str, EventType] = {
    StepState.WAITING: _E.STEP_WAITING,
    StepState.RUNNING: _E.STEP_STARTED,
    StepState.DISPATCHED: _E.STEP_DISPATCHED,
    StepState.DONE: _E.STEP_DONE,
    StepState.UNKNOWN: _E.STEP_UNKNOWN,
    StepState.BLOCKED: _E.STEP_BLOCKED,
    StepState.WAIVED: _E.STEP_WAIVED,
}
_LATE = "kept late"
_RUNNING = "running"


@dataclass(frozen=True)
class Change:
    """One event of a case, before it has a number."""

    type: EventType
    subject: str
    """What has changed: `offer:o1`, `step:refund`, `status`."""
    state: str
    """The state of the subject from now on. Compared with the next row, and not shown to readers."""
    at: datetime
    data: Json = field(default_factory=dict)
    """The facts that readers get with it. No personal data."""


def changes(case_id: str, snapshot: Json, needs: list[str], at: datetime, known: Mapping[str, str]) -> list[Change]:
    """Return the events between the row before and the row as of `at`, in order.

    `known` has the state of each subject after the case's latest event about it. `snapshot` may be of any build: what
    it lacks has no events. A state that the case passed through between two rows has an event only if the new state
    implies it: a promise that was kept was made.
    """
    row = _Row(case_id, snapshot, needs, at, known)
    new = [each for path in row.paths() if path for each in _after(known.get(path[-1].subject), path)]
    return sorted(new, key=lambda each: (_RANK.get(each.type, 1), at if each.type in _RANK else each.at))


_RANK = {_E.CASE_OPENED: 0, _E.CASE_STATUS_CHANGED: 2, _E.CASE_NEEDS_CHANGED: 2, _E.CASE_CLOSED: 3}
"""The order of events of one row: the opening, then what has happened, in order of time, then what follows from it."""


def interrupted(how: str, at: datetime) -> Change:
    """Return the event of a workflow that ended without closing its case."""
    return Change(_E.CASE_INTERRUPTED, "run", how, at, {"how": how})


def _after(last: str | None, path: list[Change]) -> list[Change]:
    """Return the part of the path after the state that is known."""
    states = [each.state for each in path]
    if last is None or last == states[-1]:
        return path if last is None else []
    return path[states.index(last) + 1 :] if last in states else path[-1:]


class _Row:
    """A row of a case, as paths: for each subject the events that lead to its state."""

    def __init__(self, case_id: str, snapshot: Json, needs: list[str], at: datetime, known: Mapping[str, str]) -> None:
        self._case_id, self._snapshot, self._needs, self._at, self._known = case_id, snapshot, needs, at, known

    def paths(self) -> Iterator[list[Change]]:
        """Yield the path of each subject. A subject that is as at the beginning, and has no events, has none."""
        shown = self._snapshot
        yield self._status()
        yield self._assigned()
        yield self._unless(_RUNNING, self._now(_E.CASE_RESUMED, "run", _RUNNING))
        urgent = bool(shown.get("urgent"))
        yield self._unless("False", self._now(_E.CASE_URGENCY_CHANGED, "urgent", str(urgent), urgent=urgent))
        needs = self._needs
        yield self._unless("", self._now(_E.CASE_NEEDS_CHANGED, "needs", ",".join(needs), needs=needs))
        facts = _dict(shown.get("finding")).get("facts") or []
        at = min(self._time(facts[-1].get("at")), self._at) if facts else self._at
        yield self._unless("0", Change(_E.FINDING_CHANGED, "finding", str(len(facts)), at))
        awaited = [str(kind) for kind in shown.get("awaited") or []]
        yield self._unless("", self._now(_E.EVIDENCE_AWAITED, "awaited", ",".join(awaited), kinds=awaited))
        evidence = self._list("evidence")
        kinds = sorted({str(each.get("kind")) for each in evidence})
        yield self._unless("0", self._now(_E.EVIDENCE_RECEIVED, "evidence", str(len(evidence)), kinds=kinds))
        for link in self._list("links"):
            other = {name: link[name] for name in ("case", "workflow") if name in link}
            subject = ":".join(("link", str(link.get("kind")), *map(str, other.values())))
            yield [self._now(_E.CASE_LINKED, subject, "linked", kind=link.get("kind"), **other)]
        yield from map(self._offer, self._list("offers"))
        yield from map(self._step, self._list("steps"))
        yield from self._numbered("promise", self._list("promises"), ("name", "cycle"), self._promise)
        rung = ("promise", "cycle", "rung")
        yield from self._numbered("escalation", self._list("escalations"), rung, self._escalation)
        yield from self._numbered("satisfaction", self._list("satisfaction"), ("cycle",), self._satisfaction)

    def _status(self) -> list[Change]:
        status, opened = str(self._snapshot.get("status")), self._time(self._snapshot.get("opened_at"))
        path = [Change(_E.CASE_OPENED, "status", Status.RECEIVED, opened, {"status": Status.RECEIVED})]
        if status == Status.CLOSED:
            outcome = {"outcome": self._snapshot.get("outcome")}
            path.append(Change(_E.CASE_CLOSED, "status", status, self._time(self._snapshot.get("closed_at")), outcome))
        elif status != Status.RECEIVED or "status" in self._known:
            path.append(Change(_E.CASE_STATUS_CHANGED, "status", status, self._at, {"status": status}))
        return path

    def _assigned(self) -> list[Change]:
        """The owner's name is a person's: the event has the team only, and the state a hash of both."""
        owner = _dict(self._snapshot.get("owner"))
        team, named = owner.get("team"), json.dumps([self._case_id, owner.get("team"), owner.get("name")])
        digest = hashlib.sha256(named.encode(errors="surrogatepass")).hexdigest()[:16]
        return [self._now(_E.CASE_ASSIGNED, "owner", digest, team=team, owned=bool(owner.get("name")))]

    def _now(self, event: EventType, subject: str, state: str, /, **data: Any) -> Change:
        return Change(event, subject, state, self._at, data)

    def _unless(self, beginning: str, change: Change) -> list[Change]:
        """Return the event, unless its subject has none yet and is as at the beginning of a case."""
        is_new = change.state != beginning or change.subject in self._known
        return [change] if is_new else []

    def _offer(self, offer: Json) -> list[Change]:
        subject, state = f"offer:{offer.get('id')}", str(offer.get("state"))
        data = {"offer": offer.get("id"), "cycle": offer.get("cycle")}
        path = []
        if state in (OfferState.ACCEPTED, OfferState.DECLINED):
            path.append(Change(_E.OFFER_MADE, subject, OfferState.OPEN, self._time(offer.get("made_at")), data))
        if kind := _OFFERS.get(state):
            made = kind in (_E.OFFER_MADE, _E.OFFER_AWAITING_APPROVAL)
            path.append(Change(kind, subject, state, self._time(offer.get("made_at")) if made else self._at, data))
        return path

    def _step(self, step: Json) -> list[Change]:
        subject, state = f"step:{step.get('id')}", str(step.get("state"))
        kind = _STEPS.get(state)
        if kind is None or (kind is _E.STEP_WAITING and subject not in self._known):
            return []
        data = {name: step.get(name) for name in ("kind", "cycle", "offer", "partner")}
        return [Change(kind, subject, state, self._time(step.get("since")), {"step": step.get("id"), **data})]

    def _promise(self, subject: str, promise: Json) -> list[Change]:
        state, last = str(promise.get("state")), self._known.get(subject)
        data = {"promise": promise.get("name"), "cycle": promise.get("cycle"), "rule": promise.get("rule")}
        due, kept = self._time(promise.get("due_at")), self._time(promise.get("kept_at"))
        made = Change(_E.PROMISE_MADE, subject, PromiseState.OPEN, self._time(promise.get("started_at")), data)
        broken = Change(_E.PROMISE_BROKEN, subject, PromiseState.BROKEN, max(made.at, min(due, self._at)), data)
        path = [made]
        if state == PromiseState.OPEN and last not in (None, state):
            path = [Change(_E.PROMISE_RESUMED, subject, state, self._at, data)]
        elif state == PromiseState.PAUSED:
            path.append(Change(_E.PROMISE_PAUSED, subject, state, self._at, data))
        elif state == PromiseState.KEPT:
            path.append(Change(_E.PROMISE_KEPT, subject, state, max(made.at, kept), data))
        elif state == PromiseState.VOID:
            path.append(Change(_E.PROMISE_LAPSED, subject, state, self._at, data))
        elif state == PromiseState.BROKEN:
            path.append(broken)
            if promise.get("kept_at"):
                path.append(Change(_E.PROMISE_KEPT_LATE, subject, _LATE, max(broken.at, kept), data))
        return path

    def _escalation(self, subject: str, escalation: Json) -> list[Change]:
        data = {name: escalation.get(name) for name in ("promise", "cycle", "rung", "role")}
        at = self._time(escalation.get("sent_at") or escalation.get("due_at"))
        return [Change(_E.PROMISE_ESCALATED, subject, "escalated", min(at, self._at), data)]

    def _satisfaction(self, subject: str, answer: Json) -> list[Change]:
        data = {"cycle": answer.get("cycle"), "score": answer.get("score")}
        at = self._time(answer.get("at"))
        return [Change(_E.SATISFACTION_REPORTED, subject, f"{answer.get('score')} {at.isoformat()}", at, data)]

    def _numbered(
        self, subject: str, entries: list[Json], names: tuple[str, ...], path: Callable[[str, Json], list[Change]]
    ) -> Iterator[list[Change]]:
        """Yield the path of each entry; equal ones are distinguished by their number."""
        seen: Counter[str] = Counter()
        for entry in entries:
            label = ":".join((subject, *(str(entry.get(name)) for name in names)))
            seen[label] += 1
            yield path(f"{label}:{seen[label]}", entry)

    def _list(self, name: str) -> list[Json]:
        return [each for each in self._snapshot.get(name) or [] if isinstance(each, dict)]

    def _time(self, value: Any) -> datetime:
        """Return a time of the snapshot; that of the row if it has none."""
        return datetime.fromisoformat(value) if isinstance(value, str) else self._at


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
