"""Requests with an `Idempotency-Key`: carried out once, however often they are sent.

The key is stored with a hash of the request, then the answer, for 24 hours. Only the answer to a request that was
carried out is kept: one that was refused did nothing, so it may be corrected and sent again with the same key.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cases.errors import AfterSalesError
from client.serving.keys import Key
from web import problems
from web.problems import Failed
from web.service import Service

KEPT_HEADERS = ("location", "etag")
IN_PROGRESS, OTHER_REQUEST = "in progress", "other request"
ERROR = 500


async def once(
    request: Request,
    service: Service,
    key: Key,
    body: bytes,
    carry_out: Callable[[str], Awaitable[JSONResponse]],
) -> Response:
    """Return the answer of `carry_out`, or the one that the same request had before.

    `carry_out` gets an id for what it does: the same one if the same request is repeated, so that nothing is applied
    twice even if an answer was lost. Raises `Failed`: 409 while the request is in progress, 422 if its key was used for
    another one.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return await carry_out(str(request.scope["request_id"]))
    content = b"\0".join([request.method.encode(), request.scope["path"].encode(), body])
    fingerprint = hashlib.sha256(content).hexdigest()
    begun = await service.store.run(
        lambda records: records.begin_request(key.client, given, fingerprint, service.now())
    )
    if isinstance(begun, str):
        return _as_before(begun)
    if begun.value == OTHER_REQUEST:
        raise Failed(422, "this Idempotency-Key was used for another request: use a new one")
    if begun.value == IN_PROGRESS:
        raise Failed(409, "a request with this Idempotency-Key is in progress: wait for it", {"retry-after": "1"})
    its_id = hashlib.sha256(f"{key.client}\0{given}\0{fingerprint}".encode()).hexdigest()[:32]
    try:
        answer = await carry_out(its_id)
    except AfterSalesError as error:
        refused = problems.of(request, error).status_code < ERROR
        settle = "forget_request" if refused else "interrupt_request"
        await service.store.run(lambda records: getattr(records, settle)(key.client, given))
        raise
    except BaseException:
        await service.store.run(lambda records: records.interrupt_request(key.client, given))
        raise
    kept = {
        "status": answer.status_code,
        "headers": {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers},
        "body": json.loads(bytes(answer.body)),
    }
    await service.store.run(lambda records: records.keep_answer_to(key.client, given, json.dumps(kept)))
    return answer


def _as_before(kept: str) -> JSONResponse:
    """Return the answer that was kept."""
    before = json.loads(kept)
    headers = {**before["headers"], "idempotent-replayed": "true"}
    return JSONResponse(before["body"], before["status"], headers)
