"""Reading cases: lists from our database, one case from its workflow."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from client.errors import NoSuchCase
from client.serving.keys import Key
from client.serving.reading import Seen, line_of, page_of_cases, read_case
from web.api import versions
from web.api.access import Reader
from web.api.described import UNCHANGED, CaseId, CaseList, Events, OneCase, answers
from web.api.lists import Happened, Listing, cursor, position
from web.problems import Failed
from web.service import Served, Service

router = APIRouter(prefix="/v1", tags=["cases"])


@router.get("/cases", operation_id="listCases", responses=answers(CaseList, 422))
async def list_cases(wanted: Listing, key: Reader, service: Served) -> Response:
    """Return a page of cases: open ones by their next deadline, others latest first.

    Lists come from our database. A row may be some seconds older than its case.
    """
    found = await page_of_cases(
        service.store,
        after=position(wanted),
        limit=wanted.limit,
        owner=wanted.owner,
        count=wanted.total,
        lines=key.lines,
        **wanted.filters(service.now()),
    )
    rows = [row.model_dump(mode="json") for row in found.rows]
    content = {"cases": rows, "next": cursor(wanted, found.after)}
    return JSONResponse(content if found.total is None else {**content, "total": found.total})


@router.get("/cases/{case_id}", operation_id="readCase", responses={**answers(OneCase, 404, 422), **UNCHANGED})
async def read_one(case_id: CaseId, request: Request, key: Reader, service: Served) -> Response:
    """Return one case. `as_of` is null if it is the case as it is now.

    If no worker answers, the case comes from our database, and `as_of` is when that was written. The `ETag` is the
    version of the case: send it as `If-Match` with a message that relies on it.
    """
    seen = await visible_case(service, key, case_id)
    tag = versions.etag(seen.snapshot)
    if versions.is_known(request, tag):
        return Response(status_code=304, headers={"etag": tag})
    return JSONResponse({"case": seen.snapshot.as_json(), **_age(seen)}, headers={"etag": tag})


@router.get("/cases/{case_id}/events", operation_id="listEvents", responses=answers(Events, 404, 422))
async def events(case_id: CaseId, key: Reader, service: Served, wanted: Happened) -> Response:
    """Return the events of a case, in order. They are the ones that webhooks receive, and hold no personal data."""
    line = await line_of(service.engine, service.store, case_id)
    if line is None or not key.covers(line):
        raise no_case(case_id)
    found = await service.store.run(lambda records: records.events_of(case_id))
    page = [event for event in found if event.number > wanted.after]
    rest = page[wanted.limit :]
    content = [
        {
            "id": event.id,
            "type": event.type,
            "timestamp": event.occurred_at.isoformat().replace("+00:00", "Z"),
            "data": {"case_id": case_id, "line": event.line, "number": event.number, **event.data},
        }
        for event in page[: wanted.limit]
    ]
    return JSONResponse({"events": content, "more": bool(rest)})


async def visible_case(service: Service, key: Key, case_id: str) -> Seen:
    """Return a case that exists for this key. Raises `Failed` (404) otherwise."""
    try:
        seen = await read_case(service.engine, service.store, case_id)
    except NoSuchCase:
        raise no_case(case_id) from None
    # The line is not in the snapshot while the complaint is being admitted.
    line = seen.snapshot.line or (key.lines and await line_of(service.engine, service.store, case_id))
    if not key.covers(line or None):
        raise no_case(case_id)
    return seen


async def check_visible(service: Service, key: Key, case_id: str) -> None:
    """Raise `Failed` (404) if the case does not exist for a key that is bound to lines."""
    if key.lines and not key.covers(await line_of(service.engine, service.store, case_id)):
        raise no_case(case_id)


def no_case(case_id: str) -> Failed:
    """Return the error for a case that does not exist, or not for this key: it is the same."""
    return Failed(404, f"there is no case {case_id}")


def _age(seen: Seen) -> dict[str, Any]:
    return {"as_of": seen.as_of.isoformat() if seen.as_of else None}
