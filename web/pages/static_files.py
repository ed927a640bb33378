"""Static files of our own. Their addresses contain a hash of the content, so that browsers may keep them for ever."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"
router = APIRouter(include_in_schema=False)


class StaticFile(NamedTuple):
    """A file that browsers load."""

    content: bytes
    media_type: str
    digest: str


@cache
def files() -> dict[str, StaticFile]:
    """Return all static files by their path in the folder."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in TYPES:
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:16]
            found[path.relative_to(FOLDER).as_posix()] = StaticFile(content, TYPES[path.suffix], digest)
    return found


def static(name: str) -> str:
    """Return the address of a static file. Raises `KeyError` if there is none."""
    return f"/static/{files()[name].digest}/{name}"


@router.get("/static/{digest}/{name:path}")
async def static_file(digest: str, name: str) -> Response:
    """Return a file; 404 unless the hash is that of its content."""
    found = files().get(name)
    if found is None or found.digest != digest:
        return PlainTextResponse("not found", 404)
    return Response(found.content, media_type=found.media_type, headers={"cache-control": FOR_EVER})
