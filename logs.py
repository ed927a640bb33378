"""Logging: one line per event on standard error, as JSON or in a readable form, without personal data.

Workflow code logs with `workflow.logger`, which logs nothing on replay. All lines go through the same structlog
renderer.
"""

import logging
import re
import sys
from typing import Any, NoReturn

import structlog
from temporalio import activity, workflow

from cases.errors import AfterSalesError, InvalidInput
from settings import CUSTOMER_PAGE, Settings

_TOKEN = re.compile(re.escape(CUSTOMER_PAGE) + r"[^/\s\"'?]+")
_TEMPORAL = ("temporal_workflow", "temporal_activity")


def set_up(settings: Settings) -> None:
    """Send all logging of this process to standard error, as `AFTER_SALES_LOG_FORMAT` says."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _case_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_links,
    ]
    readable = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for chatty in ("httpx", "httpcore", "temporalio.activity"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    for logger in (workflow.logger, activity.logger):
        logger.workflow_info_on_message = False  # type: ignore[union-attr]
        logger.activity_info_on_message = False  # type: ignore[union-attr]


def _without_links(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace tokens of customers' links: whoever has one is the customer (docs/customer-page.md)."""
    return {name: _TOKEN.sub(CUSTOMER_PAGE + "***", v) if isinstance(v, str) else v for name, v in event.items()}


def _case_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace the details that the SDK attaches to an event by the workflow id."""
    for name in _TEMPORAL:
        details = event.pop(name, None)
        if isinstance(details, dict):
            event.setdefault("workflow_id", details.get("workflow_id"))
    return event


def exit_with(error: AfterSalesError, *, code: int) -> NoReturn:
    """End the program: one line on standard error for each problem, and the exit code."""
    problems = error.problems if isinstance(error, InvalidInput) else [error]
    print(*problems, sep="\n", file=sys.stderr)  # noqa: T201 (logging may not be set up yet)
    sys.exit(code)
