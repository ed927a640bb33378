"""Opening cases: one complaint, many, or a plan that opens nothing."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from cases.contract import MAX_INPUT_BYTES
from cases.entitlement.plan import plan as planned
from cases.errors import AfterSalesError
from cases.policy.admission import admitted
from cases.policy.policy import Policy
from client.opening import AT_ONCE, How, Opened, Opening
from client.serving.keys import Key
from client.serving.reading import line_of, read_case
from web import problems
from web.api import bodies, versions
from web.api.access import Writer
from web.api.described import IdempotencyKey, OpenedCase, answers
from web.api.examples import BATCH, COMPLAINT, PLAN, PLANNED
from web.api.repeats import once
from web.problems import Failed
from web.service import Served, Service

router = APIRouter(prefix="/v1", tags=["cases"])
STATUS = {How.OPENED: 201, How.PENDING: 202, How.EXISTS: 200, How.REFUSED: 422}
MAX_LINES = 2000
"""Complaints in one batch."""
_OPENED = answers(OpenedCase, 400, 408, 409, 413, 415, 422, status=201)
_ALSO = {200: "There was a case with this id", 202: "Opened, and no worker has accepted the complaint yet"}


@router.post(
    "/cases",
    operation_id="openCase",
    status_code=201,
    responses={**_OPENED, **{code: {"model": OpenedCase, "description": text} for code, text in _ALSO.items()}},
    openapi_extra=COMPLAINT,
)
async def open_case(
    request: Request,
    key: Writer,
    service: Served,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (read by `once`)
) -> Response:
    """Open a case for a complaint.

    The same complaint may be sent again: there is one case for each `case_id`. For a case that exists already,
    `differs` lists the fields in which the complaint differs from that of the case, and nothing is changed. A complaint
    that is refused opens no case, and its `case_id` can be used again.
    """
    body = await bodies.read(request)

    async def carry_out(_: str) -> JSONResponse:
        given = bodies.value_in(body)
        opening = Opening(await service.engine())
        opened, case_id = await _open(service, key, opening, given)
        if opened.how is How.REFUSED:
            raise Failed(422, opened.text, errors=[{"field": "(whole)", "problem": opened.text}])
        content = {"case_id": case_id, **_result(opened), "differs": list(opened.differs)}
        headers = {"location": f"/v1/cases/{case_id}"}
        if opened.how is How.EXISTS and key.reads:
            seen = await read_case(service.engine, service.store, case_id)
            content["case"] = seen.snapshot.as_json()
            headers["etag"] = versions.etag(seen.snapshot)
        return JSONResponse(content, STATUS[opened.how], headers)

    return await once(request, service, key, body, carry_out)


@router.post(
    "/cases:batch",
    operation_id="openCases",
    responses=answers(
        None,
        *(400, 408, 413, 415, 422),
        content={bodies.NDJSON: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/BatchLine"}}}},
    ),
    openapi_extra=BATCH,
)
async def open_cases(request: Request, key: Writer, service: Served) -> Response:
    """Open a case for each line of NDJSON, and return a line for each, in the same order, as soon as it is known.

    A faulty complaint does not stop the others. The batch may be sent again: there is one case for each `case_id`.
    """
    body = await bodies.read(request, bodies.MAX_BATCH, bodies.NDJSON)
    # Not splitlines(): JSON strings may contain line separators that do not end a line of NDJSON.
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
    if not lines:
        raise Failed(422, "the batch is empty", errors=[{"field": "(whole)", "problem": "has no complaint"}])
    if len(lines) > MAX_LINES:
        raise Failed(413, f"the batch has more than {MAX_LINES} complaints: send several")
    opening = Opening(await service.engine())  # answers 503 before anything is sent
    return StreamingResponse(_results(request, service, key, opening, lines), media_type=bodies.NDJSON)


@router.post(
    "/plan",
    operation_id="plan",
    responses=answers(None, 400, 408, 413, 415, 422, content=PLANNED),
    openapi_extra=PLAN,
)
async def plan(request: Request, key: Writer, service: Served) -> Response:
    """Return what would be promised and offered for a complaint. Opens nothing.

    With a `finding`, which may be partial, it also returns what follows from it.
    """
    given = bodies.value_in(await bodies.read(request))
    return JSONResponse(planned(given, _policies(service, key), service.now()))


async def _open(service: Service, key: Key, opening: Opening, given: Any) -> tuple[Opened, str]:
    """Open a case, and return the result and its id. Raises `InvalidInput`, `Failed` if the id is taken."""
    complaint, policy = admitted(given, service.now(), _policies(service, key))
    opened = await (await opening.start(complaint, given, policy))
    if opened.how is How.EXISTS and key.lines:
        line = await line_of(service.engine, service.store, complaint.case_id)
        if not key.covers(line):
            raise Failed(409, f"the case id {complaint.case_id} is taken: use another")
    return opened, complaint.case_id


def _policies(service: Service, key: Key) -> Mapping[str, Policy]:
    """Return the policies of the lines that exist for this key."""
    return {line: policy for line, policy in service.policies.items() if key.covers(line)}


def _result(opened: Opened) -> dict[str, Any]:
    return {"result": opened.how.value, "detail": opened.text}


async def _results(
    request: Request, service: Service, key: Key, opening: Opening, lines: list[tuple[int, bytes]]
) -> AsyncIterator[bytes]:
    """Yield the result of each line, in order, while at most `AT_ONCE` are in progress."""
    running: deque[asyncio.Task[dict[str, Any]]] = deque()
    try:
        for number, line in lines:
            if len(running) >= AT_ONCE:
                yield _line(await running.popleft())
            running.append(asyncio.create_task(_of_line(request, service, key, opening, number, line)))
        while running:
            yield _line(await running.popleft())
    finally:  # the client has gone: what is not open yet is not opened
        for task in running:
            task.cancel()


async def _of_line(  # noqa: PLR0913, PLR0917 (what `_results` has)
    request: Request, service: Service, key: Key, opening: Opening, number: int, line: bytes
) -> dict[str, Any]:
    """Return the result for one line, whatever is wrong with it."""
    given: Any = None
    try:
        if len(line) > bodies.MAX_BODY:
            raise Failed(413, f"the line is larger than {MAX_INPUT_BYTES} bytes")
        given = bodies.value_in(line)
        opened, case_id = await _open(service, key, opening, given)
    except AfterSalesError as error:
        answer = problems.of(request, error)
        refused: dict[str, Any] = json.loads(bytes(answer.body))
        shown: dict[str, Any] = {name: refused[name] for name in ("detail", "errors") if name in refused}
        return {"line": number, **_id_in(given), "status": answer.status_code, "result": How.REFUSED.value, **shown}
    more = {"differs": list(opened.differs)} if opened.differs else {}
    return {"line": number, "case_id": case_id, "status": STATUS[opened.how], **_result(opened), **more}


def _id_in(given: Any) -> dict[str, str]:
    found = given.get("case_id") if isinstance(given, dict) else None
    return {"case_id": found} if isinstance(found, str) else {}


def _line(result: dict[str, Any]) -> bytes:
    return json.dumps(result, ensure_ascii=False).encode() + b"\n"
