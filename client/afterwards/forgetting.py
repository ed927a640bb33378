"""Forget a person: which cases are theirs, what Temporal still holds of them, and until when (G13)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import RPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import claim_workflow_id, later_call_workflow_id, workflow_id
from cases.forgetting import Person
from client.archive import records_of
from client.cases import ANSWER_WITHIN, Engine
from client.connection import Unreachable
from client.lists import NoDatabase

if TYPE_CHECKING:
    from records import CaseOf


class Held(NamedTuple):
    """A workflow of a case that Temporal still has, with everything that was sent to it."""

    case_id: str
    workflow: str
    until: datetime | None
    """When Temporal deletes it; None: it is still open, and its retention begins when it closes."""


def found(database_url: str, person: Person) -> "list[CaseOf]":
    """Return the person's cases in our database. Raises `NoDatabase`, and what `records.Records` raises."""
    with records_of(database_url) as records:
        if records is None:
            raise NoDatabase("our database does not exist yet: a worker creates it")
        return records.cases_of(person)


def forget(database_url: str, case_ids: Iterable[str], now: datetime) -> list[str]:
    """Remove who the customers of these closed cases were. Return the cases that were left alone: they are open."""
    with records_of(database_url) as records:
        if records is None:
            raise NoDatabase("our database does not exist yet: a worker creates it")
        left = [case_id for case_id in case_ids if not records.forget(case_id, now)]
        records.purge_words()
        return left


async def held(engine: Engine, case_ids: Iterable[str]) -> list[Held]:
    """Return the workflows of these cases that Temporal still has. Raises `Unreachable`."""
    kinds = (workflow_id, claim_workflow_id, later_call_workflow_id)
    try:
        asked = DescribeNamespaceRequest(namespace=engine.client.namespace)
        there = await engine.client.workflow_service.describe_namespace(asked, timeout=ANSWER_WITHIN)
        keeps = there.config.workflow_execution_retention_ttl.ToTimedelta()
        looked = [await _look(engine, case_id, kind(case_id), keeps) for case_id in case_ids for kind in kinds]
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        raise Unreachable(f"{engine.address} has stopped answering: {error}") from None
    return [each for each in looked if each]


async def _look(engine: Engine, case_id: str, workflow: str, keeps: timedelta) -> Held | None:
    try:
        there = await engine.client.get_workflow_handle(workflow).describe(rpc_timeout=ANSWER_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and "amespace" not in error.message:
            return None
        raise
    return Held(case_id, workflow, there.close_time + keeps if there.close_time else None)
