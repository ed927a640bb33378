"""`python -m docs.schemas`: write the published JSON Schemas from the models."""  # noqa: INP001 (the documentation is not a package)

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from cases.complaint import Complaint
from cases.inbox.messages import MESSAGES
from cases.views.snapshot import Snapshot
from review.figures import Review
from simulation.figures import Simulation

FOLDER = Path(__file__).with_name("schemas")
PUBLISHED: dict[str, type[BaseModel]] = {
    "complaint": Complaint,
    "snapshot": Snapshot,
    "review": Review,
    "simulation": Simulation,
    **MESSAGES,
}
"""File name without its extension → the model that it describes."""
WRITTEN = frozenset({"snapshot", "review", "simulation"})
"""What we write, and others read."""


def schema(name: str) -> dict[str, Any]:
    """Return the schema as draft 2020-12: for messages what we accept, for snapshots and figures what we write."""
    mode: JsonSchemaMode = "serialization" if name in WRITTEN else "validation"
    described = PUBLISHED[name].model_json_schema(mode=mode)
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:after-sales:{name}", **described}


def text(name: str) -> str:
    """Return the content of the file."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write every schema, and delete those of messages that no longer exist."""
    for path in FOLDER.glob("*.json"):
        if path.stem not in PUBLISHED:
            path.unlink()
    for name in PUBLISHED:
        (FOLDER / f"{name}.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    write()
