"""The page of a workflow in the Temporal UI, built only when it is opened.

With `workflow.set_current_details` it would be built in each workflow task, and again in each replay.
"""

from typing import Any

from temporalio import workflow
from temporalio.worker import (
    HandleQueryInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

METADATA_QUERY = "__temporal_workflow_metadata"
"""The SDK's query with which the UI reads the page (tests/workflows/operation/test_visibility.py)."""


class PageOnRequest(Interceptor):
    """Adds the workflow's `page()`, which is Markdown, to the answer to the UI."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 (the SDK's name)
    ) -> type[WorkflowInboundInterceptor]:
        """Return the class that intercepts inbound calls."""
        return _PageOnRequest


class _PageOnRequest(WorkflowInboundInterceptor):
    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        answer = await super().handle_query(input)
        if input.query == METADATA_QUERY:
            answer.current_details = workflow.instance().page()
        return answer
