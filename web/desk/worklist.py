"""The worklist: what is due next first, with filters, views with counts, and search."""

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict

from client.serving.desk import delete_view, save_view, views, work
from web.desk.access import AtWork, DeskRoute, Worker, check_origin, log
from web.desk.people import May, Person
from web.desk.reading import worst
from web.pages.catalogue import marked
from web.pages.reader import reader_of
from web.pages.rendering import page
from web.problems import Failed

router = APIRouter(prefix="/desk", route_class=DeskRoute, include_in_schema=False, dependencies=[Depends(check_origin)])
AT_ONCE = 50
"""Cases on a page."""
SAID = 120
"""Characters of the complaint that a row shows."""
VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "all": (marked("All open"), {}),
    "mine": (marked("Mine"), {"mine": "1"}),
    "unassigned": (marked("Unassigned"), {"unassigned": "1"}),
    "urgent": (marked("Urgent"), {"urgent": "1"}),
    "overdue": (marked("Broken or overdue"), {"overdue": "1"}),
    "approval": (marked("Needs approval"), {"needs": "approval"}),
    "blocked": (marked("Blocked"), {"needs": "step_blocked"}),
    "unknown": (marked("Unknown money"), {"unknown": "1"}),
}
"""The views that everybody has, with their filters."""
NEEDS = frozenset({"approval", "step_blocked", "consent", "evidence", "finding_incomplete", "satisfaction"})


class Filters(BaseModel):
    """What is shown, as in the address of the page."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line: str = ""
    team: str = ""
    mine: str = ""
    unassigned: str = ""
    urgent: str = ""
    overdue: str = ""
    unknown: str = ""
    needs: str = ""
    closed: str = ""
    q: str = ""

    @property
    def query(self) -> str:
        """The filters as part of an address, without those that are not set."""
        return urlencode({name: value for name, value in self.model_dump().items() if value})

    def wanted(self, person: Person, now: datetime) -> dict[str, Any]:
        """Return the filter for the projection, within what the person may see."""
        found: dict[str, Any] = {"lines": person.lines, "teams": person.teams}
        found |= {"line": self.line} if self.line else {}
        found |= {"team": self.team} if self.team else {}
        found |= {"owner": person.name} if self.mine else {}
        found |= {"unassigned": True} if self.unassigned else {}
        found |= {"urgent": True} if self.urgent else {}
        found |= {"overdue_at": now} if self.overdue else {}
        found |= {"unknown_money": True} if self.unknown else {}
        found |= {"needs": self.needs} if self.needs in NEEDS else {}
        found |= {"state": "closed"} if self.closed else {}
        found |= {"text": self.q[:200]} if self.q.strip() else {}
        return found


class Row(NamedTuple):
    """One case of the list."""

    listed: Any
    kind: str
    """broken, warned, paused or calm."""
    customer: str
    said: str


@router.get("")
async def worklist(
    request: Request, worker: AtWork, filters: Annotated[Filters, Query()], after: str = "", view: str = ""
) -> Response:
    """Show the worklist."""
    await worker.need(May.SEE, "worklist")
    context = await _context(worker, filters, after)
    return page("worklist.html", reader_of(request, worker.service.now()), view=view, **context)


@router.get("/rows")
async def rows(
    request: Request, worker: AtWork, filters: Annotated[Filters, Query()], after: str = "", view: str = ""
) -> Response:
    """Return the list alone, which the page asks for again and again."""
    await worker.need(May.SEE, "worklist")
    context = await _context(worker, filters, after)
    return page("rows.html", reader_of(request, worker.service.now()), view=view, **context)


@router.post("/views")
async def keep_view(
    worker: AtWork, name: Annotated[str, Form(min_length=1, max_length=60)], query: Annotated[str, Form()]
) -> Response:
    """Save the filters under a name."""
    await worker.need(May.SEE, "save view")
    filters = Filters.model_validate(dict(parse_qsl(query)))
    await save_view(worker.service.store, worker.session.person.name, name.strip(), filters.query)
    await log(worker.service, worker.session, "save view")
    return RedirectResponse(f"/desk?{filters.query}", 303)


@router.post("/views/delete")
async def drop_view(worker: AtWork, name: Annotated[str, Form(max_length=60)]) -> Response:
    """Delete a saved view."""
    await worker.need(May.SEE, "delete view")
    await delete_view(worker.service.store, worker.session.person.name, name)
    await log(worker.service, worker.session, "delete view")
    return RedirectResponse("/desk", 303)


async def _context(worker: Worker, filters: Filters, after: str) -> dict[str, Any]:
    service, person, now = worker.service, worker.session.person, worker.service.now()
    saved = await views(service.store, person.name)
    known = [(name, Filters.model_validate(its)) for name, (_, its) in VIEWS.items()]
    own = [(name, Filters.model_validate(dict(parse_qsl(query)))) for name, query in saved]
    counted = [each.wanted(person, now) for _, each in (*known, *own)]
    found = await work(service.store, filters.wanted(person, now), counted, _position(after), AT_ONCE)
    listed = [_row(each, found.snapshots.get(each.case_id), now) for each in found.rows]
    lines = {line: policy for line, policy in service.policies.items() if person.lines is None or line in person.lines}
    teams = {topic.team for policy in lines.values() for topic in policy.topics.values()}
    ours, theirs = found.counts[: len(known)], found.counts[len(known) :]
    return {
        "person": person,
        "filters": filters,
        "rows": listed,
        "next": _after(found.after) if found.after else "",
        "views": [(VIEWS[name][0], each.query, count) for (name, each), count in zip(known, ours, strict=True)],
        "saved": [(name, each.query, count) for (name, each), count in zip(own, theirs, strict=True)],
        "lines": lines,
        "teams": sorted(team for team in teams if person.teams is None or team in person.teams),
        "policies": service.policies,
        "path": f"/desk?{filters.query}",
    }


def _row(listed: Any, snapshot: dict[str, Any] | None, now: datetime) -> Row:
    complaint = (snapshot or {}).get("complaint") or {}
    kind = worst(snapshot, now) if snapshot and listed.closed_at is None else "calm"
    said = " ".join(str(complaint.get("description") or "").split())
    customer = str((complaint.get("customer") or {}).get("name") or "")
    return Row(listed, kind, customer, said[:SAID] + ("…" if len(said) > SAID else ""))


def _after(position: tuple[datetime | None, str]) -> str:
    at, case_id = position
    plain = json.dumps([at.isoformat() if at else None, case_id])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _position(text: str) -> tuple[datetime | None, str] | None:
    """Return where a page begins. Raises `Failed` for anything that we have not written."""
    if not text:
        return None
    try:
        at, case_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = datetime.fromisoformat(at) if at is not None else None
    except (ValueError, TypeError, binascii.Error):
        raise Failed(422, "this is not the address of a page of the list") from None
    if not isinstance(case_id, str) or (found is not None and found.tzinfo is None):
        raise Failed(422, "this is not the address of a page of the list")
    return found, case_id
