"""Log in and out. On an installation for demonstration, people log in by name, on this machine only."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from web.desk import sessions
from web.desk.access import LOG_IN, DeskRoute, LoggedIn, check_origin, is_loopback, log
from web.desk.people import DEMONSTRATION
from web.pages.addresses import local
from web.pages.reader import reader_of
from web.pages.rendering import page
from web.problems import Failed
from web.service import Served

HOME = "/desk"
router = APIRouter(route_class=DeskRoute, include_in_schema=False, dependencies=[Depends(check_origin)])


@router.get("/")
async def start() -> Response:
    """Go to the desk."""
    return RedirectResponse(HOME, 303)


@router.get(LOG_IN)
async def log_in_page(request: Request, service: Served, to: str = HOME) -> Response:
    """Show who can log in."""
    offered = list(DEMONSTRATION.values()) if service.web.demonstration and is_loopback(request) else []
    reader = reader_of(request, service.now())
    return page("login.html", reader, people=offered, to=local(to, HOME), path=LOG_IN)


@router.post(LOG_IN)
async def log_in(
    request: Request, service: Served, person: Annotated[str, Form()], to: Annotated[str, Form()] = HOME
) -> Response:
    """Begin a session of a person of the demonstration."""
    address = request.client.host if request.client else "unknown"
    if wait := service.log_ins.take(address, service.now()):
        await log(service, None, "log-in", refused="too many attempts")
        raise Failed(429, f"too many log-ins: wait {wait} s", {"retry-after": str(wait)})
    found = DEMONSTRATION.get(person) if service.web.demonstration and is_loopback(request) else None
    if found is None:
        await log(service, None, "log-in", refused="unknown person")
        raise Failed(403, "nobody of this name can log in here")
    answer = RedirectResponse(local(to, HOME), 303)
    old = await sessions.current(request, service)
    if old is not None:
        await sessions.end(request, answer, service, old)
    session = await sessions.begin(request, answer, service, found)
    await log(service, session, "log-in")
    return answer


@router.post("/logout")
async def log_out(request: Request, service: Served, session: LoggedIn) -> Response:
    """End the session."""
    answer = RedirectResponse(LOG_IN, 303)
    await sessions.end(request, answer, service, session)
    await log(service, session, "log-out")
    return answer
