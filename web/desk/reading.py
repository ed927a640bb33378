"""One case for its page: each clock with its ledger, what the policy grants, what a form would offer."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cases.entitlement.plan import plan
from cases.errors import InvalidInput
from cases.policy.policy import Policy
from cases.views.handling_view import OptionView, PromiseView
from cases.views.snapshot import Snapshot
from cases.vocabulary import PromiseState

Json = dict[str, Any]


class Span(NamedTuple):
    """A time in which a clock ran, or stood still and for what."""

    ran: bool
    since: datetime
    until: datetime | None
    """None: still."""
    length: timedelta
    why: str | None
    """What the clock waited for."""


@dataclass(frozen=True)
class Clock:
    """One promise with its ledger: why it is due at this instant."""

    promise: PromiseView
    kind: str
    """broken, warned, calm, paused, kept or void."""
    spans: list[Span]
    ran: timedelta
    stood: timedelta
    used: int | None
    """How much of the time is used, in percent; None if that is not known."""

    @property
    def open(self) -> bool:
        """Whether something is still owed."""
        return self.promise.kept_at is None and self.promise.state != PromiseState.VOID


def clocks(seen: Snapshot, now: datetime) -> list[Clock]:
    """Return the promises: those that are owed first, by deadline, then the others, latest first."""
    found = [_clock(promise, seen, now) for promise in seen.promises]
    latest = datetime.max.replace(tzinfo=now.tzinfo)
    owed = sorted((each for each in found if each.open), key=lambda each: each.promise.due_at or latest)
    return owed + [each for each in reversed(found) if not each.open]


def _clock(promise: PromiseView, seen: Snapshot, now: datetime) -> Clock:
    spans = list(_spans(promise, now))
    ran = sum((each.length for each in spans if each.ran), timedelta())
    stood = sum((each.length for each in spans if not each.ran), timedelta())
    used = None
    if promise.due_at is not None and promise.kept_at is None:
        whole = ran + max(promise.due_at - now, timedelta())
        used = min(100, round(100 * (ran / whole))) if whole else 100
    return Clock(promise, _kind(promise, seen, now), spans, ran, stood, used)


def _kind(promise: PromiseView, seen: Snapshot, now: datetime) -> str:
    if promise.state == PromiseState.BROKEN or (
        promise.state == PromiseState.OPEN and promise.due_at is not None and promise.due_at <= now
    ):
        return "broken"
    if promise.state != PromiseState.OPEN:
        return promise.state
    warned = any(e.promise == promise.name and e.cycle == promise.cycle for e in seen.escalations)
    return "warned" if warned else "calm"


def _spans(promise: PromiseView, now: datetime) -> Iterator[Span]:
    last: datetime | None = None
    why: str | None = None
    for segment in promise.segments:
        if last is not None:
            yield Span(ran=False, since=last, until=segment.ran_from, length=segment.ran_from - last, why=why)
        until = segment.ran_until
        length = max((until or now) - segment.ran_from, timedelta())
        yield Span(ran=True, since=segment.ran_from, until=until, length=length, why=None)
        last, why = until, segment.why_stopped
    if last is not None and promise.state == PromiseState.PAUSED:
        yield Span(ran=False, since=last, until=None, length=max(now - last, timedelta()), why=why)


class Grant(NamedTuple):
    """What the policy in force grants for a finding."""

    options: list[OptionView]
    missing: list[str]
    """Facts that are not established yet."""
    outcome: str | None
    faults: list[str]
    """Why nothing can be computed."""
    is_pinned: bool
    """Whether the policy in force is the one to which the case is pinned."""


def granted(seen: Snapshot, policies: Mapping[str, Policy], now: datetime, more: Json | None = None) -> Grant | None:
    """Return what the policy grants for the finding, with `more` facts; None while nothing is known about the case.

    The order's account and what other cases have used are not considered: the case does that when it makes an offer.
    """
    if seen.complaint is None or seen.line is None or seen.line not in policies:
        return None
    finding = seen.finding.model_dump(mode="json", exclude={"facts"}, exclude_none=True) | (more or {})
    given = {"complaint": seen.complaint.model_dump(mode="json"), "finding": finding, "now": now.isoformat()}
    try:
        found = plan(given, policies, now)
    except InvalidInput as error:
        return Grant([], [], None, [str(problem) for problem in error.problems], is_pinned=True)
    offer = found["offer"] or {"options": []}
    options = [OptionView.model_validate(option) for option in offer["options"]]
    pinned = seen.policy.version == policies[seen.line].version
    return Grant(options, list(found["missing"]), found["outcome"], [], pinned)


def relied_on(seen: Snapshot) -> str:
    """Return a digest of what a person decides by: the state of the case, and what people did and wrote.

    What happens by itself (an escalation, a delivered letter, a progress update) does not change it, because a form
    would otherwise be refused for things that nobody decides by.
    """
    parts: list[Any] = [seen.status, seen.outcome, seen.cycle, seen.urgent, seen.owner.as_json(), seen.awaited]
    parts += [seen.finding.as_json(), [each.as_json() for each in (*seen.evidence, *seen.second_complaints)]]
    parts += [(offer.id, offer.state, offer.accepted) for offer in seen.offers]
    parts += [(step.id, step.state, step.reason) for step in seen.steps]
    parts += [each.as_json() for each in seen.timeline if each.by]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def worst(seen: Json, now: datetime) -> str:
    """Return the state of a case in a list, from its snapshot as JSON: broken, warned, paused or calm."""
    owed = [p for p in seen["promises"] if p.get("kept_at") is None and p["state"] in ("open", "paused", "broken")]
    due = [datetime.fromisoformat(p["due_at"]) for p in owed if p.get("due_at")]
    if any(p["state"] == "broken" for p in owed) or any(at <= now for at in due):
        return "broken"
    live = {(p["name"], p["cycle"]) for p in owed}
    if any((e["promise"], e["cycle"]) in live for e in seen["escalations"]):
        return "warned"
    return "calm" if due or not owed else "paused"
