"""Sending messages to cases: facts and commands, each at an address of its own. The case itself answers.

The sender (`by`) is the client of the key. A case that refuses a message says why. A closed case says which case goes
on, and evidence for it reopens it.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from cases.errors import InvalidInput, Problem, Refusal, printable, problems_of
from cases.inbox.messages import MESSAGES
from cases.input.decoding import check_size
from cases.text import NEW_INPUT
from client.errors import CaseOver, NoSuchCase
from client.reopening import GoesOn, late
from web.api import bodies, versions
from web.api.access import Caller, lacking
from web.api.described import Answer, CaseId, IdempotencyKey, IfMatch, answers
from web.api.examples import MESSAGE
from web.api.reading import check_visible, no_case, visible_case
from web.api.repeats import once
from web.problems import Failed
from web.service import Served, Service

router = APIRouter(prefix="/v1", tags=["messages"])


def _add(name: str) -> None:
    """Add the route of a message."""

    @router.post(
        f"/cases/{{case_id}}/messages/{name}",
        operation_id=name,
        summary=name,
        description=" ".join((MESSAGES[name].__doc__ or "").split()),
        responses=answers(Answer, 400, 404, 408, 409, 412, 413, 415, 422),
        openapi_extra=MESSAGE[name],
    )
    async def send(  # noqa: PLR0913, PLR0917 (a route has a parameter for each thing that it receives)
        case_id: CaseId,
        request: Request,
        key: Caller,
        service: Served,
        idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (read by `once`)
        if_match: IfMatch = None,
    ) -> Response:
        if not key.sends(name):
            raise lacking(f"messages:{name}")
        body = await bodies.read(request)

        async def carry_out(update_id: str) -> JSONResponse:
            payload = _checked(name, bodies.object_in(body), key.client)
            await check_visible(service, key, case_id)
            if if_match is not None:
                versions.check(request, (await visible_case(service, key, case_id)).snapshot)
            return JSONResponse(await _delivered(service, case_id, name, payload, update_id))

        return await once(request, service, key, body, carry_out)


for _name in MESSAGES:
    _add(_name)


@router.post("/cases/{case_id}/messages/{name}", include_in_schema=False)
async def send_unknown(case_id: str, name: str, _: Caller) -> None:  # noqa: ARG001 (part of the path)
    """Refuse a message that does not exist."""
    raise Failed(404, f"there is no message {printable(name)}; there are {', '.join(MESSAGES)}")


async def _delivered(service: Service, case_id: str, name: str, payload: dict[str, Any], update_id: str) -> Any:
    """Return the answer of the case, or of the case that goes on with it. Raises `Failed` if it refuses."""
    engine = await service.engine()
    try:
        try:
            answer = await engine.send(case_id, name, payload, update_id)
        except (CaseOver, NoSuchCase):  # Temporal deletes closed cases after a while, our database keeps them
            answer = await late(engine, case_id, name, payload, service.now())
    except GoesOn as refusal:
        raise Failed(409, str(refusal), case=refusal.case) from None
    except NoSuchCase:
        raise no_case(case_id) from None
    except Refusal as refusal:
        raise Failed(409, str(refusal), case=case_id) from None
    return {"case": case_id, **answer}


def _checked(name: str, given: dict[str, Any], by: str) -> dict[str, Any]:
    """Return the payload of a message. Raises `InvalidInput` with every faulty field."""
    problems = []
    if "by" in given:
        problems.append(Problem(field="by", problem="is not accepted here: it is the client of the key"))
    try:
        message = MESSAGES[name].model_validate({**given, "by": by}, context=NEW_INPUT)
    except ValidationError as error:
        problems += problems_of(error)
    if problems:
        raise InvalidInput(problems)
    payload: dict[str, Any] = message.model_dump(mode="json", exclude_unset=True)
    check_size(payload)
    return payload
