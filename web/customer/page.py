"""Render the customer's page. It needs no script, and loads nothing but two style sheets of ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import structlog
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from client.connection import Unreachable
from client.customer.access import DeadLink
from client.errors import NoSuchCase
from client.lists import NoDatabase
from settings import CUSTOMER_PAGE
from web.customer.view import CaseView
from web.pages.catalogue import LOCALES, marked
from web.pages.reader import LANGUAGE_COOKIE, Reader, reader_of
from web.pages.rendering import page
from web.problems import Failed

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # The origin alone, so that browsers from before 2023 can state where a form comes from.
    "referrer-policy": "strict-origin",
    "x-robots-tag": "noindex, nofollow",
}
MAX_PHOTOS = 6
"""Photos in one form."""
MAX_TEXT = 1_000
"""Characters of a reason or a comment."""
REFUSED = 409
"""The status if the case refuses a message."""
DEAD = {
    "unknown": marked("This link does not work. Please open it again from our message, or copy it completely."),
    "expired": marked("This link has expired. Our latest message to you has a new one."),
    "revoked": marked("This link was withdrawn. Our next message to you will have a new one."),
}
DONE = {
    "accepted": marked("Thank you. We have your choice and begin at once."),
    "declined": marked("We have your reply. We will look for another solution and write to you."),
    "photos": marked("Thank you. Your photos have arrived."),
    "rated": marked("Thank you for your rating."),
}
PHOTO_FAULTS = {
    "too_large": marked("A photo is too large: 15 MB at most."),
    "too_many_pixels": marked("A photo is too large: 50 megapixels at most."),
    "no_picture": marked("A file is not a photo that we can read. Please send JPEG or PNG."),
}
FAILED = {
    400: (marked("The form could not be read"), marked("Please go back to the page and try again.")),
    403: (marked("The form did not come from our page"), marked("Please open the link from our message again.")),
    405: (marked("There is nothing here"), marked("Please open the link from our message again.")),
    413: (marked("That was too much at once"), marked("Please send fewer or smaller photos at a time.")),
    429: (marked("That was too often"), marked("Please wait a minute and try again.")),
}
"""Title and sentence by status."""
_log = structlog.get_logger("web")


@dataclass(frozen=True)
class Said:
    """A sentence above the forms, in the reader's language."""

    text: str
    kind: Literal["good", "warn", "bad"]


@dataclass(frozen=True)
class Typed:
    """What the customer entered, if the form is shown again."""

    option: str = ""
    reason: str = ""
    score: str = ""
    comment: str = ""


def address_of(token: str) -> str:
    """Return the path of the page of a link."""
    return CUSTOMER_PAGE + token


def reader_for(request: Request, locale: str | None = None) -> Reader:
    """Return the reader: in the language chosen on the page, else in the customer's (`locale`), else the browser's."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen not in LOCALES and locale:
        language = locale.replace("_", "-").split("-")[0].lower()
        chosen = next((each for each in LOCALES if each.split("-")[0].lower() == language), "en")
    return reader_of(request, locale=chosen)


def case_page(  # noqa: PLR0913 (what a page is made of)
    view: CaseView, reader: Reader, token: str, *, status: int = 200, said: Said | None = None,
    typed: Typed | None = None, fault: str = "",
) -> Response:  # fmt: skip
    """Return the page of a case. `fault` names the field that has to be corrected."""
    here = address_of(token)
    shown = page(
        "customer_case.html", reader, status,
        view=view, here=here, said=said, typed=typed or Typed(), fault=fault, max_text=MAX_TEXT, max_photos=MAX_PHOTOS,
    )  # fmt: skip
    shown.headers.update(HEADERS)
    return shown


def message_page(
    reader: Reader, status: int, title: str, lines: Iterable[str], *, here: str | None = None, **headers: str
) -> Response:
    """Return a page with a few sentences. `here` is the address of the case, to look again."""
    texts = [line for line in lines if line]
    shown = page("customer_message.html", reader, status, title=title, lines=texts, here=here)
    shown.headers.update(HEADERS | {name.replace("_", "-"): value for name, value in headers.items()})
    return shown


def dead_link(reader: Reader, error: DeadLink) -> Response:
    """Return the page for a link that opens no case."""
    status = 404 if error.why == "unknown" else 410
    return message_page(
        reader, status, reader.text("This link does not work"), [reader.text(DEAD[error.why]), _contact(reader, None)]
    )


def uncertain(reader: Reader, here: str, case_id: str) -> Response:
    """Return the page for a message of which nobody knows whether it arrived."""
    return message_page(
        reader,
        503,
        reader.text("We do not know yet whether your answer has arrived"),
        [
            reader.text("Please look again in a few minutes, before you send it again."),
            _contact(reader, case_id),
        ],
        here=here,
    )


def error_page(request: Request, error: Exception) -> Response:
    """Return the page for an error."""
    reader, here = reader_for(request), CUSTOMER_PAGE + request.path_params["token"]
    match error:
        case DeadLink():
            return dead_link(reader, error)
        case Unreachable() | NoDatabase():
            _log.warning("customer's page unavailable", why=str(error))
            title = reader.text("We cannot show your case at the moment")
            lines = [
                reader.text("Nothing is lost, and we keep working on it. Please look again in a few minutes."),
                _contact(reader, getattr(request.state, "case_id", None)),
            ]
            return message_page(reader, 503, title, lines, here=here, retry_after="60")
        case Failed() | HTTPException():
            status = error.status if isinstance(error, Failed) else error.status_code
            title, line = FAILED.get(status, FAILED[400])
            shown = message_page(reader, status, reader.text(title), [reader.text(line)], here=here)
            shown.headers.update(error.headers or {})
            return shown
        case NoSuchCase():
            return message_page(reader, 404, reader.text("This case is no longer here"), [_contact(reader, None)])
    _log.error("unexpected error", error=type(error).__name__, why=str(error))
    title = reader.text("Something went wrong on our side")
    return message_page(reader, 500, title, [_contact(reader, getattr(request.state, "case_id", None))], here=here)


def _contact(reader: Reader, case_id: str | None) -> str:
    if case_id is None:
        return reader.text("If you need help, reply to any of our messages.")
    return reader.text("If it is urgent, contact us and mention case {case}.").format(case=case_id)
