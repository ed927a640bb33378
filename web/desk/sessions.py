"""Sessions: who is logged in. The id is in a cookie. Our database has only its hash: a copy of it opens no session."""

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from fastapi import Request, Response

from client.serving.desk import begin_session, end_session, find_session
from web.desk.people import Person
from web.service import Service

LASTS, IDLE = timedelta(hours=12), timedelta(hours=2)
"""A session ends after a working day, or when it was not used for two hours."""
SEEN_EVERY = timedelta(minutes=1)
"""How often the time of the last use is stored, at most."""
SHOWN_DIGITS = 12
"""Digits of a session's hash by which people and the log name it."""


class Session(NamedTuple):
    """A person who is logged in."""

    person: Person
    digest: str

    @property
    def label(self) -> str:
        """The short form of the session's hash."""
        return self.digest[:SHOWN_DIGITS]


def cookie_name(request: Request) -> str:
    """Return the name of the cookie. Over HTTPS browsers bind it to exactly this host (`__Host-`)."""
    return "__Host-desk" if request.url.scheme == "https" else "desk"


async def begin(request: Request, response: Response, service: Service, person: Person) -> Session:
    """Log a person in: with a new id, whatever the browser sent."""
    now, session_id = service.now(), secrets.token_urlsafe(32)
    digest = _digest(session_id)
    identity = person.model_dump_json()
    await begin_session(service.store, digest, person=person.name, identity=identity, now=now, expires_at=now + LASTS)
    secure = request.url.scheme == "https"
    response.set_cookie(cookie_name(request), session_id, httponly=True, secure=secure, samesite="lax", path="/")
    return Session(person, digest)


async def current(request: Request, service: Service) -> Session | None:
    """Return the session of a request; None if nobody is logged in (any more)."""
    session_id = request.cookies.get(cookie_name(request))
    if not session_id:
        return None
    now, digest = service.now(), _digest(session_id)
    found = await find_session(service.store, digest, now, idle_since=now - IDLE, seen_every=SEEN_EVERY)
    return Session(Person.model_validate_json(found.identity), digest) if found else None


async def end(request: Request, response: Response, service: Service, session: Session) -> None:
    """Log the person out. The session can never be used again."""
    await end_session(service.store, session.digest, service.now())
    response.delete_cookie(cookie_name(request), secure=request.url.scheme == "https", httponly=True, samesite="lax")


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()
