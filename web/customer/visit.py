"""One request with a link that works: the case, and the answers that its page gives."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Self

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from cases.errors import Refusal
from cases.views.snapshot import Snapshot
from client.connection import Unreachable
from client.customer import access
from web.customer import page
from web.customer.page import Said, Typed
from web.customer.view import offer_of, view_of
from web.pages.catalogue import marked
from web.problems import Failed
from web.service import Service

BY = "customer"
"""Who sends the messages, on the timeline of the case."""
ANSWER_WITHIN = timedelta(seconds=8)
"""How long a page waits for the case: a person looks at an empty screen meanwhile."""
CHANGED = marked("Our offer has changed in the meantime. Please look at the new one.")
OVER = marked("This offer can no longer be answered here. The page shows where your case stands now.")
REFUSED = marked("This is no longer possible. The page shows where your case stands now.")
_log = structlog.get_logger("web")


class Visit:
    """A customer's request."""

    def __init__(self, request: Request, service: Service, token: str, seen: Snapshot) -> None:
        self.service, self.seen = service, seen
        self.reader = page.reader_for(request, seen.complaint.customer.locale if seen.complaint else None)
        self._token, self._here = token, page.address_of(token)

    @classmethod
    async def begin(cls, request: Request, service: Service, token: str) -> Self:
        """Look the link and its case up. Raises `DeadLink`, `Failed` with 429, `Unreachable`, `NoDatabase`."""
        now = service.now()
        try:
            case_id = await access.case_of(service.store, token, now)
        except access.DeadLink:
            # By address: a flood of invented links does not delay a real one.
            _check(service.refusals.take(request.client.host if request.client else "", now))
            raise
        _check(service.visits.take(token, now))
        request.state.case_id = case_id
        return cls(request, service, token, await _snapshot(service, case_id))

    def shown(
        self, status: int = 200, said: Said | None = None, typed: Typed | None = None, fault: str = ""
    ) -> Response:
        """Return the page of the case. `fault` names the field that has to be corrected."""
        view = view_of(self.seen, self.service.policies.get(self.seen.line or ""), self.reader)
        return page.case_page(view, self.reader, self._token, status=status, said=said, typed=typed, fault=fault)

    def again(self, english: str, typed: Typed | None = None, fault: str = "", status: int = 422) -> Response:
        """Return the page with what has to be corrected, and what was entered."""
        return self.shown(status, Said(self.reader.text(english), "bad"), typed, fault)

    def done(self, what: str) -> Response:
        """Return to the page, which says so. Loading it again sends nothing again."""
        return RedirectResponse(f"{self._here}?done={what}&lang={self.reader.locale}", 303, headers=page.HEADERS)

    def not_current(self, offer_id: str) -> Response | None:
        """Return the page if the offer that was on the screen cannot be answered now; None if it can."""
        current = offer_of(self.seen)
        if current is not None and current.id == offer_id:
            return None
        changed = self.reader.text(CHANGED if current else OVER)
        return self.shown(page.REFUSED, Said(changed, "warn"))

    def locked(self, until: datetime) -> Response:
        """Return the page after too many wrong digits."""
        sorry = self.reader.text("There were too many wrong tries. Please try again after {time}, or reply to us.")
        return self.shown(429, Said(sorry.format(time=self.reader.whole_time(until)[:16]), "bad"))

    async def send(self, name: str, payload: dict[str, Any], done: str, typed: Typed | None = None) -> Response:
        """Send a message. If the case refuses it, return the page of the case as it is now, with `page.REFUSED`."""
        try:
            engine = await self.service.engine()
            await engine.send(self.seen.case_id, name, {**payload, "by": BY})
        except Refusal as refusal:
            _log.info("customer refused", case_id=self.seen.case_id, message=name, why=str(refusal))
            self.seen = await _snapshot(self.service, self.seen.case_id)
            if "offer" in payload and (other := self.not_current(payload["offer"])):
                return other
            return self.shown(page.REFUSED, Said(self.reader.text(REFUSED), "warn"), typed)
        except Unreachable as error:
            _log.warning("customer's message unanswered", case_id=self.seen.case_id, message=name, why=str(error))
            return page.uncertain(self.reader, self._here, self.seen.case_id)
        return self.done(done)


async def _snapshot(service: Service, case_id: str) -> Snapshot:
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            return await access.snapshot_of(await service.engine(), service.store, case_id)
    except TimeoutError:
        raise Unreachable(f"{case_id} did not answer within {ANSWER_WITHIN.seconds} s") from None


def _check(wait: int | None) -> None:
    """Raise `Failed` if the sender has to wait that many seconds."""
    if wait is not None:
        raise Failed(429, "too many requests", {"retry-after": str(wait)})
