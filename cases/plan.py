"""What would we promise and offer? Worked out by the same code as the cases', without a server."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cases.calendar import Instant
from cases.complaint import Complaint, check_complaint
from cases.errors import MAX_TOLD, InvalidInput, Problem, Refusal, printable, problems_of
from cases.finding import PartialFinding
from cases.granting import Assessment, assess, check_finding
from cases.names import Outcome, Starts
from cases.policy import Policy, check_against
from cases.promise import Promise

_TIME = TypeAdapter(Instant)


def plan_line(line: str, policies: dict[str, Policy], now: datetime) -> dict[str, Any]:
    """The plan for a complaint, or for `{"complaint": …, "finding": …, "now": …}`, as JSON text; or its `errors`."""
    try:
        return plan(json.loads(line, parse_float=Decimal), policies, now)
    except json.JSONDecodeError as error:
        return _errors([Problem(field="(whole)", problem=f"is not JSON: {error.msg} at column {error.colno}")])
    except RecursionError:
        return _errors([Problem(field="(whole)", problem="is nested too deeply")])
    except (ValueError, ArithmeticError):
        return _errors([Problem(field="(whole)", problem="holds a number out of all reason")])
    except InvalidInput as error:
        return _errors(error.problems)


def plan(given: Any, policies: dict[str, Policy], now: datetime) -> dict[str, Any]:
    """What the contract says of `starter.py plan`; raises `InvalidInput` with every problem by its field."""
    if not isinstance(given, dict):
        raise InvalidInput([Problem(field="(whole)", problem="must be a JSON object with complaint, finding, now")])
    if "complaint" not in given and given.keys() & Complaint.model_fields.keys():
        given = {"complaint": given}
    unknown = [printable(k) for k in given if k not in ("complaint", "finding", "now")][:MAX_TOLD]
    if unknown:
        raise InvalidInput([Problem(field=k, problem="is not known here") for k in unknown])
    if given.get("now") is not None:
        now = _validated("now", lambda: _TIME.validate_python(given["now"]))
    complaint = check_complaint(given.get("complaint"), now)
    policy = policy_for(complaint, policies).slice_for(complaint)
    finding = _validated(
        "finding", lambda: PartialFinding.model_validate({} if given.get("finding") is None else given["finding"])
    )
    if problems := check_finding(policy, complaint, finding):
        raise InvalidInput([Problem(field=f"finding.{p.field}", problem=p.problem) for p in problems])
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


def policy_for(complaint: Complaint, policies: dict[str, Policy]) -> Policy:
    """The policy of the complaint's line; raises `InvalidInput` for an unknown line, or what the policy forbids."""
    if complaint.line not in policies:
        known = ", ".join(sorted(policies))
        raise InvalidInput([Problem(field="line", problem=f"there is no line {complaint.line}; there are {known}")])
    if problems := check_against(policies[complaint.line], complaint):
        raise InvalidInput(problems)
    return policies[complaint.line]


def _promises(complaint: Complaint, policy: Policy, found: Assessment, now: datetime) -> list[dict[str, Any]]:
    """Those whose start is known; what is owed only once a case is declared complex nobody has promised (F3)."""
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


def _validated(field: str, read: Any) -> Any:
    try:
        return read()
    except ValidationError as error:
        where = [f"{field}.{p.field}" if p.field != "(whole)" else field for p in problems_of(error)]
        texts = [p.problem for p in problems_of(error)]
        raise InvalidInput([Problem(field=f, problem=t) for f, t in zip(where, texts, strict=True)]) from None


def _errors(problems: list[Problem]) -> dict[str, Any]:
    return {"errors": [p.model_dump() for p in problems]}
