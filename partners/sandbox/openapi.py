"""`python -m partners.sandbox.openapi`: write the published interface to `docs/partners.openapi.json`."""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from partners.sandbox import describe
from partners.sandbox.app import router
from partners.wire import STEP_REPORTED, ProblemDetails, StepReport

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "partners.openapi.json"

_token = HTTPBearer(
    auto_error=False, description="If you need one, it is set as AFTER_SALES_PARTNERS_TOKEN in the engine"
)


def published() -> str:
    """Return the document as JSON text."""
    app = FastAPI(**describe.ABOUT)
    app.include_router(router, dependencies=[Security(_token)])

    @app.webhooks.post(STEP_REPORTED, **describe.REPORT)
    async def step_reported(report: StepReport) -> None:
        """Describe the report. It is sent through Temporal, not here."""

    document: dict[str, Any] = app.openapi()
    schemas = document["components"]["schemas"]
    schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(published(), encoding="utf-8")
