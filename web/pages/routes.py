"""Addresses that belong to no page: the choice of a language, and the page of components."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from web.pages.addresses import local
from web.pages.catalogue import LOCALES
from web.pages.errors import PageRoute
from web.pages.reader import LANGUAGE_COOKIE, reader_of
from web.pages.rendering import page
from web.problems import Failed
from web.service import Served

router = APIRouter(include_in_schema=False, route_class=PageRoute)
A_YEAR = int(timedelta(days=365).total_seconds())


@router.get("/language/{tag}")
async def choose_language(request: Request, tag: str, to: str = "/") -> Response:
    """Remember the language in a cookie, and return to the page."""
    if tag not in LOCALES:
        raise Failed(404, f"there are no pages in {tag[:20]}")
    answer = RedirectResponse(local(to), 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(LANGUAGE_COOKIE, tag, max_age=A_YEAR, samesite="lax", secure=secure, httponly=True)
    return answer


@router.get("/components")
async def components(request: Request, service: Served) -> Response:
    """Show every component, on an installation for demonstration."""
    if not service.web.demonstration:
        raise Failed(404, "there is nothing at /components")
    return page("showcase.html", reader_of(request, service.now()), path="/components", delta=timedelta)
