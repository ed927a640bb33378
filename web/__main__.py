"""`python -m web`: serve the API and the pages until interrupted, at AFTER_SALES_WEB_ADDRESS."""

import logging
from typing import Any

import uvicorn

import logs
from cases.errors import AfterSalesError, InvalidInput
from policies import load
from serving import is_actionable, listen
from settings import configured, web_configured
from web.app import application

MAX_CONNECTIONS = 500
"""Concurrent requests; more are answered 503."""
GRACE = 10
"""Seconds that running requests may take after the server is asked to stop."""


def main() -> None:
    """Serve until interrupted. Raises `AfterSalesError` if it cannot start."""
    settings, web = configured(), web_configured()
    app = application(settings, web, load(settings.policies))
    listening = listen("AFTER_SALES_WEB_ADDRESS", web.address)
    host, port = listening.getsockname()[:2]
    logs.set_up(settings)
    logging.getLogger("uvicorn.error").addFilter(is_actionable)
    print(f"web ready at http://{host}:{port}", flush=True)  # noqa: T201 (`starter.py up` and tests wait for this line)
    quiet: dict[str, Any] = {"log_config": None, "log_level": "warning", "access_log": False, "server_header": False}
    limits: dict[str, Any] = {"limit_concurrency": MAX_CONNECTIONS, "timeout_graceful_shutdown": GRACE}
    uvicorn.Server(uvicorn.Config(app, lifespan="on", **limits, **quiet)).run(sockets=[listening])


if __name__ == "__main__":
    try:
        main()
    except InvalidInput as error:
        logs.exit_with(error, code=2)
    except AfterSalesError as error:
        logs.exit_with(error, code=1)
    except KeyboardInterrupt:
        pass
