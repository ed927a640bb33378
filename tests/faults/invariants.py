"""Check what must hold after any fault, from the partners' records, our records and the histories.

Each rule yields the cases that break it.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cases.calendar import Measure, length
from cases.policy.policy import Policy
from records.archive import without_times
from tests.faults import money
from tests.faults.evidence import Evidence, shown
from tests.faults.money import Found, in_force
from tests.faults.people import Life

RUNGS = frozenset({"promise_warning", "promise_broken", "escalation"})
"""Events of the notices that belong to rungs."""
ROUGHLY = timedelta(seconds=5)


@dataclass(frozen=True)
class Violation:
    """A rule of the suite that one case breaks."""

    rule: str
    case_id: str
    what: str


def violations(lives: list[Life], reset: set[str], evidence: Evidence) -> list[Violation]:
    """Return all violations; none are expected."""
    rules = {
        "lost": _lost(lives, reset, evidence),
        **money.rules(lives, reset, evidence),
        "rung not notified exactly once": _rungs(reset, evidence),
        "message not applied exactly once": _messages(lives, reset, evidence),
        "list differs from the case": _rows(evidence),
        "accepted, but not a complaint": iter(evidence.accepted_garbage.items()),
        "workflow task fails": iter(evidence.failing.items()),
        "does not replay": iter(evidence.unreplayable.items()),
    }
    return [Violation(rule, case_id, what) for rule, found in rules.items() for case_id, what in found]


def _lost(lives: list[Life], reset: set[str], evidence: Evidence) -> Found:
    """Each complaint has one case, which is closed and archived, or shows what it waits for."""
    for life in lives:
        end = evidence.ends.get(life.case_id)
        if end is None:
            yield life.case_id, "there is no such case" if life.case_id not in evidence.failing else "it has failed"
        elif life.case_id in evidence.closed:
            row = evidence.archived.get(life.case_id)
            # A case that was reset closes a second time; the archive keeps its first record.
            if not row or (without_times(row["record"]) != without_times(end) and life.case_id not in reset):
                yield life.case_id, "it has closed, and its record differs from its final snapshot"
        elif not _visible(end):
            yield life.case_id, f"it is {end['status']}, and does not show what it waits for ({life.failure})"


def _rows(evidence: Evidence) -> Found:
    """Every case has a row, which shows its last state: no earlier change has replaced a later one."""
    for case_id, end in evidence.ends.items():
        row = evidence.rows.get(case_id)
        if row is None:
            yield case_id, "no list has it"
        elif row["ended"] is not None:
            yield case_id, f"its row says that its workflow was {row['ended']}"
        elif not row["shown"] == row["snapshot"] == shown(end):
            yield case_id, f"lists show {row['shown']}, its snapshot there {row['snapshot']}, the case {shown(end)}"


def _visible(end: dict[str, Any]) -> bool:
    """Return whether an open case shows what it waits for: a person, a partner, or another case."""
    waits = [s for s in end["steps"] if s["state"] in ("unknown", "running", "dispatched")]
    return bool(end["needs"] or waits or any(link["kind"] == "merged_into" for link in end["links"]))


def _rungs(reset: set[str], evidence: Evidence) -> Found:
    """S6, S8, G10: each due rung is notified exactly once. A reset case has forgotten some of its notices."""
    notices = Counter(row["case_id"] for row in evidence.messages if row["content"]["event"] in RUNGS)
    for case_id, end in evidence.ends.items():
        claimed = Counter((e["promise"], e["cycle"], e["rung"], e["due_at"]) for e in end["escalations"])
        if twice := [rung for rung, count in claimed.items() if count > 1]:
            yield case_id, f"notified twice: {twice}"
        sent = sum(e["sent_at"] is not None for e in end["escalations"])
        most = notices[case_id] if case_id in reset else len(end["escalations"])
        if not sent <= notices[case_id] <= most:
            yield case_id, f"{notices[case_id]} notices were sent for {sent} of {len(end['escalations'])} escalations"
        for promise in end["promises"]:
            if missing := _due(promise, end, in_force()[end["line"]]) - {
                e["rung"]
                for e in end["escalations"]
                if (e["promise"], e["cycle"]) == (promise["name"], promise["cycle"])
            }:
                yield case_id, f"{promise['name']}: the rungs {sorted(missing)} were due, but not notified"


def _due(promise: dict[str, Any], end: dict[str, Any], policy: Policy) -> set[int]:
    """Return the rungs of a promise that were due before it ended, from the policy file and its times only."""
    within, measure = length(promise["within"])
    segments = promise["segments"]
    if measure is not Measure.ELAPSED or len(segments) != 1 or not segments[0]["ran_until"]:
        return set()  # working days and pauses have tests elsewhere
    begun, over = (datetime.fromisoformat(segments[0][name]) for name in ("ran_from", "ran_until"))
    if begun + within <= datetime.fromisoformat(end["opened_at"]):
        return set()  # broken on arrival: one notice covers all rungs (G10)
    return {
        number
        for number, rung in enumerate(policy.escalation, start=1)
        if begun + within * rung.share(urgent=end["urgent"]) + ROUGHLY < over
    }


def _messages(lives: list[Life], reset: set[str], evidence: Evidence) -> Found:
    """S9, contract *Messages*: an accepted message is applied once, a refused one never."""
    for life in lives:
        remarks = Counter(
            e.get("text") for e in evidence.ends.get(life.case_id, {}).get("timeline", []) if e["what"] == "note"
        )
        for id_, sent in life.sent.items():
            times = evidence.applied.get(id_, 0)
            # A reset discards later messages; when they are applied again they may be refused.
            least = 1 if "applied" in sent.answers and life.case_id not in reset else 0
            most = 0 if set(sent.answers) == {"refused"} and life.case_id not in reset else 1
            if not least <= times <= most:
                yield life.case_id, f"{sent.name} {id_} was answered {sent.answers}, and applied {times} times"
            if sent.name == "note" and remarks[id_] > most:
                yield life.case_id, f"note {id_} is on the timeline {remarks[id_]} times"
