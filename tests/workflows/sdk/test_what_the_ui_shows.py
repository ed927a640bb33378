"""What the Temporal UI shows of messages and cases: a payload to copy, and a link to the desk."""

import json

import pytest
from temporalio import workflow
from temporalio.worker import HandleQueryInput, WorkflowInboundInterceptor

from cases.contract import CASE_WORKFLOW
from cases.inbox.examples import EXAMPLES
from cases.inbox.messages import FACTS, MESSAGES, read
from workflows.after_sales_case import AfterSalesCase
from workflows.sdk.page import METADATA_QUERY, PageOnRequest

DEFINITION = workflow._Definition.must_from_class(AfterSalesCase)  # noqa: SLF001 (what the SDK sends to the UI)


@pytest.mark.parametrize("name", MESSAGES)
def test_example_of_every_message_is_accepted(name: str) -> None:
    read(name, {**EXAMPLES[name], "by": "li.na"})


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_described_with_a_payload_to_copy(name: str) -> None:
    shown = [str(DEFINITION.updates[name].description)]
    shown += [str(DEFINITION.signals[name].description)] if name in FACTS else []

    for text in shown:
        about, _, example = text.partition(" Example: ")
        assert about.endswith(".")
        read(name, json.loads(example))


class _Info:
    workflow_type = CASE_WORKFLOW
    workflow_id = "case-HL-1:2"


class _Answer:
    current_details = ""


class _Next(WorkflowInboundInterceptor):
    def __init__(self) -> None:
        """Answers instead of the SDK."""

    async def handle_query(self, input: HandleQueryInput) -> _Answer:  # noqa: A002
        return _Answer()


class _Case:
    def page(self) -> str:
        return "the page"


@pytest.mark.parametrize(
    ("kind", "desk", "shown"),
    [
        (CASE_WORKFLOW, "https://s.example.com/desk/cases/", "the page\n\n[Open at the desk](https://s.example.com/desk/cases/HL-1%3A2)"),
        (CASE_WORKFLOW, None, "the page"),
        ("CarrierClaim", "https://s.example.com/desk/cases/", "the page"),
    ],
)  # fmt: skip
async def test_page_of_a_case_leads_to_the_desk(
    kind: str, desk: str | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = _Info()
    info.workflow_type = kind
    monkeypatch.setattr(workflow, "info", lambda: info)
    monkeypatch.setattr(workflow, "instance", _Case)
    interceptor = PageOnRequest(desk).workflow_interceptor_class(None)(_Next())  # type: ignore[arg-type]

    answer = await interceptor.handle_query(HandleQueryInput(id="1", query=METADATA_QUERY, args=[], headers={}))

    assert answer.current_details == shown
