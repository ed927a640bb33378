"""Preview what an edited policy would change for open cases, and move cases to it (S18)."""

import asyncio
from collections.abc import AsyncIterator

from cases.contract import MOVE_POLICY
from cases.entitlement.hindsight import hindsight, summary
from cases.errors import Refusal
from cases.policy.policy import Policy
from cases.views.search_attributes import LINE
from client.archive import records_of
from client.cases import Engine
from client.connection import Unreachable
from client.errors import NoSuchCase
from client.lists import Json, NoDatabase, equals
from client.stuck import AT_A_TIME


async def previews(engine: Engine, policy: Policy) -> list[Json]:
    """Return a row for each open case of the policy's line that it would change. Only reads.

    A row has `case_id`, `line`, `topic`, `status`, and what `cases.inbox.policy_move.preview` returns, or `unknown`
    with the reason why the case did not answer. Raises `Unreachable` if the server or the worker does not answer.
    """
    content = policy.model_dump(mode="json")
    gate, unanswered = asyncio.Semaphore(AT_A_TIME), 0

    async def look(case: Json) -> Json | None:
        nonlocal unanswered
        about = {name: case[name] for name in ("case_id", "line", "topic", "status")}
        async with gate:
            if unanswered >= AT_A_TIME:
                raise Unreachable(
                    f"too many cases do not answer, {case['case_id']} was not asked: run starter.py stuck"
                )
            try:
                found = await engine.preview(case["case_id"], content)
            except NoSuchCase:
                return None  # it closed, and the list of cases lags behind
            except Unreachable as error:
                unanswered += 1
                return {**about, "unknown": str(error)}
        return {**about, **found} if found else None

    opened = [row async for row in engine.cases("ExecutionStatus = 'Running'", equals(LINE, policy.line))]
    rows = await asyncio.gather(*map(look, opened))
    return [row for row in rows if row]


def in_hindsight(database_url: str, policy: Policy, last: int) -> Json:
    """Return what the policy would have promised, broken and paid in the cases of its line that closed last.

    Raises `NoDatabase` if there is no database yet, and what `records.Records` raises.
    """
    with records_of(database_url) as records:
        if records is None:
            raise NoDatabase("our database does not exist yet: a worker creates it")
        closed = records.last_closed(policy.line, last)
    found = summary(hindsight(case_id, record, policy) for case_id, record in closed if record.get("complaint"))
    return {"line": policy.line, "policy": policy.version, **found}


async def moved(engine: Engine, cases: list[str], payload: Json) -> AsyncIterator[tuple[str, Json | str]]:
    """Move cases one by one. Yield each with its answer, or with the reason why it was refused.

    Raises `Unreachable`; the cases yielded before have been moved.
    """
    for case in cases:
        try:
            yield case, await engine.send(case, MOVE_POLICY, payload)
        except (Refusal, NoSuchCase) as error:
            yield case, str(error)
