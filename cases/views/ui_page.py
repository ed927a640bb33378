"""The page of a case in the Temporal UI, in Markdown, without personal data.

The customer and the description are in the workflow's input and in `starter.py show`.
"""

from cases.complaint import Complaint
from cases.progress.alarms import alarms
from cases.state.case import Case
from cases.state.entries import Refused
from cases.state.promise import Promise
from cases.state.second_complaint import SecondComplaint
from cases.state.step import Step
from cases.views.need_view import need_lines
from cases.views.needs import needs

MAX_QUOTED = 500
"""The maximum length of quoted input on the page. `show` has all of it."""


def page(headline: str, sections: dict[str, list[str]]) -> str:
    """Return a page for the Temporal UI. Sections without lines are left out."""
    shown = "\n\n".join(
        f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in sections.items() if lines
    )
    return f"{headline}\n\n{shown}"


def case_page(case: Case) -> str:
    """Return the page of a case: what to do, the complaint, promises, steps, refused messages and timers."""
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
    """Return input as Markdown code, so that links, images and headings in it have no effect."""
    line = " ".join(text.replace("`", "'").split())
    return f"`{line if len(line) <= MAX_QUOTED else line[: MAX_QUOTED - 1] + '…'}`"


def _refused_line(case: Case, refused: Refused) -> str:
    """Return the line for refused signals: how many, and the latest reason."""
    times = f"{refused.count} times, the last" if refused.count > 1 else "once,"
    return f"{_quoted(refused.message)} {times} at {case.clock(refused.last_at or refused.at)}: {_quoted(refused.why)}"


def _promise_line(case: Case, promise: Promise) -> str:
    name = f"{promise.name} (cycle {promise.cycle})" if promise.cycle > 1 else promise.name
    due = promise.due_at()
    return f"{name}: **{promise.state}**, {f'due {case.clock(due)}' if due else 'no deadline while it is paused'}"


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
