"""The page of a workflow in the Temporal UI, built only when it is opened.

With `workflow.set_current_details` it would be built in each workflow task, and again in each replay.
"""

from typing import Any
from urllib.parse import quote

from temporalio import workflow
from temporalio.worker import (
    HandleQueryInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from cases.contract import CASE_WORKFLOW, workflow_id

METADATA_QUERY = "__temporal_workflow_metadata"
"""The SDK's query with which the UI reads the page (tests/workflows/operation/test_visibility.py)."""


class PageOnRequest(Interceptor):
    """Adds the workflow's `page()`, which is Markdown, to the answer to the UI.

    `desk` is the address of the cases' pages at the desk, to which the page of a case then has a link.
    """

    def __init__(self, desk: str | None = None) -> None:
        self._desk = desk

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 (the SDK's name)
    ) -> type[WorkflowInboundInterceptor]:
        """Return the class that intercepts inbound calls."""
        return type("PageOnRequest", (_PageOnRequest,), {"desk": self._desk})


class _PageOnRequest(WorkflowInboundInterceptor):
    desk: str | None = None

    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        answer = await super().handle_query(input)
        if input.query == METADATA_QUERY:
            answer.current_details = "\n\n".join(filter(None, (workflow.instance().page(), self._link())))
        return answer

    def _link(self) -> str | None:
        """Return a link to the case at the desk."""
        here = workflow.info()
        if self.desk is None or here.workflow_type != CASE_WORKFLOW:
            return None
        return f"[Open at the desk]({self.desk}{quote(here.workflow_id.removeprefix(workflow_id('')), safe='')})"
