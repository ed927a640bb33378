"""The page of a workflow in the Temporal UI is built when somebody opens it: no workflow task spends time on it.

A page that `workflow.set_current_details` sets would be built in each task, and again in each replay.
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
"""The SDK's own query, with which the UI asks for the page (tests/workflows/operation/test_visibility.py)."""


class PageOnRequest(Interceptor):
    """Answers the UI with what the workflow's method `page` returns, in Markdown."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 (the SDK's name)
    ) -> type[WorkflowInboundInterceptor]:
        """Return the inbound side."""
        return _PageOnRequest


class _PageOnRequest(WorkflowInboundInterceptor):
    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        answer = await super().handle_query(input)
        if input.query == METADATA_QUERY:
            answer.current_details = workflow.instance().page()
        return answer
