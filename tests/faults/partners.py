"""Partners that contradict themselves: the sandbox, whose words and deeds are two things now and then (S25–S27).

What is said of a step is drawn from its key, so that the same run contradicts itself in the same places.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

import partners.sandbox.__main__ as sandbox
from cases.commands import StepCommand
from cases.names import MONEY, Partner, workflow_id
from partners.sandbox import app, reports
from partners.sandbox.fixtures import OrderFixture
from partners.sandbox.ledger import Report
from partners.wire import PROBLEM_JSON, STEP_REPORTED

HOW_OFTEN = "FAULTS_CONTRADICT"
"""The environment variable with the share of steps that partners contradict themselves about."""
DENIED = "denied"
"""What stands in the books' list of calls where a partner denied what it had done."""
NOT_SO = (409, 409, 423, 425, "failed")
"""What a partner answers that has just done it: busy with that very key, locked, too early, or a plain lie."""


class Words(NamedTuple):
    """What a partner says of one step that it carries out."""

    done_after: float | None = None
    """Seconds until it is reported as done; None: money is not reported."""
    answers_after: float = 0.0
    not_so: int | str | None = None
    """The answer in place of the receipt."""
    taken_back_after: float | None = None


def words(key: str, kind: str, share: float) -> Words:
    """What is said of the step with this key; mostly the truth."""
    chance = Random(f"words {key}")
    if chance.random() >= share:
        return Words()
    if kind not in MONEY:
        return Words(not_so=chance.choice([status for status in NOT_SO if status != "failed"]))
    match chance.randrange(4):
        case 0:
            return Words(not_so=chance.choice([status for status in NOT_SO if status != "failed"]))
        case 1:  # the report overtakes the answer
            return Words(done_after=0, answers_after=chance.choice([1, 4]), not_so=chance.choice(NOT_SO))
        case 2:  # or it comes afterwards
            return Words(done_after=chance.choice([1, 5]), not_so=chance.choice(NOT_SO))
    return Words(taken_back_after=chance.choice([1, 8, 40]))


def contradicting(share: float) -> None:
    """Make the sandbox of this process do so."""
    honest, build = reports.reports_of, app.create_app

    def reports_of(partner: Partner, command: StepCommand, fixture: OrderFixture, now: datetime) -> Iterator[Report]:
        yield from honest(partner, command, fixture, now)
        said = words(command.key, command.kind, share)
        for state, after in (("done", said.done_after), ("failed", said.taken_back_after)):
            if after is not None:
                word = {"step": command.step, "key": command.key, "state": state, "by": partner}
                word["message_id"] = f"{command.key}/{state}"
                due = now + timedelta(seconds=after)
                yield Report(command.case_id, workflow_id(command.case_id), STEP_REPORTED, word, due)

    def create_app(parts: Any) -> FastAPI:
        made = build(parts)

        @made.middleware("http")
        async def contradict(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
            if request.method != "POST" or not request.url.path.endswith("/steps"):
                return await answer(request)
            asked = json.loads(await request.body())
            given = await answer(request)
            said = words(asked["key"], asked["kind"], share)
            # Whoever asks again under the same key gets the truth.
            if given.status_code >= HTTPStatus.BAD_REQUEST or "Idempotent-Replayed" in given.headers or not said.not_so:
                return given
            about = {name: asked[name] for name in ("key", "kind", "case_id", "order_id")}
            fault = f"done, then {said.not_so}"
            parts.ledger.note_call(datetime.now(UTC), call=DENIED, fault=fault, **about)
            await asyncio.sleep(said.answers_after)
            if said.not_so == "failed":
                return JSONResponse({"reference": f"NO-{uuid4().hex[:6]}", "state": "failed"})
            problem = {"status": said.not_so, "title": "", "detail": "a request with this key is in progress"}
            return JSONResponse(problem, int(said.not_so), media_type=PROBLEM_JSON)

        return made

    vars(app)["reports_of"] = reports_of
    vars(sandbox)["create_app"] = create_app


if __name__ == "__main__":
    contradicting(float(os.environ.get(HOW_OFTEN, "0")))
    sys.exit(sandbox.main())
