"""Compare bare, hollow and real cases in one run, in turn, so that a slow machine slows all of them.

In each round every player runs at saturation; CPU time and storage are read before and after. Then each runs once at a
slow pace, to measure the times that a customer sees. At the end cases are left open, to measure memory.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

from bench.arms import Arm
from bench.counting.measuring import Meter, Run, memory, total
from bench.counting.numbers import percentile, spread
from bench.driving import BarePlayer, CasePlayer, Played, Player, at_most, at_pace, hollow_players, players
from bench.hollow import HOLLOW
from bench.machines import BareMachine
from bench.rivals.machines import rival_player
from bench.shapes import DAMAGE_REPLACED, SHAPES

Row = dict[str, Any]
WARM_UP, SAMPLE = 3, 5
"""Cases that are played before measuring starts, and cases of each batch whose histories are counted."""


@dataclass(frozen=True)
class Size:
    """The size of the measurement."""

    rounds: int = 3
    cases: int = 100
    in_flight: int = 40
    paced: int = 10
    every: float = 1.0
    held: int = 300


async def compare(
    arms: Sequence[Arm], shapes: Sequence[str], size: Size, run: Run, rivals: Sequence[str] = ()
) -> list[Row]:
    """Return a row for the bare case, one for each shape on each arm, and one for each other engine."""
    async with AsyncExitStack() as stack:
        run.progress("starting the bare server and worker")
        bare = await stack.enter_async_context(BareMachine(run.folder("bare")))
        run.progress("starting the hollow cases' server and worker")
        everyone: list[Player] = [
            BarePlayer(bare, run.watch),
            *await stack.enter_async_context(hollow_players(run.folder(HOLLOW), shapes, run.watch)),
        ]
        for arm in arms:
            run.progress(f"starting {arm.name}")
            wanted = [SHAPES[name] for name in shapes]
            everyone += await stack.enter_async_context(players(arm, run.folder(arm.name), wanted, run.watch))
        for name in rivals:
            run.progress(f"starting {name}")
            everyone.append(await stack.enter_async_context(rival_player(name, run.folder(name), run.watch)))
        return await run.watch.over(_measure(everyone, size, run))


async def _measure(everyone: list[Player], size: Size, run: Run) -> list[Row]:
    for player in everyone:
        await at_most(min(WARM_UP, size.cases), WARM_UP, player.play)
    rounds: dict[Player, list[Row]] = {player: [] for player in everyone}
    for number in range(size.rounds):
        first = number % len(everyone)  # each round starts with another player
        for player in everyone[first:] + everyone[:first]:
            found = await _at_saturation(player, size)
            rounds[player].append(found)
            what = f"{found['per_second']:.1f} cases/s, {total(found['cpu_ms']):.0f} ms of CPU each"
            run.progress(f"round {number + 1} of {size.rounds}: {player.target.name}, {player.name}: {what}")
    rows = []
    for player in everyone:
        run.progress(f"one every {size.every:g} s: {player.target.name}, {player.name}")
        rows.append(_row(player, rounds[player], await at_pace(size.paced, size.every, player.play)))
    for row, player in zip(rows, everyone, strict=True):
        if size.held and isinstance(player, CasePlayer) and player.name == DAMAGE_REPLACED.name:
            run.progress(f"leaving {size.held} cases open: {player.target.name}")
            row["memory_per_1000_open"] = await _held_open(player, size)
    return rows


async def _at_saturation(player: Player, size: Size) -> Row:
    """Play a batch of cases with a fixed number in flight. Return the average cost of one."""
    meter = Meter(player.target)
    played = await at_most(size.cases, size.in_flight, player.play)
    cost = await meter.read()
    return {
        "per_second": size.cases / cost.seconds,
        "cpu_ms": {role: spent / size.cases for role, spent in cost.cpu_ms.items()},
        "storage_bytes": cost.storage_bytes / size.cases,
        "kept": [asdict(await player.target.kept(each.workflow)) for each in played[:SAMPLE]],
        "times": _times(played),
    }


async def _held_open(player: CasePlayer, size: Size) -> dict[str, float]:
    """Return the bytes of memory of 1,000 cases that wait for the customer's consent."""
    before = memory(player.target)
    await at_most(size.held, size.in_flight, player.until_offered)
    return {role: (now - before[role]) * 1000 / size.held for role, now in memory(player.target).items()}


def total_cpu(row: Row) -> float:
    """Return the CPU milliseconds of one case, without the sandbox."""
    return total({role: spread["median"] for role, spread in row["cpu_ms"].items()})


def _times(played: list[Played]) -> dict[str, list[float]]:
    """Return the times of each case in milliseconds."""
    return {
        "first": [1000 * (p.first - p.started) for p in played],
        "last": [1000 * (p.last - p.agreed) for p in played if p.agreed],
    }


def _row(player: Player, rounds: list[Row], paced: list[Played]) -> Row:
    """Summarize the rounds of one player."""
    kinds = {kind for each in rounds for k in each["kept"] for kind in k["actions"]}
    samples = [k for each in rounds for k in each["kept"]]
    pooled = {name: [t for each in rounds for t in each["times"][name]] for name in ("first", "last")}
    return {
        "arm": player.target.name,
        "case": player.name,
        "per_second": spread([each["per_second"] for each in rounds])._asdict(),
        "cpu_ms": {role: spread([each["cpu_ms"][role] for each in rounds])._asdict() for role in rounds[0]["cpu_ms"]},
        "storage_bytes": spread([each["storage_bytes"] for each in rounds])._asdict(),
        **{n: spread([s[n] for s in samples])._asdict() for n in ("events", "state_transitions", "history_bytes")},
        "billable": spread([sum(s["actions"].values()) for s in samples])._asdict(),
        "actions": {kind: spread([s["actions"].get(kind, 0) for s in samples]).median for kind in sorted(kinds)},
        "saturated_ms": _percentiles(pooled),
        "paced_ms": _percentiles(_times(paced)),
    }


def _percentiles(times: dict[str, list[float]]) -> Row:
    return {
        name: {"p50": percentile(values, 0.5), "p95": percentile(values, 0.95)}
        for name, values in times.items()
        if values
    }
