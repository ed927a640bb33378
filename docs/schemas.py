"""The published JSON Schemas follow from the models: `python -m docs.schemas` writes them anew.

Only `snapshot.json` is written by hand, because the snapshot is no model; a test holds it against real snapshots.
"""  # noqa: INP001 (the documentation is no package)

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from cases.complaint import Complaint
from cases.inbox.messages import MESSAGES

FOLDER = Path(__file__).with_name("schemas")
BY_HAND = "snapshot"
PUBLISHED: dict[str, type[BaseModel]] = {"complaint": Complaint, **MESSAGES}
"""File name without its ending → the model that it describes."""


def schema(name: str) -> dict[str, Any]:
    """The schema of the complaint, or of a message, as draft 2020-12."""
    described = PUBLISHED[name].model_json_schema()
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:after-sales:{name}", **described}


def text(name: str) -> str:
    """What stands in the file."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write every schema that is made from a model, and take away those of messages that are gone."""
    for path in FOLDER.glob("*.json"):
        if path.stem not in {*PUBLISHED, BY_HAND}:
            path.unlink()
    for name in PUBLISHED:
        (FOLDER / f"{name}.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    write()
