"""What must hold whatever went wrong, told from books, histories and records.

Each rule answers with the cases that break it.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cases.calendar import Measure, length
from cases.policy.policy import Policy
from records.archive import without_times
from tests.faults import books
from tests.faults.books import Found, in_force
from tests.faults.evidence import Evidence
from tests.faults.people import Life

RUNGS = frozenset({"promise_warning", "promise_broken", "escalation"})
"""What a notice of a rung is called."""
ROUGHLY = timedelta(seconds=5)


@dataclass(frozen=True)
class Violation:
    """A promise of the suite that one case breaks."""

    rule: str
    case_id: str
    what: str


def violations(lives: list[Life], reset: set[str], evidence: Evidence) -> list[Violation]:
    """All of them; none is what we want."""
    rules = {
        "lost": _lost(lives, reset, evidence),
        **books.rules(lives, reset, evidence),
        "rung not told once": _rungs(reset, evidence),
        "message not applied once": _messages(lives, reset, evidence),
        "taken in, and no complaint": iter(evidence.taken_in.items()),
        "workflow task fails": iter(evidence.failing.items()),
        "does not replay": iter(evidence.unreplayable.items()),
    }
    return [Violation(rule, case_id, what) for rule, found in rules.items() for case_id, what in found]


def _lost(lives: list[Life], reset: set[str], evidence: Evidence) -> Found:
    """One case for each complaint: it has ended and is archived, or says what it waits for."""
    for life in lives:
        end = evidence.ends.get(life.case_id)
        if end is None:
            yield life.case_id, "there is no such case" if life.case_id not in evidence.failing else "it has failed"
        elif life.case_id in evidence.closed:
            row = evidence.archived.get(life.case_id)
            # A case that was taken back closes a second time, and its first record stands.
            if not row or (without_times(row["record"]) != without_times(end) and life.case_id not in reset):
                yield life.case_id, "it has closed, and its record is not what it ended with"
        elif not _visible(end):
            yield life.case_id, f"it is {end['status']}, and nobody is told what it waits for ({life.failure})"


def _visible(end: dict[str, Any]) -> bool:
    """Whether a case that is open says what it waits for: a person, a partner, or another case."""
    waits = [s for s in end["steps"] if s["state"] in ("unknown", "running", "dispatched")]
    return bool(end["needs"] or waits or any(link["kind"] == "merged_into" for link in end["links"]))


def _rungs(reset: set[str], evidence: Evidence) -> Found:
    """S6, S8, G10: each rung that was due is told, once; a reset case no longer knows of all that it has told."""
    told = Counter(row["case_id"] for row in evidence.messages if row["content"]["event"] in RUNGS)
    for case_id, end in evidence.ends.items():
        claimed = Counter((e["promise"], e["cycle"], e["rung"], e["due_at"]) for e in end["escalations"])
        if twice := [rung for rung, count in claimed.items() if count > 1]:
            yield case_id, f"told twice: {twice}"
        sent = sum(e["sent_at"] is not None for e in end["escalations"])
        most = told[case_id] if case_id in reset else len(end["escalations"])
        if not sent <= told[case_id] <= most:
            yield case_id, f"{told[case_id]} notices went out for {sent} of {len(end['escalations'])} escalations"
        for promise in end["promises"]:
            if missing := _due(promise, end, in_force()[end["line"]]) - {
                e["rung"]
                for e in end["escalations"]
                if (e["promise"], e["cycle"]) == (promise["name"], promise["cycle"])
            }:
                yield case_id, f"{promise['name']}: the rungs {sorted(missing)} were due and nobody was told"


def _due(promise: dict[str, Any], end: dict[str, Any], policy: Policy) -> set[int]:
    """The rungs of a promise that were due before it ended, worked out from the policy file and its times alone."""
    within, measure = length(promise["within"])
    segments = promise["segments"]
    if measure is not Measure.ELAPSED or len(segments) != 1 or not segments[0]["ran_until"]:
        return set()  # working days and pauses are tried elsewhere
    begun, over = (datetime.fromisoformat(segments[0][name]) for name in ("ran_from", "ran_until"))
    if begun + within <= datetime.fromisoformat(end["opened_at"]):
        return set()  # it was broken on arrival: told once, whatever the rung (G10)
    return {
        number
        for number, rung in enumerate(policy.escalation, start=1)
        if begun + within * rung.share(urgent=end["urgent"]) + ROUGHLY < over
    }


def _messages(lives: list[Life], reset: set[str], evidence: Evidence) -> Found:
    """S9, contract *Messages*: what was accepted is applied once, what was refused not at all."""
    for life in lives:
        remarks = Counter(
            e.get("text") for e in evidence.ends.get(life.case_id, {}).get("timeline", []) if e["what"] == "note"
        )
        for id_, sent in life.sent.items():
            times = evidence.applied.get(id_, 0)
            # A reset takes the case back; what comes after is told to it again, and may no longer be possible.
            least = 1 if "applied" in sent.answers and life.case_id not in reset else 0
            most = 0 if set(sent.answers) == {"refused"} and life.case_id not in reset else 1
            if not least <= times <= most:
                yield life.case_id, f"{sent.name} {id_} was answered {sent.answers}, and applied {times} times"
            if sent.name == "note" and remarks[id_] > most:
                yield life.case_id, f"remark {id_} stands there {remarks[id_]} times"
