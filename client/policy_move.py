"""What an edited policy would change for open cases, as each says itself, and moving them to it (S18)."""

import asyncio
from collections.abc import AsyncIterator

from cases.contract import MOVE_POLICY
from cases.errors import Refusal
from cases.policy.policy import Policy
from cases.views.search_attributes import LINE
from client.cases import Engine, Json, NoSuchCase, equals
from client.connection import Unreachable
from client.stuck import AT_A_TIME


async def previews(engine: Engine, policy: Policy) -> list[Json]:
    """A row for each open case of the policy's line that it would change; only reads.

    `case_id`, `line`, `topic`, `status`, and what `cases.inbox.policy_move.preview` returns; or `unknown`: why a
    case could not be asked. Raises `Unreachable` when nothing, or no worker, answers.
    """
    content = policy.model_dump(mode="json")
    gate, silent = asyncio.Semaphore(AT_A_TIME), 0

    async def look(case: Json) -> Json | None:
        nonlocal silent
        about = {name: case[name] for name in ("case_id", "line", "topic", "status")}
        async with gate:
            if silent >= AT_A_TIME:
                raise Unreachable(f"too many cases do not answer, {case['case_id']} was not asked: starter.py stuck")
            try:
                found = await engine.preview(case["case_id"], content)
            except NoSuchCase:
                return None  # it closed, and the list of cases lags behind
            except Unreachable as error:
                silent += 1
                return {**about, "unknown": str(error)}
        return {**about, **found} if found else None

    opened = [row async for row in engine.cases("ExecutionStatus = 'Running'", equals(LINE, policy.line))]
    rows = await asyncio.gather(*map(look, opened))
    return [row for row in rows if row]


async def moved(engine: Engine, cases: list[str], payload: Json) -> AsyncIterator[tuple[str, Json | str]]:
    """Move cases, one after the other: each with its answer, or with the sentence that says why not.

    Raises `Unreachable`; the cases that were told before are moved.
    """
    for case in cases:
        try:
            yield case, await engine.tell(case, MOVE_POLICY, payload)
        except (Refusal, NoSuchCase) as error:
            yield case, str(error)
