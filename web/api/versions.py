"""The version of a case that a client has seen: an ETag. A request that relies on an older one is refused.

The ETag is a digest of the snapshot with the number of entries on its timeline. A case and its row in our database have
the same one, whenever it is computed. Two requests may pass the check at the same time: the case then decides, as it
does for every message.
"""

import hashlib
import re
from typing import Any

from fastapi import Request

from cases.views.snapshot import Snapshot
from web.problems import Failed

_TAG = re.compile(r'(?:W/)?"[0-9a-f]{32}-(\d{1,9})"')


def etag(seen: Snapshot) -> str:
    """Return the ETag of a snapshot."""
    digest = hashlib.sha256(seen.model_dump_json().encode()).hexdigest()[:32]
    return f'"{digest}-{len(seen.timeline)}"'


def is_known(request: Request, tag: str) -> bool:
    """Return whether the client has this version already (`If-None-Match`)."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return "*" in known or tag in known


def check(request: Request, seen: Snapshot) -> None:
    """Raise `Failed` if the request relies on another version of the case (`If-Match`): 412, with what changed."""
    wanted = request.headers.get("if-match")
    current = etag(seen)
    if wanted is None or wanted.strip() == "*" or current in [each.strip() for each in wanted.split(",")]:
        return
    changed = _since(wanted, seen)
    what = "; ".join(f"{entry['what']}: {entry['text']}" for entry in changed)
    detail = f"{seen.case_id} has changed since" + (f": {what}" if what else "")
    raise Failed(412, detail, {"etag": current}, changed=changed, status_of_case=seen.status)


def _since(wanted: str, seen: Snapshot) -> list[dict[str, Any]]:
    """Return the entries that the timeline has got since."""
    tag = _TAG.fullmatch(wanted.strip())
    return [entry.model_dump(mode="json") for entry in seen.timeline[int(tag[1]) :]] if tag else []
