"""Routes to activate faults and to read what happened.

They exist only in the sandbox and are not part of the published interface.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cases.vocabulary import Partner, RemedyKind
from partners.sandbox.fixtures import Fixtures, OrderFixture
from partners.sandbox.ledger import TABLES, Ledger
from partners.sandbox.reports import Courier

if TYPE_CHECKING:
    PartnerName = str
else:
    PartnerName = Literal[(*(partner.value for partner in Partner), "callbacks", "*")]


class FaultKind(StrEnum):
    """How a call fails. Faults marked POST do not affect look-ups."""

    ERROR = "error"
    """Do nothing and answer `status` (500)."""
    SLOW = "slow"
    """Wait `seconds`, carry it out, answer."""
    COMMIT_THEN_TIMEOUT = "commit_then_timeout"
    """POST: carry it out, wait `seconds`, answer."""
    COMMIT_THEN_STATUS = "commit_then_status"
    """POST: carry it out, wait `seconds` (0), answer `status` as if it had not been done."""
    COMMIT_THEN_FAILED = "commit_then_failed"
    """POST of a step: carry it out, wait `seconds` (0), answer 200 with the state `failed`."""
    RATE_LIMIT = "rate_limit"
    """Do nothing and answer 429, with `seconds` as Retry-After."""
    NONSENSE = "nonsense"
    """Carry it out, then answer 200 with an HTML page."""
    REFUSE = "refuse"
    """POST: do nothing and answer 422."""
    DOWN = "down"
    """Do nothing and answer 503, with `seconds` as Retry-After."""


_POST_ONLY = frozenset(
    {
        FaultKind.COMMIT_THEN_TIMEOUT,
        FaultKind.COMMIT_THEN_STATUS,
        FaultKind.COMMIT_THEN_FAILED,
        FaultKind.REFUSE,
    }
)


class Fault(BaseModel):
    """A fault: which calls it affects, what happens, how often (`count` times, or until cleared), how likely."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partner: PartnerName = "*"
    kind: FaultKind
    step_kind: RemedyKind | None = None
    """Affect only steps of this kind."""
    count: Annotated[int, Field(gt=0)] | None = None
    seconds: Annotated[float, Field(ge=0, le=3_600)] | None = None
    status: Annotated[int, Field(ge=400, le=599)] = 500
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int | None = None

    def affects(self, partner: str, method: str, kind: str | None) -> bool:
        """Return whether the fault affects this call."""
        return (
            self.partner in ("*", partner)
            and (self.step_kind is None or self.step_kind == kind)
            and (method == "POST" or self.kind not in _POST_ONLY)
        )


@dataclass
class _Armed:
    fault: Fault
    chance: random.Random
    hits: int = 0

    def fires(self) -> bool:
        if self.fault.count is not None and self.hits >= self.fault.count:
            return False
        if self.chance.random() >= self.fault.probability:
            return False
        self.hits += 1
        return True


@dataclass
class Faults:
    """The active faults, oldest first. The first that fires decides."""

    _armed: list[_Armed] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Activate a fault."""
        self._armed.append(_Armed(fault, random.Random(fault.seed)))  # noqa: S311 (it must be repeatable)

    def clear(self) -> None:
        """Clear all faults."""
        self._armed.clear()

    def next(self, partner: str, method: str, kind: str | None) -> Fault | None:
        """Return the fault that happens to this call, or None."""
        for armed in self._armed:
            if armed.fault.affects(partner, method, kind) and armed.fires():
                return armed.fault
        return None


@dataclass(frozen=True)
class Sandbox:
    """The state that the routes share."""

    ledger: Ledger
    fixtures: Fixtures
    faults: Faults
    courier: Courier


def shared(request: Request) -> Sandbox:
    """Return the sandbox that serves this request."""
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


Shared = Annotated[Sandbox, Depends(shared)]
router = APIRouter(prefix="/_sandbox", include_in_schema=False)


@router.post("/faults")
async def add_fault(fault: Fault, sandbox: Shared) -> Fault:
    """Activate a fault."""
    sandbox.faults.add(fault)
    return fault


@router.delete("/faults")
async def clear_faults(sandbox: Shared) -> Response:
    """Clear all faults."""
    sandbox.faults.clear()
    return Response(status_code=204)


@router.delete("/keys")
async def expire_keys(sandbox: Shared) -> Response:
    """Expire every idempotency key. The next call with the same key is carried out again."""
    sandbox.ledger.expire_keys(datetime.now(UTC))
    return Response(status_code=204)


@router.post("/orders/{order_id}")
async def change_order(order_id: str, change: dict[str, Any], sandbox: Shared) -> OrderFixture:
    """Change fields of an order's fixture, in the format of the file. Changes survive a restart."""
    now = datetime.now(UTC)
    fixture = sandbox.fixtures.checked(order_id, change, now)
    sandbox.ledger.save_change(order_id, change)
    return fixture


@router.get("/ledger")
async def read_ledger(sandbox: Shared, case_id: str | None = None, order_id: str | None = None) -> dict[str, Any]:
    """Return everything that happened, by table."""
    return {table: sandbox.ledger.rows(table, case_id, order_id) for table in TABLES}


@router.get("/calls")
async def read_calls(sandbox: Shared, case_id: str | None = None, order_id: str | None = None) -> list[dict[str, Any]]:
    """Return every call that arrived, including repeated ones."""
    return sandbox.ledger.rows("calls", case_id, order_id)


@router.get("/money")
async def read_money(sandbox: Shared, order_id: str | None = None) -> dict[str, str]:
    """Return the sums paid, by kind of remedy."""
    return sandbox.ledger.money(order_id)
