"""The partners' reports to the engine. Each is sent until it arrives, in order for each case."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import workflow_id
from cases.partner_calls import CallbackRequest, StepCommand
from cases.vocabulary import Partner
from partners.sandbox.fixtures import DELAY, OrderFixture
from partners.sandbox.ledger import Ledger, Report
from partners.wire import SATISFACTION_REPORTED, STEP_REPORTED, SatisfactionReport, StepReport

FIRST_WAIT = 0.5
LONGEST_WAIT = 15.0
"""Seconds between two attempts if the engine does not answer: doubled from the first wait to the longest."""

NO_CASE = "no case"
"""The outcome of a report whose case has closed. It can be entered with `starter.py step-reported` (S27)."""

_log = logging.getLogger(__name__)

SendSignal = Callable[[str, str, dict[str, Any]], Awaitable[None]]
"""Sends one signal: workflow id, signal, payload. Raises `NoCaseError` if no attempt can succeed."""


class NoCaseError(Exception):
    """The case has closed, or never existed."""


def reports_of(partner: Partner, command: StepCommand, fixture: OrderFixture, now: datetime) -> Iterator[Report]:
    """Yield the partner's reports on this step, with the times when they are due."""
    to = command.reply_to or workflow_id(command.case_id)
    for reported in fixture.reports_on(command.kind):
        now += timedelta(seconds=reported.after)
        finding = fixture.finding(command.kind) if reported.state == "done" else None
        report = StepReport(
            step=command.step,
            key=command.key,
            state=reported.state,
            detail=reported.detail,
            finding=finding,
            message_id=f"{command.key}/{reported.state}",
            by=partner,
        )
        payload = report.model_dump(mode="json", exclude_defaults=True)
        yield Report(command.case_id, to, STEP_REPORTED, payload, now)


def satisfaction_of(request: CallbackRequest, fixture: OrderFixture, now: datetime) -> Report | None:
    """Return the customer's answer, or None if the fixture has none (G8)."""
    if fixture.satisfaction is None:
        return None
    report = SatisfactionReport(score=fixture.satisfaction, message_id=f"{request.key}/answer", by="callbacks")
    payload, due = report.model_dump(mode="json", exclude_defaults=True), now + timedelta(seconds=DELAY)
    return Report(request.case_id, workflow_id(request.case_id), SATISFACTION_REPORTED, payload, due)


class Courier:
    """Sends the due reports in the ledger to the engine, oldest first."""

    def __init__(self, ledger: Ledger, send: SendSignal, *, first_wait: float = FIRST_WAIT) -> None:
        self._ledger = ledger
        self._send = send
        self._first_wait = first_wait
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Check the ledger again: it has a new report."""
        self._news.set()

    async def run(self) -> None:
        """Send reports until cancelled."""
        wait = self._first_wait
        while True:
            self._news.clear()
            fault = await self._send_due()
            if fault is None:
                wait = self._first_wait
                await self._until_next()
                continue
            if wait == self._first_wait:
                _log.warning("reports cannot be sent to the engine, retrying: %s", fault)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _until_next(self) -> None:
        due = self._ledger.next_due()
        seconds = None if due is None else max(0.0, (due - datetime.now(UTC)).total_seconds())
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _send_due(self) -> Exception | None:
        """Send the due reports. Return an error if some of them have to be sent again."""
        by_workflow: dict[str, list[Report]] = {}
        for report in self._ledger.due_reports(datetime.now(UTC)):
            by_workflow.setdefault(report.workflow_id, []).append(report)
        faults = await asyncio.gather(*(self._send_in_order(reports) for reports in by_workflow.values()))
        return next((fault for fault in faults if fault is not None), None)

    async def _send_in_order(self, reports: list[Report]) -> Exception | None:
        for report in reports:
            outcome = "sent"
            try:
                await self._send(report.workflow_id, report.signal, report.payload)
            except NoCaseError:
                outcome = NO_CASE
            except Exception as error:  # noqa: BLE001 (any other error may be gone at the next attempt)
                return error
            self._ledger.settle(report, outcome, datetime.now(UTC))
        return None


class TemporalSignals:
    """Sends reports as Temporal signals. Connects when the first one is sent."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def __call__(self, to: str, signal: str, payload: dict[str, Any]) -> None:
        """Send one signal. Address and credentials come from Temporal's environment variables."""
        async with self._connecting:
            if self._client is None:
                config = ClientConfig.load_client_connect_config()
                config.setdefault("target_host", "localhost:7233")
                self._client = await Client.connect(**config)
        try:
            await self._client.get_workflow_handle(to).signal(signal, payload, rpc_timeout=timedelta(seconds=10))
        except RPCError as error:
            # A missing namespace is also "not found", but it may still be created: retry.
            if error.status is RPCStatusCode.NOT_FOUND and "namespace" not in error.message.lower():
                raise NoCaseError from error
            raise
