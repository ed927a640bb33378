"""`python -m web.openapi`: write the published description of the API to `docs/http-api.openapi.json`."""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from cases.complaint import Complaint
from cases.inbox.messages import MESSAGES
from cases.state.finding import PartialFinding
from web import api
from web.api.described import BatchLine, ProblemDetails
from web.api.webhooks import RECEIVED
from web.problems import MEDIA_TYPE

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "http-api.openapi.json"
ABOUT: dict[str, Any] = {
    "title": "After-sales cases",
    "version": "1",
    "description": "Open, read and message cases of customer complaints. See docs/http-api.md.",
}
_UNUSED = ("HTTPValidationError", "ValidationError")


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    app = FastAPI(**ABOUT)
    for router in api.ROUTERS:
        app.include_router(router)
    found: dict[str, Any] = app.openapi()
    schemas = found["components"]["schemas"]
    for unused in _UNUSED:
        schemas.pop(unused, None)
    for name, schema in _of_bodies().items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two different schemas are called {name}")
    found["components"]["responses"] = _share_problems(found)
    return found


def _share_problems(found: dict[str, Any]) -> dict[str, Any]:
    """Replace the problems of all routes by references, and return them by status."""
    shared: dict[str, Any] = {}
    for path in found["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if MEDIA_TYPE in answer.get("content", ()):
                    shared[status] = dict(answer)
                    operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return shared


def _of_bodies() -> dict[str, Any]:
    """Return the schemas of what routes decode themselves, and of what they answer besides their models."""
    received = [(model, "validation") for model in (Complaint, PartialFinding, *RECEIVED, *MESSAGES.values())]
    sent = [(model, "serialization") for model in (ProblemDetails, BatchLine)]
    _, found = models_json_schema([*received, *sent], ref_template="#/components/schemas/{model}")  # type: ignore[list-item]
    schemas: dict[str, Any] = found["$defs"]
    for model in MESSAGES.values():
        its = schemas[model.__name__]
        its["properties"].pop("by")  # it is the client of the key
        its["required"] = [name for name in its.get("required", []) if name != "by"]
        if not its["required"]:
            del its["required"]
    return schemas


def published() -> str:
    """Return the document as JSON text."""
    return json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(published(), encoding="utf-8")
