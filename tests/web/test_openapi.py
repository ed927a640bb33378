"""The published description of the API is current, valid, and has an example of every body."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import validate

from cases.inbox.messages import MESSAGES
from web.openapi import PUBLISHED, document, published

DOCUMENT = document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def test_published_description_is_current() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == published(), "run python -m web.openapi"


def test_description_is_valid_openapi() -> None:
    validate(json.loads(published()))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_described_with_its_errors(name: str) -> None:
    operation = OPERATIONS[name]

    assert {"operationId", "summary", "description", "tags", "security"} <= operation.keys()
    assert {"401", "403", "429", "500", "503"} <= operation["responses"].keys()
    for status, answer in operation["responses"].items():
        assert status < "4" or answer == {"$ref": f"#/components/responses/{status}"}


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if "requestBody" in operation])
def test_example_of_a_body_fits_its_schema(name: str) -> None:
    for media_type, content in OPERATIONS[name]["requestBody"]["content"].items():
        if media_type == "application/json":
            schema: dict[str, Any] = {**content["schema"], "components": DOCUMENT["components"]}
            Draft202012Validator(schema).validate(content["example"])


@pytest.mark.parametrize("name", MESSAGES)
def test_sender_is_no_part_of_a_message(name: str) -> None:
    content = OPERATIONS[f"POST /v1/cases/{{case_id}}/messages/{name}"]["requestBody"]["content"]["application/json"]
    schema = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]

    assert "by" not in schema["properties"]
    assert "by" not in schema.get("required", [])
