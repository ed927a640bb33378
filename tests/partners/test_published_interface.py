"""The published OpenAPI is valid, current, and matches the sandbox."""

import json
import re

from openapi_spec_validator import validate

from partners.sandbox.openapi import PUBLISHED, published
from tests.partners.running import RunningSandbox

DOCUMENT = json.loads(published())
OPERATIONS = [
    operation for path in DOCUMENT["paths"].values() for method, operation in path.items() if method in ("get", "post")
]


def test_published_interface_is_current() -> None:
    """If not, run `python -m partners.sandbox.openapi`."""
    assert PUBLISHED.read_text(encoding="utf-8") == published()


def test_published_interface_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_every_operation_is_described_with_its_errors() -> None:
    for operation in OPERATIONS:
        assert {"operationId", "summary", "description", "tags"} <= operation.keys()
        problems = [found for status, found in operation["responses"].items() if status >= "4"]
        assert {"401", "422", "429", "503"} <= operation["responses"].keys()
        assert all(list(found["content"]) == ["application/problem+json"] for found in problems)


def test_every_post_names_its_key() -> None:
    posts = [path["post"] for path in DOCUMENT["paths"].values() if "post" in path]

    assert len(posts) == 3
    for post in posts:
        assert [(p["name"], p["required"]) for p in post["parameters"] if p["in"] == "header"] == [
            ("Idempotency-Key", True)
        ]


def test_switches_are_not_published() -> None:
    assert set(DOCUMENT["paths"]) == {
        "/{partner}/steps",
        "/logistics/trail",
        "/warehouse/dispatch",
        "/installation/record",
        "/messages",
        "/callbacks",
    }


def test_reports_of_partners_are_described() -> None:
    report = DOCUMENT["webhooks"]["step-reported"]["post"]
    schema = DOCUMENT["components"]["schemas"]["StepReport"]

    assert "Temporal signal" in report["description"]
    assert {"step", "key", "state", "detail", "finding", "message_id", "by"} == set(schema["properties"])


async def test_examples_are_accepted_by_the_sandbox(sandbox: RunningSandbox) -> None:
    partner_of = {"refund": "refunds", "replacement": "warehouse", "rectification": "installation"}
    commands = DOCUMENT["paths"]["/{partner}/steps"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    messages = DOCUMENT["paths"]["/messages"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    calls = [(f"/{partner_of[name]}/steps", example["value"]) for name, example in commands.items()]
    calls += [("/messages", example["value"]) for example in messages.values()]

    for path, body in calls:
        answer = await sandbox.admin.post(path, json=body, headers={"Idempotency-Key": body["key"]})
        assert answer.is_success, answer.text
    assert len(calls) == 5


async def test_unknown_path_is_a_problem_that_says_nothing_about_steps(sandbox: RunningSandbox) -> None:
    answer = await sandbox.admin.get("/refunds/step", params={"key": "HL-1/1/1/refund"})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert not re.search("not-known", answer.text)


async def test_health_is_answered_under_every_fault(sandbox: RunningSandbox) -> None:
    await sandbox.fault("down")

    assert (await sandbox.admin.get("/health")).json() == {"status": "ok"}
