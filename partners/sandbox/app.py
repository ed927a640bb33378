"""The published HTTP interface, served from the ledger. Everything is stored before it is answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from cases.errors import InvalidInput
from cases.look_ups import ROWS as LOOK_UPS
from cases.look_ups import Row
from cases.partner_calls import CallbackRequest, Delivery, Key, Receipt, ReceiptState, StepCommand
from cases.policy.remedy_kinds import STEP_PARTNERS
from cases.vocabulary import Partner
from partners.sandbox import describe, switches
from partners.sandbox.ledger import KeyReusedError
from partners.sandbox.reports import reports_of, satisfaction_of
from partners.sandbox.switches import Fault, FaultKind, Sandbox, Shared
from partners.wire import (
    KEY_REUSED,
    NOT_KNOWN,
    PROBLEM_JSON,
    OutgoingMessage,
    ProblemDetails,
)

LONG = 30.0
"""Seconds that a slow partner takes if the fault does not set them."""

if TYPE_CHECKING:
    StepPartnerName = str
else:
    StepPartnerName = Literal[tuple(partner.value for partner in STEP_PARTNERS)]
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", description="The same as `key` in the body")]

router = APIRouter()


class ProblemError(Exception):
    """Ends a call with problem details."""

    def __init__(
        self, status: int, detail: str, type_: str = "about:blank", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.problem = ProblemDetails(type=type_, title=HTTPStatus(status).phrase, status=status, detail=detail)
        self.headers = headers


def create_app(sandbox: Sandbox) -> FastAPI:
    """Return the sandbox's web application. It sends reports as long as it runs."""

    @contextlib.asynccontextmanager
    async def reporting(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(sandbox.courier.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    app = FastAPI(lifespan=reporting, **describe.ABOUT)
    app.state.sandbox = sandbox
    app.include_router(router)
    app.include_router(switches.router)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _problem)
    app.add_exception_handler(RequestValidationError, _problem)
    app.add_exception_handler(InvalidInput, _problem)
    return app


async def _problem(_: Request, error: Exception) -> Response:
    match error:
        case ProblemError():
            found = error
        case HTTPException():
            found = ProblemError(error.status_code, str(error.detail))
        case RequestValidationError():
            where = [(".".join(map(str, item["loc"][1:])) or "body", item["msg"]) for item in error.errors()]
            found = ProblemError(422, "; ".join(f"{field}: {what}" for field, what in where))
        case _:
            found = ProblemError(422, str(error))
    content = found.problem.model_dump()
    return JSONResponse(content, content["status"], headers=found.headers, media_type=PROBLEM_JSON)


@router.post("/{partner}/steps", **describe.CARRY_OUT)
async def carry_out(
    partner: StepPartnerName,
    idempotency_key: IdempotencyKey,
    command: Annotated[StepCommand, Body(openapi_examples=describe.COMMANDS)],
    sandbox: Shared,
) -> Response:
    """Carry out a step, once per key."""
    _same_key(idempotency_key, command.key)

    def work() -> Response:
        now = datetime.now(UTC)
        try:
            receipt = sandbox.ledger.replay(partner, command, now)
        except KeyReusedError:
            raise ProblemError(409, f"key {command.key} was used before with different content", KEY_REUSED) from None
        if receipt is not None:
            return _step_answer(receipt, replayed=True)
        fixture = sandbox.fixtures.of(command.order_id, now)
        if why := fixture.refusal(Partner(partner), command):
            raise ProblemError(422, why)
        receipt = sandbox.ledger.carry_out(partner, command, reports_of(Partner(partner), command, fixture, now), now)
        sandbox.courier.wake()
        return _step_answer(receipt, replayed=False)

    call = {"key": command.key, "kind": command.kind, "case_id": command.case_id, "order_id": command.order_id}
    return await _with_faults(sandbox, partner, "POST steps", work, **call)


@router.get("/{partner}/steps", **describe.FIND)
async def find(
    partner: StepPartnerName, key: Annotated[Key, Query(examples=["HL-1/1/1/refund"])], sandbox: Shared
) -> Response:
    """Look a step up by its key, however old."""

    def work() -> Response:
        return _known(sandbox.ledger.find(partner, key, datetime.now(UTC)), f"no step has the key {key}")

    return await _with_faults(sandbox, partner, "GET steps", work, key=key)


def _serve(name: str, row: Row) -> None:
    """Serve a look-up at the address in its row, from the order's fixture."""

    async def of_order(order_id: str, sandbox: Shared, case_id: str | None = None) -> Response:
        def work() -> Response:
            known = getattr(sandbox.fixtures.of(order_id, datetime.now(UTC)), name)
            return _known(known, f"no {name} of order {order_id} is known")

        call = f"GET {row.path.rpartition('/')[2]}"
        return await _with_faults(sandbox, row.partner, call, work, case_id=case_id, order_id=order_id)

    async def of_parcel(
        order_id: str, sandbox: Shared, tracking_no: str | None = None, case_id: str | None = None
    ) -> Response:
        del tracking_no  # an order's fixture has one parcel
        return await of_order(order_id, sandbox, case_id)

    served = of_parcel if row.by_parcel else of_order
    router.get(f"/{row.path}", response_model=row.answer, **describe.LOOK_UPS[name])(served)


for _name, _row in LOOK_UPS.items():
    _serve(_name, _row)


@router.post("/messages", **describe.MESSAGE)
async def message(
    idempotency_key: IdempotencyKey,
    content: Annotated[OutgoingMessage, Body(openapi_examples=describe.MESSAGES)],
    sandbox: Shared,
) -> Response:
    """Deliver a message, once per key. The text may differ, because it may have been rendered again."""
    _same_key(idempotency_key, content.key)

    def work() -> Response:
        answer = Delivery(reference=f"MSG-{content.key}", channel=content.channel or "staff", at=datetime.now(UTC))
        return _json(sandbox.ledger.deliver("messages", content, answer))

    return await _with_faults(sandbox, "messaging", "POST messages", work, key=content.key, case_id=content.case_id)


@router.post("/callbacks", **describe.CALLBACK)
async def callback(idempotency_key: IdempotencyKey, content: CallbackRequest, sandbox: Shared) -> Response:
    """Ask the customer, once per key. The customer answers if the order's fixture says so."""
    _same_key(idempotency_key, content.key)

    def work() -> Response:
        now = datetime.now(UTC)
        answer = Delivery(reference=f"CB-{content.key}", channel="phone", at=now)
        order_id = sandbox.ledger.order_of(content.case_id) or content.case_id
        reply = satisfaction_of(content, sandbox.fixtures.of(order_id, now), now)
        delivery = sandbox.ledger.deliver("callbacks", content, answer, reply)
        sandbox.courier.wake()
        return _json(delivery)

    return await _with_faults(sandbox, "callbacks", "POST callbacks", work, key=content.key, case_id=content.case_id)


@router.get("/health", include_in_schema=False)
async def health() -> dict[str, str]:
    """Answer even if faults are active."""
    return {"status": "ok"}


async def _with_faults(
    sandbox: Sandbox, partner: str, call: str, work: Callable[[], Response], **about: str | None
) -> Response:
    """Record the call, run `work` with the fault that applies, if any, and answer."""
    fault = sandbox.faults.next(partner, call.split(maxsplit=1)[0], about.get("kind"))
    sandbox.ledger.note_call(
        datetime.now(UTC), partner=partner, call=call, fault=fault.kind if fault else None, **about
    )
    if fault is None:
        return work()
    _fail_before(partner, fault)
    if fault.kind is FaultKind.SLOW:
        await asyncio.sleep(LONG if fault.seconds is None else fault.seconds)
    answer = work()
    return await _fail_after(partner, fault, answer)


async def _fail_after(partner: str, fault: Fault, answer: Response) -> Response:
    """Apply a fault after the work is done: answer late, not at all, or the opposite."""
    match fault.kind:
        case FaultKind.COMMIT_THEN_TIMEOUT:
            await asyncio.sleep(LONG if fault.seconds is None else fault.seconds)
        case FaultKind.COMMIT_THEN_STATUS:
            await asyncio.sleep(fault.seconds or 0)
            raise ProblemError(fault.status, f"{partner} answers HTTP {fault.status} although it was done")
        case FaultKind.COMMIT_THEN_FAILED:
            await asyncio.sleep(fault.seconds or 0)
            return _json(
                Receipt.model_validate_json(bytes(answer.body)).model_copy(update={"state": ReceiptState.FAILED})
            )
        case FaultKind.NONSENSE:
            return Response("<html>It works!</html>", media_type="text/html")
    return answer


def _fail_before(partner: str, fault: Fault) -> None:
    wait = None if fault.seconds is None else {"Retry-After": f"{fault.seconds:.0f}"}
    match fault.kind:
        case FaultKind.ERROR:
            raise ProblemError(fault.status, f"{partner} failed, because a fault is active")
        case FaultKind.RATE_LIMIT:
            raise ProblemError(429, f"{partner} has received too many requests", headers=wait)
        case FaultKind.DOWN:
            raise ProblemError(503, f"{partner} is down", headers=wait)
        case FaultKind.REFUSE:
            raise ProblemError(422, f"{partner} refuses, because a fault is active")


def _same_key(header: str, body: str) -> None:
    if header != body:
        raise ProblemError(422, "Idempotency-Key: differs from the key in the body")


def _known(answer: BaseModel | None, otherwise: str) -> Response:
    if answer is None:
        raise ProblemError(404, otherwise, NOT_KNOWN)
    return _json(answer)


def _step_answer(receipt: Receipt, *, replayed: bool) -> Response:
    status = 200 if receipt.state is ReceiptState.DONE else 202
    headers = {"Idempotent-Replayed": "true"} if replayed else None
    return _json(receipt, status, headers)


def _json(answer: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content: Any = answer.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers=headers)
