"""`python -m bench door`: the HTTP API while clients send more than the machine can do.

Times are ratios to `GET /health` of the same moment, which asks nothing else: they mean the same on slow machines.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

import policies
from bench.targets import Target
from cases.policy.policy import Policy
from client.serving import keys
from console.example import example
from embedded import Embedded
from records import Records
from settings import ROOT

Row = dict[str, Any]
READ, LIST, OPEN, HEALTH = "read", "list", "open", "health"
MIX = (READ, READ, LIST, OPEN)
"""What a client sends, in turn."""
PAUSE_AFTER_429 = 0.05
"""Seconds: a client that ignores `Retry-After`, so that the load stays above what can be answered."""
SETTLE_WITHIN = 300
"""Seconds within which every accepted complaint has to be listed after the load has ended."""


@dataclass
class Found:
    """What the clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in (*set(MIX), HEALTH)})
    accepted: list[str] = field(default_factory=list)


async def door(folder: Path, clients: int, seconds: float) -> Row:
    """Return what the clients saw, idle and under load. `clients` send without a pause for so many `seconds`."""
    async with Embedded(data=folder, port=0, ui_port=0, partners_port=0, web_port=0) as machine:
        with closing(Records(f"sqlite:///{folder / 'records.db'}")) as records:
            known = policies.load(ROOT / "policies")
            scopes = ("cases:write", "read:*")
            made = [keys.create(records, f"client {number}", scopes, known) for number in range(clients)]
        complaints = _complaints(known["fresh_food"])
        async with aiohttp.ClientSession(str(machine.web), connector=aiohttp.TCPConnector(limit=0)) as http:
            idle, busy = Found(), Found()
            await _client(http, made[0], complaints, idle, until=time.monotonic() + seconds / 4, pause=0.1)
            stop = time.monotonic() + seconds
            loads = [_client(http, key, complaints, busy, until=stop) for key in made]
            await asyncio.gather(*loads, _prober(http, busy, stop))
            lost = await _lost(http, made[0], [*idle.accepted, *busy.accepted])
    return {"idle": _summary(idle), "busy": _summary(busy), "lost": len(lost)}


def targets(found: Row) -> list[Target]:
    """Return the targets: nothing fails, nothing is lost, and reads stay usable."""
    busy = found["busy"]
    failed = sum(number for status, number in busy["statuses"].items() if status.split()[1] >= "500")
    health = busy["ms"][HEALTH]["p99"]
    return [
        Target("answers 5xx under load", float(failed), 0),
        Target("accepted complaints that have no case", float(found["lost"]), 0),
        Target("p99 of lists ÷ p99 of GET /health, under load", busy["ms"][LIST]["p99"] / health, 10),
        Target("p99 of reads of one case ÷ p99 of GET /health, under load", busy["ms"][READ]["p99"] / health, 10),
    ]


def _complaints(policy: Policy) -> Iterator[Row]:
    """Yield complaints, each about an order of its own."""
    for number in count(1):
        raw = example(policy, None, datetime.now(UTC))
        yield {**raw, "case_id": f"DOOR-{number}", "order": {**raw["order"], "order_id": f"SO-DOOR-{number}"}}


async def _client(  # noqa: PLR0913 (a client has that many settings)
    http: aiohttp.ClientSession, key: str, complaints: Iterator[Row], found: Found, *, until: float, pause: float = 0.0
) -> None:
    headers = {"authorization": f"Bearer {key}"}
    last: str | None = None
    while time.monotonic() < until:
        for kind in MIX:
            began = time.monotonic()
            if kind == OPEN or last is None:
                request = http.post("/v1/cases", json=next(complaints), headers=headers)
                kind = OPEN  # noqa: PLW2901 (there is nothing to read yet)
            else:
                path = f"/v1/cases/{last}" if kind == READ else "/v1/cases?line=fresh_food&limit=20"
                request = http.get(path, headers=headers)
            async with request as answer:
                content = await answer.json(content_type=None)
                found.statuses[f"{kind} {answer.status}"] += 1
                if answer.ok:
                    found.seconds[kind].append(time.monotonic() - began)
                if answer.ok and kind == OPEN:
                    last = content["case_id"]
                    found.accepted.append(content["case_id"])
            await asyncio.sleep(PAUSE_AFTER_429 if answer.status == 429 else pause)  # noqa: PLR2004 (the status)


async def _prober(http: aiohttp.ClientSession, found: Found, until: float) -> None:
    while time.monotonic() < until:
        began = time.monotonic()
        async with http.get("/health") as answer:
            await answer.read()
        found.seconds[HEALTH].append(time.monotonic() - began)
        await asyncio.sleep(0.02)


async def _lost(http: aiohttp.ClientSession, key: str, accepted: list[str]) -> set[str]:
    """Return the accepted complaints that are not listed after a while."""
    missing, deadline = set(accepted), time.monotonic() + SETTLE_WITHIN
    while missing and time.monotonic() < deadline:
        cursor = ""
        while True:
            path = f"/v1/cases?state=all&limit=200{cursor}"
            async with http.get(path, headers={"authorization": f"Bearer {key}"}) as answer:
                page = json.loads(await answer.read())
            missing -= {row["case_id"] for row in page["cases"]}
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        await asyncio.sleep(1)
    return missing


def _summary(found: Found) -> Row:
    return {
        "statuses": dict(sorted(found.statuses.items())),
        "ms": {kind: _spread(times) for kind, times in found.seconds.items() if times},
    }


def _spread(times: list[float]) -> Row:
    ordered = sorted(1000 * each for each in times)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return {"number": len(ordered), "p50": at(0.5), "p99": at(0.99)}
