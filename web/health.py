"""Whether the server runs (`/health`), and whether what it needs answers (`/ready`). Neither needs a key."""

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter

from cases.errors import AfterSalesError
from web.problems import Failed
from web.service import Served, Service

router = APIRouter(tags=["health"])
READY_WITHIN = 5.0
"""Seconds within which Temporal and our database have to answer."""


@router.get("/health")
async def health() -> dict[str, str]:
    """Return that the server runs. Asks nothing else."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(service: Served) -> dict[str, str]:
    """Return 200 if Temporal and our database answer, else 503 with what does not and what to do."""
    temporal, database = await asyncio.gather(_failure(_temporal(service)), _failure(_database(service)))
    if temporal or database:
        detail = "; ".join(filter(None, (temporal, database)))
        raise Failed(503, detail, {"retry-after": "5"}, temporal=temporal or "ok", database=database or "ok")
    return {"temporal": "ok", "database": "ok"}


async def _failure(check: Awaitable[None]) -> str | None:
    try:
        async with asyncio.timeout(READY_WITHIN):
            await check
    except AfterSalesError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {READY_WITHIN:.0f} s"
    return None


async def _temporal(service: Service) -> None:
    await (await service.engine()).check()


async def _database(service: Service) -> None:
    await service.store.run(lambda records: records.check())
