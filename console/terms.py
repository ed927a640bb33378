"""A policy in readable form: topics, promises, remedies and terms as tables."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from cases.calendar import CalendarTerms
from cases.policy.conditions import When
from cases.policy.every_line import EvidenceTerms
from cases.policy.parts import Titles
from cases.policy.policy import Policy, PromiseRule, RemedyRule
from cases.vocabulary import KeptWhen
from console.reading import plain, table

Rows = Iterable[Iterable[Any]]


def policy(what: Policy) -> RenderableType:
    """Return the whole policy of a line, including what it takes from every_line.yaml."""
    tables = [
        table("topics", "topic, title, team, owner, urgent, look-ups, evidence", _topics(what)),
        table("promises", "rule, promise, for, within, from, kept when, pausable, target", _promises(what)),
        table("on receipt, before any finding", "rule, topics, action, to establish, at most", _on_receipt(what)),
        table("remedies", "rule, topics, when, options, closes as", _remedies(what)),
        table("terms", "term, value", _terms(what)),
    ]
    heading = plain(f"{what.line}  {_title(what.title)}  version {what.version}")
    return Group(Text(heading, style="bold"), *(drawn for drawn in tables if drawn is not None))


def _topics(what: Policy) -> Rows:
    for name, t in what.topics.items():
        team = f"{t.team}, decided by {t.audit}" if t.audit else t.team
        yield name, _title(t.title), team, t.owner, _yes(t.urgent), t.look_up, [e.value for e in t.evidence]


def _promises(what: Policy) -> Rows:
    for p in what.promises:
        start = f"{p.starts}, if complex" if p.complex else p.starts
        by_call = p.picking_up_counts and p.kept_by is KeptWhen.CUSTOMER_REACHED
        kept = f"{p.kept_by}, or call answered" if by_call else p.kept_by
        target = f"{p.target:.0%}" if p.target else None
        yield p.rule, p.name, _where(p), p.within, start, kept, _yes(p.pausable), target


def _on_receipt(what: Policy) -> Rows:
    for p in what.precautions:
        yield p.rule, p.topics, p.do, None, None
    for i in what.investigations:
        yield i.rule, i.topics, i.do, i.establishes, i.within


def _remedies(what: Policy) -> Rows:
    for r in what.remedies:
        yield r.rule, r.topics, _when(r.when), "\n".join(_option(k, o) for k, o in r.options.items()), r.outcome


def _terms(what: Policy) -> Rows:
    yield "escalation", "; ".join(f"{r.role} at {r.at:.0%}{_if_urgent(r.urgent)}" for r in what.escalation)
    s = what.silence
    reminders = ", ".join(s.reminders)
    yield (
        "silence",
        f"reminders after {reminders}; {s.tell} notified after {s.tell_after}; closed after {s.close_after}",
    )
    if any(t.evidence for t in what.topics.values()):
        yield "evidence", _evidence(what.evidence)
    yield "callback", f"{what.callback.attempts} times, every {what.callback.every}"
    yield "reopening", f"within {what.reopen_within}"
    yield "limit for payments other than refunds, all cases of an order", ", else ".join(what.compensation_limit)
    yield "limit for a manager, all money", what.manager_limit
    if what.damaged_share:
        yield (
            "share of value by severity",
            ", ".join(f"{severity} {share:.0%}" for severity, share in what.damaged_share.items()),
        )
    if what.satisfaction_target:
        yield "target for satisfied customers", f"{what.satisfaction_target:.0%} of those who answer"
    yield "working days", f"{_calendar(what.calendar)}, {what.timezone}"


def _title(title: Titles) -> str:
    return f"{title.zh} {title.en}"


def _if_urgent(share: float | None) -> str:
    return f" ({share:.0%} when urgent)" if share else ""


def _evidence(terms: EvidenceTerms) -> str:
    end = (
        f"continues without it after {terms.go_on_after}" if terms.go_on_after else f"closed after {terms.close_after}"
    )
    return f"reminder after {terms.remind_after}; {end}"


def _calendar(terms: CalendarTerms) -> str:
    country = "-".join(part for part in (terms.country, terms.subdivision) if part) or "no holidays"
    closes = f"{terms.closes:%H:%M}" if terms.closes else "24:00"
    return (
        country
        + f", {terms.opens:%H:%M} to {closes}"
        + (f", off on {', '.join(terms.weekend)}" if terms.weekend else "")
    )


def _where(promise: PromiseRule) -> str:
    text = ", ".join(promise.topics)
    text += f" but {', '.join(promise.except_topics)}" if promise.except_topics else ""
    text += f" by {', '.join(promise.channels)}" if promise.channels else ""
    return text + ("" if promise.urgent is None else " (urgent)" if promise.urgent else " (not urgent)")


def _when(when: When) -> str:
    return ", ".join(f"{key} {_yes(value)}" for key, value in when.items())


def _yes(value: bool | str) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _option(key: str, remedies: list[RemedyRule]) -> str:
    def one(remedy: RemedyRule) -> str:
        parts = [remedy.do.value, remedy.amount or "", f"of {remedy.items} items" if remedy.items else ""]
        parts += ["at once" if remedy.at_once else "", f"if {_when(remedy.when)}" if remedy.when else ""]
        return " ".join(part for part in parts if part)

    return f"{key}: " + "; ".join(one(remedy) for remedy in remedies)
