"""The web application: the API, and pages for people, in one process.

To add pages, give their router to `ROUTERS`. A route receives the `Service` (`web.service.Served`) and raises errors
of `cases.errors` or `web.problems.Failed`, which are answered with problem details.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from cases.policy.policy import Policy
from settings import Settings, WebSettings
from web import api, desk, documentation, health, pages, problems
from web.customer import routes as customer
from web.limits import BusyMiddleware
from web.middleware import RequestMiddleware
from web.service import Service

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    documentation.router,
    *api.ROUTERS,
    *pages.ROUTERS,
    *desk.ROUTERS,
    customer.router,
)


def application(settings: Settings, web: WebSettings, policies: Mapping[str, Policy]) -> FastAPI:
    """Return the application. It connects to Temporal and our database when a request needs them."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = Service(settings, web, policies)
        yield
        await app.state.service.close()

    app = FastAPI(
        title="After-sales cases",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    problems.add_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(BusyMiddleware)
    app.add_middleware(RequestMiddleware)  # the last one added is the first to run
    return app
