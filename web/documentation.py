"""The documentation page of the API, and the document that it shows. Everything comes from our own files.

The viewer (`web/viewer`) is Swagger UI, unchanged; `web/viewer/SOURCE` has its version and the hashes of its files.
"""

import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from web.openapi import document
from web.problems import Failed

router = APIRouter(prefix="/v1", include_in_schema=False)
VIEWER = Path(__file__).with_name("viewer")
FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
    "page.html": "text/html",
}
"""The files that are served, with their media types."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CACHED = {"cache-control": "public, max-age=3600"}


@router.get("/openapi.json")
async def openapi() -> Response:
    """Return the description of the API."""
    return Response(_document(), media_type="application/json", headers=CACHED)


@router.get("/docs")
async def page() -> Response:
    """Return the documentation page."""
    return Response(_file("page.html"), media_type="text/html", headers={"content-security-policy": POLICY})


@router.get("/docs/{name}")
async def file(name: str) -> Response:
    """Return a file that the page needs."""
    if name not in FILES:
        raise Failed(404, "there is no such file")
    return Response(_file(name), media_type=FILES[name], headers=CACHED)


@cache
def _document() -> bytes:
    return json.dumps(document(), ensure_ascii=False).encode()


@cache
def _file(name: str) -> bytes:
    return (VIEWER / name).read_bytes()
