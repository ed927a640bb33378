"""Approvals, the log of acts, and the sessions of others."""

import secrets
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from cases.views.handling_view import OfferView
from cases.views.snapshot import Snapshot
from client.serving.desk import acts, end_session, sessions, work
from web.desk.access import AtWork, DeskRoute, check_origin, log
from web.desk.people import May
from web.desk.sessions import SHOWN_DIGITS
from web.pages.reader import reader_of
from web.pages.rendering import page

router = APIRouter(prefix="/desk", route_class=DeskRoute, include_in_schema=False, dependencies=[Depends(check_origin)])
AT_ONCE = 50
LATEST = 200
"""Entries of the log that are shown."""


class Waiting(NamedTuple):
    """An offer that waits for approval."""

    seen: Snapshot
    offer: OfferView
    due_at: datetime | None
    is_mine: bool
    """Whether the person who is logged in made it, and so may not decide on it."""
    may_decide: bool


@router.get("/approvals")
async def approvals(request: Request, worker: AtWork) -> Response:
    """Show the offers that wait for a second person."""
    await worker.need(May.SEE, "approvals")
    service, person = worker.service, worker.session.person
    wanted = {"lines": person.lines, "teams": person.teams, "needs": "approval"}
    found = await work(service.store, wanted, [], None, AT_ONCE)
    waiting = []
    for listed in found.rows:
        seen = Snapshot.model_validate(found.snapshots[listed.case_id])
        for offer in seen.offers:
            if offer.state == "awaiting_approval":
                needed = May.APPROVE if offer.over_limits else May.APPROVE_CLAIMS
                mine = person.is_called(offer.made_by)
                waiting.append(Waiting(seen, offer, listed.next_due_at, mine, person.may(needed) and not mine))
    context: dict[str, Any] = {"waiting": waiting, "policies": service.policies, "once": secrets.token_hex(16)}
    reader = reader_of(request, service.now())
    return page("approvals.html", reader, person=person, path="/desk/approvals", **context)


@router.get("/log")
async def log_page(request: Request, worker: AtWork, case: str = "") -> Response:
    """Show what people did, the latest first."""
    await worker.need(May.AUDIT, "log of acts")
    entries = await acts(worker.service.store, LATEST, case or None)
    reader = reader_of(request, worker.service.now())
    return page("log.html", reader, person=worker.session.person, entries=entries, case=case, path="/desk/log")


@router.get("/sessions")
async def sessions_page(request: Request, worker: AtWork) -> Response:
    """Show who is logged in."""
    await worker.need(May.REVOKE, "sessions")
    service = worker.service
    context: dict[str, Any] = {"sessions": await sessions(service.store, service.now()), "digits": SHOWN_DIGITS}
    reader = reader_of(request, service.now())
    return page("sessions.html", reader, person=worker.session.person, path="/desk/sessions", **context)


@router.post("/sessions/end")
async def end_other(worker: AtWork, digest: Annotated[str, Form(max_length=64)]) -> Response:
    """End a session of another person, or one's own."""
    await worker.need(May.REVOKE, "end session")
    ended = await end_session(worker.service.store, digest, worker.service.now())
    refused = None if ended else "it had ended already"
    await log(worker.service, worker.session, f"end session {digest[:SHOWN_DIGITS]}", refused=refused)
    return RedirectResponse("/desk/sessions", 303)
