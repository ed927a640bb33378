"""Who may do what: the session of a request, the origin of its forms, and the cases that a person may see."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NamedTuple, NoReturn
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from client.serving.desk import log_act
from web.desk import sessions
from web.desk.people import May
from web.desk.sessions import Session
from web.origin import is_own
from web.pages.errors import PageRoute
from web.problems import Failed
from web.service import Served, Service

LOG_IN = "/login"
SAFE = frozenset({"GET", "HEAD"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotLoggedIn(Exception):
    """Nobody is logged in. `to` is the page to return to."""

    def __init__(self, to: str) -> None:
        self.to = to
        super().__init__("nobody is logged in")


class DeskRoute(PageRoute):
    """A route of the desk: forms are accepted only from our own pages, and without a session there is the log-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except NotLoggedIn as error:
                where = f"{LOG_IN}?to={quote(error.to, safe='')}"
                if request.headers.get("hx-request"):
                    return Response(status_code=200, headers={"hx-redirect": where})
                return RedirectResponse(where, 303)

        return answer


def is_loopback(request: Request) -> bool:
    """Return whether the browser is on this machine, and addressed it by a name that no other machine can have."""
    peer = request.client.host if request.client else ""
    return peer in LOOPBACK and (request.url.hostname or "") in LOOPBACK


async def check_origin(request: Request, service: Served) -> None:
    """Refuse a form of another site, whoever is logged in."""
    if request.method not in SAFE and not is_own(request.headers):
        session = await sessions.current(request, service)
        await log(service, session, "form of another site", refused=request.headers.get("origin") or "no origin")
        raise Failed(403, "this form was not sent by a page of this server")


async def _session(request: Request, service: Served) -> Session:
    found = await sessions.current(request, service)
    if found is None:
        to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise NotLoggedIn(to if request.method in SAFE else "/desk")
    return found


LoggedIn = Annotated[Session, Depends(_session)]
"""The type of a route's parameter that receives the session. Without one, the log-in is shown."""


class Worker(NamedTuple):
    """A person at work: their session, and the parts of the server."""

    session: Session
    service: Service

    async def need(self, what: May, act: str, case_id: str | None = None) -> None:
        """Raise `Failed` unless the person may do this. The attempt is logged."""
        if not self.session.person.may(what):
            await self.refuse(act, case_id, f"may not {what}")

    async def refuse(self, act: str, case_id: str | None, why: str) -> NoReturn:
        """Log the attempt and raise `Failed`. `why` follows the person's name in a sentence."""
        await log(self.service, self.session, act, case_id, refused=why)
        raise Failed(403, f"{self.session.person.name} {why}")


async def _worker(session: LoggedIn, service: Served) -> Worker:
    return Worker(session, service)


AtWork = Annotated[Worker, Depends(_worker)]
"""The type of a route's parameter that receives the person at work."""


async def log(
    service: Service, session: Session | None, act: str, case_id: str | None = None, *, refused: str | None = None
) -> None:
    """Add an act to the log, also a refused one."""
    person, label = (session.person.name, session.label) if session else ("", None)
    await log_act(service.store, service.now(), person=person, session=label, act=act, case_id=case_id, refused=refused)
