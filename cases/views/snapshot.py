"""One query returns one snapshot: what other programs may know of a case, in the contract's words."""

from typing import Any

from cases.complaint import Complaint
from cases.policy.remedy_kinds import PAID_AS
from cases.progress.alarms import alarms
from cases.state.case import Case
from cases.state.entries import Refused
from cases.state.offer import Offer
from cases.state.promise import Promise
from cases.state.second_complaint import SecondComplaint, TakenOver
from cases.state.step import Step
from cases.state.summary import paid
from cases.views.asking import need_lines
from cases.views.needs import needs
from cases.views.page import page
from cases.vocabulary import Status

BEING_ADMITTED: dict[str, Any] = {
    **dict.fromkeys(("line", "topic", "order_id", "outcome", "opened_at", "closed_at", "complaint")),
    "status": Status.RECEIVED,
    "urgent": False,
    "owner": {"team": None, "name": None},
    "policy": {"line": None, "version": None, "timezone": None},
    "cycle": 1,
    "finding": {"facts": []},
    "paid": dict.fromkeys(PAID_AS, "0.00"),
    **{
        name: []
        for name in (
            *("promises", "offers", "steps", "escalations", "evidence", "awaited", "satisfaction"),
            *("refused", "timeline", "links", "second_complaints", "needs"),
        )
    },
}
"""What can be said of a case whose complaint has not been admitted: all of a snapshot but `case_id`."""


def snapshot(case: Case) -> dict[str, Any]:
    """The case as JSON values (contract, *The snapshot*)."""
    return {
        "case_id": case.id,
        "line": case.complaint.line,
        "topic": case.complaint.topic,
        "order_id": case.complaint.order.order_id if case.complaint.order else None,
        "status": case.status,
        "outcome": case.outcome,
        "urgent": case.urgent,
        "owner": {"team": case.team, "name": case.owner},
        "policy": {"line": case.policy.line, "version": case.policy.version, "timezone": case.policy.timezone},
        "complaint": case.complaint.model_dump(mode="json"),
        "cycle": case.cycle,
        "opened_at": case.opened_at.isoformat(),
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "finding": case.finding.model_dump(mode="json", exclude_none=True),
        "promises": [_promise(p) for p in case.promises],
        "offers": [_offer(o) for o in case.offers],
        "steps": [_step(case, s) for s in case.steps],
        "escalations": [e.model_dump(mode="json") for e in case.escalations],
        "evidence": [e.model_dump(mode="json") for e in case.evidence],
        "awaited": list(case.awaited),
        "satisfaction": [s.model_dump(mode="json") for s in case.satisfaction],
        "paid": paid(case),
        "refused": [r.model_dump(mode="json") for r in case.refused],
        "timeline": [e.model_dump(mode="json", exclude_none=True) for e in case.timeline],
        "links": case.links,
        "second_complaints": [_second(case, record) for record in case.second_complaints],
        "needs": needs(case),
    }


def _second(case: Case, record: TakenOver) -> dict[str, Any]:
    shown = record.model_dump(mode="json", exclude={"news", "adds", "found"})
    return {**shown, "judged": record.case not in case.unjudged}


def _promise(promise: Promise) -> dict[str, Any]:
    due = promise.due_at()
    kept = promise.kept_at
    return {
        "name": promise.name,
        "cycle": promise.cycle,
        "state": promise.state,
        "started_at": promise.started_at.isoformat(),
        "due_at": due.isoformat() if due else None,
        "kept_at": kept.isoformat() if kept else None,
        "segments": [s.model_dump(mode="json") for s in promise.segments],
        "provisional": promise.provisional,
        "rule": promise.rule,
        "within": promise.within,
    }


def _offer(offer: Offer) -> dict[str, Any]:
    fields = {"id", "state", "made_at", "cycle", "made_by", "over_limits", "delivered_at", "accepted", "rule"}
    shown = offer.model_dump(mode="json", include=fields) | {"over_limits": [str(why) for why in offer.over_limits]}
    options = [o.model_dump(mode="json", exclude_none=True) for o in offer.options]
    return {**shown, "options": options, "consent_required": offer.consent_required}


def _step(case: Case, step: Step) -> dict[str, Any]:
    shown = step.model_dump(
        mode="json",
        include={"id", "kind", "state", "reference", "attempts", "since", "cycle", "offer", "team"},
    )
    return {
        **shown,
        "reason": None if step.reason is None else str(step.reason),
        "key": step.key_in_question(case.id),
        "partner": step.partner,
        **step.remedy.model_dump(mode="json", include={"amount", "items"}, exclude_none=True),
    }


def details(case: Case) -> str:
    """The case in Markdown, for its page in the Temporal UI: what to do, what is claimed, promised and waited for.

    Without personal data: who complains and in which words stands in the workflow's input, and in `starter.py show`.
    """
    sections = {
        "What to do": [need_lines(need) for need in needs(case)],
        "Complaint": _complaint_lines(case, case.complaint),
        **{f"And {c.case}": _complaint_lines(case, c) for c in case.second_complaints},
        "Promises": [_promise_line(case, p) for p in case.promises],
        "Steps": [_step_line(case, s) for s in case.steps],
        "Refused messages": [_refused_line(case, r) for r in case.refused],
        "Waiting": [f"until {case.clock(a.at)}: {a.summary}" for a in alarms(case)],
    }
    return page(_headline(case), sections)


def _complaint_lines(case: Case, complaint: Complaint | SecondComplaint) -> list[str]:
    affected = ", ".join(f"{i.quantity} × {i.sku}" for i in complaint.affected or [])
    lines = {
        "received": f"{case.clock(complaint.received_at)} by {complaint.channel}",
        "affected": affected and _quoted(affected),
        "wishes": complaint.wish,
    }
    return [f"{name}: {text}" for name, text in lines.items() if text]


def _quoted(text: str) -> str:
    """A stranger's words as code: no link, image or heading of theirs becomes one of the page."""
    line = " ".join(text.replace("`", "'").split())
    return f"`{line if len(line) <= MAX_QUOTED else line[: MAX_QUOTED - 1] + '…'}`"


MAX_QUOTED = 500
"""Characters of a stranger's text on the page; `show` has all of it."""


def _refused_line(case: Case, refused: Refused) -> str:
    """How often, and the latest sentence."""
    times = f"{refused.count} times, the last" if refused.count > 1 else "once,"
    return f"{_quoted(refused.message)} {times} at {case.clock(refused.last_at or refused.at)}: {_quoted(refused.why)}"


def _promise_line(case: Case, promise: Promise) -> str:
    name = f"{promise.name} (cycle {promise.cycle})" if promise.cycle > 1 else promise.name
    due = promise.due_at()
    return f"{name}: **{promise.state}**, due {case.clock(due) if due else 'when it goes on'}"


def _step_line(case: Case, step: Step) -> str:
    items = ", ".join(f"{i.quantity} × {i.sku}" for i in step.remedy.items or [])
    what = f"{step.remedy.amount} {case.currency}" if step.remedy.amount else items
    reason = f": {step.reason}" if step.reason else ""
    return f"{step.id}{f', {what}' if what else ''}: **{step.state}**{reason}"


def _headline(case: Case) -> str:
    parts = [
        f"**{case.status}**",
        case.outcome,
        case.topic.title.en,
        case.topic.title.zh,
        f"team {case.team}",
        case.owner,
        f"merged into {case.merged_into}" if case.merged_into else None,
    ]
    return " · ".join(part for part in [*parts, "**urgent**" if case.urgent else None] if part)
