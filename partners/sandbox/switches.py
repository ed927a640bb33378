"""Everything that can go wrong at a partner can be switched on, and everything that happened can be read back.

These routes exist in the sandbox only; they are no part of the published interface.
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
    """How a call goes wrong; those marked POST leave look-ups alone."""

    ERROR = "error"
    """Answers `status` (500) and does nothing."""
    SLOW = "slow"
    """Waits `seconds`, then does it and answers."""
    COMMIT_THEN_TIMEOUT = "commit_then_timeout"
    """POST: does it, then waits `seconds` before it answers."""
    COMMIT_THEN_STATUS = "commit_then_status"
    """POST: does it, waits `seconds` (0), then answers `status`, as if it had not been done."""
    COMMIT_THEN_FAILED = "commit_then_failed"
    """POST of a step: does it, waits `seconds` (0), then answers 200 with a receipt that says `failed`."""
    RATE_LIMIT = "rate_limit"
    """Answers 429, with `seconds` as Retry-After, and does nothing."""
    NONSENSE = "nonsense"
    """Does it, then answers 200 with something else."""
    REFUSE = "refuse"
    """POST: answers 422 and does nothing."""
    DOWN = "down"
    """Answers 503, with `seconds` as Retry-After, and does nothing."""


_POST_ONLY = frozenset(
    {
        FaultKind.COMMIT_THEN_TIMEOUT,
        FaultKind.COMMIT_THEN_STATUS,
        FaultKind.COMMIT_THEN_FAILED,
        FaultKind.REFUSE,
    }
)


class Fault(BaseModel):
    """A switch: whom it concerns, what happens, how often (`count` times, or until cleared) and how likely."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partner: PartnerName = "*"
    kind: FaultKind
    step_kind: RemedyKind | None = None
    """Only commands for this kind of remedy."""
    count: Annotated[int, Field(gt=0)] | None = None
    seconds: Annotated[float, Field(ge=0, le=3_600)] | None = None
    status: Annotated[int, Field(ge=400, le=599)] = 500
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int | None = None

    def concerns(self, partner: str, method: str, kind: str | None) -> bool:
        """Whether this call is one of those it is for."""
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
    """The switches that are on, oldest first; the first that fires decides."""

    _armed: list[_Armed] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Switch it on."""
        self._armed.append(_Armed(fault, random.Random(fault.seed)))  # noqa: S311 (repeatable is what it has to be)

    def clear(self) -> None:
        """Switch all off."""
        self._armed.clear()

    def next(self, partner: str, method: str, kind: str | None) -> Fault | None:
        """What goes wrong with this call, if anything does."""
        for armed in self._armed:
            if armed.fault.concerns(partner, method, kind) and armed.fires():
                return armed.fault
        return None


@dataclass(frozen=True)
class Sandbox:
    """What the routes share."""

    ledger: Ledger
    fixtures: Fixtures
    faults: Faults
    courier: Courier


def shared(request: Request) -> Sandbox:
    """The sandbox behind this request."""
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


Shared = Annotated[Sandbox, Depends(shared)]
router = APIRouter(prefix="/_sandbox", include_in_schema=False)


@router.post("/faults")
async def add_fault(fault: Fault, sandbox: Shared) -> Fault:
    """Switch a fault on."""
    sandbox.faults.add(fault)
    return fault


@router.delete("/faults")
async def clear_faults(sandbox: Shared) -> Response:
    """Switch all faults off."""
    sandbox.faults.clear()
    return Response(status_code=204)


@router.delete("/keys")
async def expire_keys(sandbox: Shared) -> Response:
    """Let every idempotency key expire now: the next call with one is carried out again."""
    sandbox.ledger.expire_keys(datetime.now(UTC))
    return Response(status_code=204)


@router.post("/orders/{order_id}")
async def change_order(order_id: str, change: dict[str, Any], sandbox: Shared) -> OrderFixture:
    """Change fields of an order's fixture, as its file would say them; kept over a restart."""
    now = datetime.now(UTC)
    fixture = sandbox.fixtures.checked(order_id, change, now)
    sandbox.ledger.save_change(order_id, change)
    return fixture


@router.get("/ledger")
async def read_ledger(sandbox: Shared, case_id: str | None = None, order_id: str | None = None) -> dict[str, Any]:
    """Everything that happened, by table."""
    return {table: sandbox.ledger.rows(table, case_id, order_id) for table in TABLES}


@router.get("/calls")
async def read_calls(sandbox: Shared, case_id: str | None = None, order_id: str | None = None) -> list[dict[str, Any]]:
    """Every call that arrived, repeated ones too."""
    return sandbox.ledger.rows("calls", case_id, order_id)


@router.get("/money")
async def read_money(sandbox: Shared, order_id: str | None = None) -> dict[str, str]:
    """What was paid, by kind of remedy."""
    return sandbox.ledger.money(order_id)
