"""Control arms: workers with one deliberate fault, which the suite must detect; otherwise its silence proves nothing.

`python -m tests.faults.arms NAME` runs such a worker.
"""

import asyncio
import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from pydantic import BaseModel

import worker
from activities import refunds
from activities.bookings import release
from cases.policy.remedy_kinds import GOODS
from cases.progress import call_outcomes, carrying_out
from cases.progress.call_outcomes import Then
from cases.reasons import Reason, Why
from cases.state.account import Account
from cases.state.case import Case
from cases.state.step import Step
from cases.vocabulary import StepState
from partners import http
from partners.ports import OutcomeUnknown, PartnerRefused
from partners.transport import Connection
from records.ledger import OrderLedger
from tests.faults.scenarios import USUAL, Odds


class UnaskingConnection(Connection):
    """Never asks a partner about a key."""

    async def look_up(self, path: str, params: dict[str, str], expected: Any) -> Any:
        """GET; as if no partner knew the step."""
        return None if path.endswith("/steps") else await super().look_up(path, params, expected)


class ForgetfulConnection(UnaskingConnection):
    """Sends each call for a step as the first one."""

    async def command(self, path: str, content: BaseModel, key: str, expected: Any) -> Any:
        """POST under a new key."""
        if path.endswith("/steps"):
            key = f"{key}/{uuid4().hex[:6]}"
            content = content.model_copy(update={"key": key})
        return await super().command(path, content, key, expected)


def keyless() -> None:
    """Use a new key for each attempt, and do not ask before paying again (S13)."""
    vars(http)["Connection"] = ForgetfulConnection


class CredulousConnection(UnaskingConnection):
    """Treats every 4xx as a final refusal, and looks nothing up before it pays under a new key."""

    async def command(self, path: str, content: BaseModel, key: str, expected: Any) -> Any:
        """POST; treat any 4xx as not done."""
        try:
            return await super().command(path, content, key, expected)
        except OutcomeUnknown as error:
            if re.search(r"HTTP 4\d\d", str(error)):
                raise PartnerRefused(*error.args) from error
            raise


def refusals() -> None:
    """Treat 409, 423 and 425 as a final refusal, and retry under a new key (S25)."""
    vars(http)["Connection"] = CredulousConnection


def answers() -> None:
    """Let the answer to a call override a report on its step, and do not ask the partner which is right (S26)."""
    contradiction = call_outcomes._contradiction  # noqa: SLF001 (the rule that is broken)

    def overridden(case: Case, step: Step, number: int, at: datetime) -> Then:
        if step.state is not StepState.DONE:
            return contradiction(case, step, number, at)
        case.vouched.pop(step.key(case.id), None)
        why = Reason.of("partner_failed", who=step.partner)
        carrying_out.refused(case, step, why, at, reserved=carrying_out.in_ledger(case, step))
        return Then.NOTHING

    vars(call_outcomes)["_contradiction"] = overridden
    vars(http)["Connection"] = UnaskingConnection


def contested() -> None:
    """Release a payment that its partner reports both as done and as failed (S26)."""
    vars(refunds)["contest"] = release


def final() -> None:
    """Ignore a failure after a step was done (S27)."""
    setattr(Step, "can_be_taken_back", property(lambda _: False))  # noqa: B010 (mypy knows that it is none to be set)


def dependents() -> None:
    """Start what depends on a waived step as if it had been carried out (S28)."""

    def under_way(step: Step) -> bool:
        if step.settled or step.state is StepState.DISPATCHED:
            return True
        return step.kind not in GOODS and step.state is StepState.RUNNING and step.reference is not None

    def waive(case: Case, step: Step, reason: Why, at: datetime, **_: Any) -> None:
        step.enter(StepState.WAIVED, at, reason)
        case.note("step waived", at, f"{step.id}: {reason}")

    setattr(Step, "under_way", property(under_way))  # noqa: B010 (mypy knows that it is none to be set)
    vars(carrying_out)["_waive"] = waive


def units() -> None:
    """Count only money in the order's ledger, and ignore what other cases have taken (S35)."""

    def account(_self: OrderLedger, _order_id: str, _case_id: str) -> Account:
        return Account()

    def no_units(*_: Any) -> None:
        return None

    setattr(OrderLedger, "account", account)  # noqa: B010 (mypy knows that methods are none to be set)
    setattr(OrderLedger, "_no_units", no_units)  # noqa: B010


class Arm(NamedTuple):
    """A deliberate fault, the rule that must detect it, and odds under which it shows soon."""

    install: Callable[[], None]
    breaks: str
    odds: Odds = USUAL


ARMS = {
    "keyless": Arm(keyless, "carried out twice"),
    "refusals": Arm(refusals, "carried out twice", Odds(contradict=0.5)),
    "answers": Arm(answers, "ledger disagrees with the partner", Odds(contradict=1)),
    "units": Arm(units, "made good more often than bought", Odds(same_items=0.9, nothing_else=1)),
    "contested": Arm(contested, "taken back, and not reported", Odds(contradict=0.5)),
    "final": Arm(final, "taken back, and not reported", Odds(contradict=0.5)),
    "dependents": Arm(dependents, "collected, but nothing was sent", Odds(no_stock=0.8)),
}


if __name__ == "__main__":
    ARMS[sys.argv[1]].install()
    asyncio.run(worker.main())
