"""Errors of pages are pages. A router whose routes are pages uses `PageRoute`."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from cases.errors import AfterSalesError
from web import problems
from web.pages.catalogue import marked
from web.pages.reader import Reader, reader_of
from web.pages.rendering import page

TITLES = {
    403: marked("You may not do this"),
    404: marked("Not found"),
    409: marked("The case refuses this"),
    429: marked("Too many requests"),
    500: marked("An error of this server"),
    503: marked("Not available at the moment"),
}
"""Titles of error pages by status."""
OTHER = marked("This request cannot be answered")


class PageRoute(APIRoute):
    """A route whose errors are answered with a page in the reader's language."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except AfterSalesError as error:
                found = problems.of(request, error)
            except RequestValidationError:
                found = problems.problem(request, 422, "the address or the form is not complete")
            except HTTPException as error:
                found = problems.problem(request, error.status_code, str(error.detail), error.headers)
            return error_page(reader_of(request), found)

        return answer


def error_page(reader: Reader, found: problems.ProblemResponse) -> Response:
    """Return the page for a problem."""
    title = reader.text(TITLES.get(found.status_code, OTHER))
    said = json.loads(bytes(found.body))
    answer = page(
        "error.html",
        reader,
        found.status_code,
        number=found.status_code,
        title=title,
        detail=said["detail"],
        request_id=said.get("request_id"),
        back="/",
    )
    for name in ("retry-after", "allow"):
        if name in found.headers:
            answer.headers[name] = found.headers[name]
    return answer
