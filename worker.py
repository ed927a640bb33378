"""The worker. `python worker.py` runs it until SIGINT or SIGTERM.

With `--lines express,fresh_food` it serves the task queues of these lines instead of `after-sales`. With
`--only cases` or `--only partners` it leaves the calls to partners, or the cases, to other workers.

The Temporal server comes from Temporal's own environment variables and profile file (TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…). Everything else comes from AFTER_SALES_… (`settings.py`).
"""

import argparse
import asyncio
import os
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import structlog
import uvloop
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import logs
import policies
from activities.callbacks import Callbacks
from activities.logistics import Logistics
from activities.messaging import Links, Messaging
from activities.reconcile import Reconcile
from activities.records import Records
from activities.refunds import Refunds
from activities.review import Reviews
from activities.shortcuts import Shortcut
from activities.steps import Steps
from activities.verification import Verification
from activities.warehouse import Warehouse
from activities.webhooks import Webhooks
from cases.calendar import length
from cases.contract import TASK_QUEUE, line_queue, partner_queue
from cases.errors import AfterSalesError, InvalidInput, Problem
from cases.policy.policy import Policy
from cases.vocabulary import CALLBACKS, PARTNERS, Partner
from client.connection import Unreachable
from client.connection import connect as connect_to_temporal
from client.reconcile_runs import schedule
from client.webhooks.serving import serve_webhooks
from encryption.vault import vault
from messages import FALLBACK, check_words, render_customer, render_staff
from partners.addresses import AllowedAddresses
from partners.channels import AppriseMessaging
from partners.http import Partners, Rendering, http_partners
from partners.webhooks import WebhookSender
from records import Records as Database
from settings import CUSTOMER_PAGE, DESK_CASES, REVIEWS, Settings, configured
from workflows.after_sales_case import AfterSalesCase
from workflows.afterwards.improvement_measure import ImprovementMeasure
from workflows.afterwards.later_call import LaterCallToCustomer
from workflows.carrier_claim import CarrierClaim
from workflows.reconcile import ReconcileCases
from workflows.reviewing.service_review import ServiceReview
from workflows.sdk.hardening import FirstArgumentOnly, hardened
from workflows.sdk.page import PageOnRequest
from workflows.sdk.runner import QuerySafeRunner
from workflows.sdk.search import KEYS

PASSED_THROUGH = (
    "activities", "cases", "partners", "policies", "records", "review", "messages", "settings", "pydantic",
    "pydantic_core", "structlog", "aiohttp", "yarl", "sqlalchemy", "jinja2", "babel", "apprise", "holidays", "ruamel",
    "zoneinfo", "tzdata",
)  # fmt: skip
"""Modules that workflows share with the process; otherwise each workflow would import them again."""

THREADS = 50
"""One for each activity that may run at a time, so that none waits while others wait for the database."""

PARTNER_SLOTS = 50
"""Calls to one partner that may run at a time. A call uses no thread and little memory while it waits."""
PARTNER_POLLS = 2
"""Requests that wait for calls to one partner: the second takes the next call while the first hands one over."""

GRACE = timedelta(seconds=15)
"""How long running activities may continue after a worker is asked to stop. Longer than a partner's time-out."""

DEPLOYMENT = TASK_QUEUE
"""The worker deployment that all builds of this program belong to (docs/deploying.md)."""

STICKY = timedelta(seconds=5)
"""If a worker was killed, another one takes over its cases after this time."""

CASE_BYTES = 256 * 1024
"""Memory for one cached case. Most cases need a third of it; cases with many messages need more."""
SHARE = 8
"""One part in eight of the memory may be filled with cached cases."""
MOST_CASES = 3000
"""With more, a full pass of Python's garbage collector, during which nothing else runs, would take about a second."""
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""The file that contains the memory limit of a container on Linux."""


class Only(StrEnum):
    """What a worker runs if it does not run everything."""

    CASES = "cases"
    PARTNERS = "partners"


@dataclass(frozen=True)
class Parts:
    """The parts of a worker; tests replace them."""

    policies: dict[str, Policy]
    partners: Partners
    records: Database
    reviews: Path = REVIEWS
    """Where reviews are kept."""
    webhooks: WebhookSender = field(default_factory=lambda: WebhookSender(AllowedAddresses()))
    links: Links | None = None
    """For letters to customers; None: they have no links."""
    locale: str = FALLBACK
    """The language of staff."""
    desk: str | None = None
    """Address of the cases' pages at the desk, for the Temporal UI; None: it has no links."""


def assemble(settings: Settings) -> Parts:
    """Create the parts from the settings. Raises `AfterSalesError` with a sentence for each fault."""
    check_words()
    rendering = Rendering(render_customer, render_staff, settings.direct_channels, settings.staff_locale)
    partners = http_partners(settings.partners_url, settings.partners_token, rendering)
    partners = replace(partners, messaging=AppriseMessaging(settings, partners.messaging))
    records = Database(settings.database_url, vault(settings))
    sender = WebhookSender(AllowedAddresses.of(settings))
    desk = settings.public_url and settings.public_url + DESK_CASES
    links = None
    if settings.link_secret is not None and settings.public_url is not None:
        links = Links(records, settings.link_secret.get_secret_value(), settings.public_url + CUSTOMER_PAGE)
    known, locale = policies.load(settings.policies), settings.staff_locale
    return Parts(known, partners, records, settings.reviews, sender, links, locale, desk)


class Workers:
    """The Temporal workers of a process, one for each task queue, started and stopped together."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = workers

    async def __aenter__(self) -> Self:
        """Start them. If one fails later, the task that called this is cancelled."""
        for each in self.workers:
            await each.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them, once their activities have ended. Raises the error of one that has failed."""
        await asyncio.gather(*(each.__aexit__(kind, error, trace) for each in self.workers))


def build_workers(  # noqa: PLR0913 (a worker has that many options)
    client: Client,
    parts: Parts,
    *,
    task_queues: Sequence[str] = (TASK_QUEUE,),
    partners_of: str | None = TASK_QUEUE,
    max_cached_workflows: int = 1000,
    build_id: str | None = None,
    sandboxed: bool = False,
    partner_rates: Mapping[str, float] = MappingProxyType({}),
    partner_slots: int = PARTNER_SLOTS,
) -> Workers:
    """Return workers for cases on `task_queues`, and for their calls to partners.

    `client` needs the converter of `encryption`, or pydantic's. The calls are those of cases on `partners_of`, and on
    its queues for single lines; None: those of no case. Tests run workflows `sandboxed`, which raises on
    non-deterministic calls. In production the sandbox would cost a third of the time of each case (docs/benchmarks.md);
    replay tests and import rules protect determinism instead. With a `build_id` the workers take only cases of that
    build, and new cases once the build is current. `partner_rates` are the most calls to a partner in a second, by all
    workers together; `partner_slots` of them run at a time in this process, for each partner.
    """
    # Only the worker needs the hardened converter: it has to accept whatever other processes send.
    config = client.config()
    config["data_converter"] = hardened(client.data_converter)
    ours, theirs = _activities(client, parts, partner_rates)
    new_worker = partial(
        Worker,
        Client(**config),
        deployment_config=_pinned(build_id) if build_id else None,
        graceful_shutdown_timeout=GRACE,
    )
    of_cases = [
        new_worker(
            task_queue=queue,
            workflows=[
                AfterSalesCase,
                CarrierClaim,
                ImprovementMeasure,
                LaterCallToCustomer,
                ReconcileCases,
                ServiceReview,
            ],
            # Also those of partners: as local activities, and for calls that an earlier version has put here.
            activities=[*ours, *chain(*theirs.values())],
            activity_executor=ThreadPoolExecutor(THREADS, thread_name_prefix="records"),
            max_concurrent_activities=THREADS,
            max_concurrent_local_activities=THREADS,
            max_cached_workflows=max(1, max_cached_workflows // len(task_queues)),
            interceptors=[FirstArgumentOnly(), PageOnRequest(parts.desk)],
            workflow_runner=QuerySafeRunner(sandbox() if sandboxed else UnsandboxedWorkflowRunner()),
            sticky_queue_schedule_to_start_timeout=STICKY,
        )
        for queue in task_queues
    ]
    of_partners = [
        new_worker(
            task_queue=partner_queue(partners_of, partner),
            activities=activities,
            max_concurrent_activities=partner_slots,
            max_concurrent_activity_task_polls=PARTNER_POLLS,
            max_task_queue_activities_per_second=partner_rates.get(partner),
        )
        for partner, activities in theirs.items()
        if partners_of is not None
    ]
    return Workers(of_cases + of_partners)


Activities = list[Callable[..., Any]]


def _activities(client: Client, parts: Parts, rates: Mapping[str, float]) -> tuple[Activities, dict[str, Activities]]:
    """Return the activities that use only our database, and those that call a partner, by partner."""
    shortcuts = {partner: Shortcut(limited=partner in rates) for partner in PARTNERS}
    messaging = Messaging(parts.partners.messaging, shortcuts[Partner.MESSAGING], parts.links)
    callbacks = Callbacks(parts.partners.callbacks, shortcuts[CALLBACKS])
    look_ups = Verification(parts.partners.look_ups, parts.records, shortcuts)
    steps = dict(parts.partners.steps)
    refunds = Refunds(steps.pop(Partner.REFUNDS), parts.records)
    warehouse = Warehouse(steps.pop(Partner.WAREHOUSE), parts.records)
    logistics = Logistics(steps.pop(Partner.LOGISTICS), parts.records)
    records = Records(parts.policies, parts.records)
    theirs: dict[str, Activities] = {
        Partner.MESSAGING: [messaging.to_customer, messaging.to_staff],
        CALLBACKS: [callbacks.ask],
        Partner.REFUNDS: [refunds.carry_out, refunds.find],
        Partner.WAREHOUSE: [warehouse.carry_out, warehouse.find],
        Partner.LOGISTICS: [logistics.carry_out, logistics.find],
        **{partner: Steps(partner, port).activities() for partner, port in steps.items()},
    }
    ours: Activities = [
        look_ups.look_up,  # asks several partners, and only as a local activity
        *(refunds.release, refunds.contest),
        *(records.admit, records.account, records.in_force, records.claim),
        *(records.archive, records.project, records.record_claim),
        *(records.keep_later_call, records.take_up_measure, records.record_measure),
        Reconcile(client, parts.records).page,
        Reviews(parts.policies, parts.records, parts.reviews, parts.locale).make,
        Webhooks(parts.records, parts.webhooks, parts.partners.messaging).deliver,
    ]
    return ours, {partner: [*activities, *look_ups.again(partner)] for partner, activities in theirs.items()}


def queues(lines: Collection[str], policies: Collection[str]) -> list[str]:
    """Return the task queues that a worker for these lines serves. Raises `InvalidInput` if a line has no policy."""
    known = ", ".join(sorted(policies))
    if unknown := sorted(set(lines) - set(policies)):
        raise InvalidInput([Problem(field="--lines", problem=f"there is no line {n}, only {known}") for n in unknown])
    return [line_queue(line) for line in sorted(set(lines))] or [TASK_QUEUE]


def cases_that_fit(memory: int) -> int:
    """Return how many cases a worker with that many bytes of memory keeps: at least 100, so that it can work at all."""
    return max(100, min(MOST_CASES, memory // SHARE // CASE_BYTES))


def usable_memory() -> int:
    """Return the bytes that this process may use: those of the machine, or of its container if it is limited."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in MEMORY_LIMITS:
        with suppress(OSError, ValueError):  # no such file, or "max"
            limits.append(int(file.read_text()))
    return min(limits)


def sandbox() -> SandboxedWorkflowRunner:
    """Return a workflow runner that raises on non-deterministic calls."""
    return SandboxedWorkflowRunner(SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def _pinned(build_id: str) -> WorkerDeploymentConfig:
    """Pin each case to the build that it started on, so that later builds need not replay it."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def connect(settings: Settings) -> Client:
    """Connect as Temporal's environment says. Raises `AfterSalesError` with the address and what to do."""
    runtime = None
    if settings.metrics_address:
        metrics = PrometheusConfig(bind_address=settings.metrics_address)
        try:
            runtime = Runtime(telemetry=TelemetryConfig(metrics=metrics))
        except (RuntimeError, ValueError) as error:
            why = str(error).rpartition(": ")[2]
            raise AfterSalesError(
                f"AFTER_SALES_METRICS_ADDRESS: cannot listen at {settings.metrics_address} ({why})"
            ) from None
    return (await connect_to_temporal(runtime, settings))[0]


async def register_search_attributes(client: Client) -> None:
    """Register missing search attributes on the server; without them every case would get stuck."""
    service, namespace = client.operator_service, client.namespace
    try:
        listed = await service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        missing = {
            n: _indexed(key.indexed_value_type.name) for n, key in KEYS.items() if n not in listed.custom_attributes
        }
        if missing:
            await service.add_search_attributes(
                AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
            )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return
        raise AfterSalesError(
            f"the search attributes cannot be registered in namespace {namespace} ({error.message}): "
            f"create them yourself: {', '.join(f'{n} ({k.indexed_value_type.name})' for n, k in KEYS.items())}"
        ) from None


def _indexed(name: str) -> "IndexedValueType.ValueType":
    return IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{name}")


async def main(lines: Collection[str] = (), only: Only | None = None) -> None:
    """Work until SIGINT or SIGTERM, then let running activities finish.

    If `lines` are given, serve their task queues only; otherwise the one on which cases of every line can be started.
    `only` leaves out the cases, or the calls to partners.
    """
    settings = configured()
    logs.set_up(settings)
    log = structlog.get_logger("worker")
    served = queues(lines, policies.known_policies() if lines else ())
    parts = assemble(settings)
    client = await connect(settings)
    await register_search_attributes(client)
    try:
        await schedule(client, length(settings.reconcile_every).amount)
    except Unreachable as error:
        log.warning("our database is not reconciled", why=str(error))
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    cached = settings.cached_cases or cases_that_fit(usable_memory())
    workers = build_workers(
        client,
        parts,
        task_queues=[] if only is Only.PARTNERS else served,
        partners_of=None if only is Only.CASES else TASK_QUEUE,
        max_cached_workflows=cached,
        build_id=settings.build_id,
        partner_rates=settings.partner_rates,
    )
    known = {
        "namespace": client.namespace,
        "task_queues": [each.task_queue for each in workers.workers],
        "build_id": settings.build_id,
    }
    async with aclosing(parts.partners), parts.webhooks, workers:
        serving = asyncio.create_task(serve_webhooks(client, parts.records))
        log.info("worker ready", **known, cached_cases=cached)
        print("worker ready", flush=True)  # noqa: T201 (`starter.py up` and tests wait for this line)
        await stop.wait()
        serving.cancel()
        log.info("worker stopping", grace_seconds=GRACE.total_seconds())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--lines",
        metavar="LINE,…",
        type=lambda given: [line for line in given.split(",") if line],
        default=[],
        help=f"serve the task queues of these lines ({line_queue('LINE')}) instead of {TASK_QUEUE}",
    )
    parser.add_argument(
        "--only", choices=list(Only), type=Only, help="run only cases, or only calls to partners (default: both)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        given = _arguments()
        uvloop.run(main(given.lines, given.only))
    except InvalidInput as error:
        logs.exit_with(error, code=2)
    except AfterSalesError as error:
        logs.exit_with(error, code=1)
