"""Errors as problem details (RFC 9457): one clear sentence, every faulty field, and never a traceback."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from cases.errors import AfterSalesError, InvalidInput, Refusal, printable
from client.connection import Unreachable
from client.errors import NoSuchCase, NoSuchWebhook
from client.lists import NoDatabase

MEDIA_TYPE = "application/problem+json"
NOT_ALLOWED = 405
RETRY_AFTER = 5
"""Seconds after which a request to a server or database that did not answer may be repeated."""
_log = structlog.get_logger("web")


class ProblemResponse(JSONResponse):
    """A response with problem details."""

    media_type = MEDIA_TYPE


class Failed(AfterSalesError):
    """A request that is answered with problem details. `more` are further members of the answer."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        self.status, self.headers, self.more = status, dict(headers or {}), more
        super().__init__(detail)


def problem(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> ProblemResponse:
    """Return problem details. `detail` is a sentence for people; `more` are members for programs."""
    content = {
        "type": more.pop("type", "about:blank"),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": request.scope.get("request_id"),
        **more,
    }
    return ProblemResponse(content, status, headers)


def add_handlers(app: FastAPI) -> None:
    """Answer every error with problem details."""
    app.add_exception_handler(AfterSalesError, _ours)
    app.add_exception_handler(RequestValidationError, _faulty_request)
    app.add_exception_handler(HTTPException, _of_framework)


def of(request: Request, error: AfterSalesError) -> ProblemResponse:
    """Return the problem details for one of our errors."""
    match error:
        case Failed():
            return problem(request, error.status, str(error), error.headers, **error.more)
        case InvalidInput():
            faults = [{"field": fault.field, "problem": fault.problem} for fault in error.problems]
            return problem(request, 422, str(error), errors=faults)
        case NoSuchCase() | NoSuchWebhook():
            return problem(request, 404, str(error))
        case Refusal():
            return problem(request, 409, str(error))
        case Unreachable() | NoDatabase():
            return problem(request, 503, str(error), {"retry-after": str(RETRY_AFTER)})
    _log.error("unexpected error", error=type(error).__name__, why=str(error))
    return internal(request)


def internal(request: Request) -> ProblemResponse:
    """Return the problem details of an error in our code. Its cause is in the log, under the request id."""
    return problem(request, 500, "an error of this server; its log has the cause under the request id")


async def _ours(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, AfterSalesError)  # noqa: S101 (for mypy: it is registered for this type)
    return of(request, error)


async def _faulty_request(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (as above)
    found = [{"field": _field(each["loc"]), "problem": _said(each)} for each in error.errors()]
    return problem(request, 422, "; ".join(f"{e['field']}: {e['problem']}" for e in found), errors=found)


def _field(where: tuple[Any, ...]) -> str:
    """Return the name of a parameter; its place (`query`, `path`) comes first in FastAPI's errors."""
    return ".".join(printable(str(part)) for part in where[1:]) or "(whole)"


def _said(fault: Mapping[str, Any]) -> str:
    fixed = {"missing": "is required", "extra_forbidden": "is not known here"}
    text = fixed.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
    return printable(text[:1].lower() + text[1:])


async def _of_framework(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (as above)
    path = printable(request.scope["path"])
    said = {
        404: f"there is nothing at {path}",
        NOT_ALLOWED: f"{request.method} is not possible at {path}",
    }
    headers = {"allow": _allowed(request)} if error.status_code == NOT_ALLOWED else error.headers
    return problem(request, error.status_code, said.get(error.status_code, str(error.detail)), headers)


def _allowed(request: Request) -> str:
    """Return the methods of all routes at this path; the framework knows those of the first one only."""
    there = [route for route in request.app.state.routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in there for method in getattr(route, "methods", None) or ()}))
