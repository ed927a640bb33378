"""Plans: what a case would promise and offer, computed by the same code as in cases, without a server."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cases.calendar import Instant
from cases.complaint import OUR_CURRENCY, Complaint
from cases.entitlement.granting import Assessment, assess, check_finding
from cases.errors import InvalidInput, Problem, Refusal, printable, problems_of
from cases.input.decoding import check_size
from cases.input.drafts import collect_problems, read_draft
from cases.money import excess_digits
from cases.policy.admission import check_complaint
from cases.policy.policy import Policy
from cases.state.finding import PartialFinding
from cases.state.promise import Promise
from cases.vocabulary import Outcome, Starts

_TIME = TypeAdapter(Instant)
KEYS = ("complaint", "finding", "now")


def plan_or_errors(given: Any, policies: Mapping[str, Policy], now: datetime) -> dict[str, Any]:
    """Return the plan for a complaint or for `{"complaint": …, "finding": …, "now": …}`, or an object with `errors`."""
    try:
        return plan(given, policies, now)
    except InvalidInput as error:
        return as_errors(error)


def as_errors(error: InvalidInput) -> dict[str, Any]:
    """Return the object that is printed for invalid input."""
    return {"errors": [p.model_copy(update={"field": _field(p.field)}).model_dump() for p in error.problems]}


def _field(where: str) -> str:
    """Return the field's path without the leading `complaint.`."""
    return where.removeprefix("complaint.")


def plan(given: Any, policies: Mapping[str, Policy], now: datetime) -> dict[str, Any]:
    """Return a plan as described in the contract for `starter.py plan`. Raise `InvalidInput` with all problems."""
    if not isinstance(given, dict):
        raise InvalidInput([Problem(field="(whole)", problem="must be a JSON object with complaint, finding, now")])
    if "complaint" not in given and given.keys() & Complaint.model_fields.keys():
        given = {"complaint": given}
    problems = [Problem(field=printable(k), problem="is not known here") for k in given if k not in KEYS]
    if given.get("now") is not None:
        try:
            now = _TIME.validate_python(given["now"])
        except ValidationError as error:
            problems += _within("now", problems_of(error))
    raw = given.get("complaint")
    check_size(raw)
    complaint, policy, faults = check_complaint(raw, now, policies)
    finding, wrong = _finding(given.get("finding"))
    if policy:
        wrong += check_finding(policy, complaint, finding)
    wrong += collect_problems([_counted], complaint, finding)
    problems += faults + _within("finding", wrong)
    if problems or policy is None:
        raise InvalidInput(problems)
    policy = policy.slice_for(complaint)
    try:
        found = assess(policy, complaint, finding)
    except Refusal as refusal:
        raise InvalidInput([Problem(field="finding", problem=str(refusal))]) from None
    return {
        "policy": {"line": policy.line, "version": policy.version},
        "promises": _promises(complaint, policy, found, now),
        "offer": {"options": [_option(o.model_dump(mode="json")) for o in found.options]} if found.options else None,
        "consent_required": found.consent_required,
        "outcome": found.outcome,
        "missing": found.missing,
        "evidence_needed": policy.topics[complaint.topic].lacking(complaint.evidence),
    }


def _finding(raw: Any) -> tuple[PartialFinding, list[Problem]]:
    raw = {} if raw is None else raw
    if not isinstance(raw, dict):
        return PartialFinding(), [Problem(field="(whole)", problem="must be a JSON object")]
    return read_draft(PartialFinding, raw)


def _counted(complaint: Complaint, finding: PartialFinding) -> Iterator[Problem]:
    yield from excess_digits(finding, complaint.order.currency if complaint.order else OUR_CURRENCY)


def _within(field: str, problems: list[Problem]) -> list[Problem]:
    return [Problem(field=field if p.field == "(whole)" else f"{field}.{p.field}", problem=p.problem) for p in problems]


def _promises(complaint: Complaint, policy: Policy, found: Assessment, now: datetime) -> list[dict[str, Any]]:
    """Return the promises whose start is known, without those for complex cases, which an agent has to declare (F3)."""
    starts = {Starts.RECEIVED: complaint.received_at}
    if found.outcome is not Outcome.REJECTED:
        starts[Starts.FINDING] = now
    if not policy.topics[complaint.topic].lacking(complaint.evidence):
        starts[Starts.DOCUMENTS] = complaint.received_at
    planned = []
    urgent = complaint.urgent or policy.topics[complaint.topic].urgent
    for rule in policy.promised(urgent=urgent):
        if rule.starts in starts and not rule.complex:
            promise = Promise.of(rule, starts[rule.starts], cycle=1, calendar=policy.working_days)
            due = promise.due_at()
            planned.append(
                {
                    "name": promise.name,
                    "due_at": due.astimezone(complaint.received_at.tzinfo).isoformat() if due else None,
                    "pausable": promise.pausable,
                    "provisional": promise.provisional,
                }
            )
    return planned


def _option(option: dict[str, Any]) -> dict[str, Any]:
    return {**option, "remedies": [{k: v for k, v in r.items() if v is not None} for r in option["remedies"]]}
