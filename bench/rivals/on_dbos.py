"""The damage-replaced case on DBOS, as its guide shows: a workflow of steps, messages by `recv`, and FastAPI.

`python -m bench.rivals.on_dbos PORT DATABASE_URL` serves it. `POST /cases/CASE/run` starts a case,
`POST /cases/CASE/MESSAGE` sends a message, `GET /cases/CASE` returns the result.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any

import uvicorn
from dbos import DBOS, DBOSConfig, SetWorkflowID
from fastapi import FastAPI, HTTPException

from bench.rivals import plain
from bench.rivals.plain import Json, Notice

app = FastAPI()


def worth_retrying(error: BaseException) -> bool:
    """Return whether a step is tried again."""
    return not isinstance(error, plain.Refused)


persistent = DBOS.step(retries_allowed=True, max_attempts=100, should_retry=worth_retrying)
look_up, carry_out, notify = persistent(plain.look_up), persistent(plain.carry_out), persistent(plain.notify)


@DBOS.step()
async def archive(complaint: Json, record: Json) -> None:
    """Store the record of the closed case."""
    await asyncio.to_thread(plain.archive, complaint, record)


@DBOS.step()
async def now() -> float:
    """Return the time, which is recorded for recovery."""
    return time.time()


@DBOS.workflow()
async def complaint_case(complaint: Json) -> Json:
    """Handle a complaint to its end. Return the record."""
    await notify(complaint, "acknowledged", "customer")
    tracking, dispatch = await asyncio.gather(
        look_up("logistics/trail", complaint), look_up("warehouse/dispatch", complaint)
    )
    await notify(complaint, "needs_assessment", "owner")
    finding = await receive("assess", complaint, plain.promised(complaint))
    record = {"finding": finding, "tracking": tracking, "dispatch": dispatch}
    await notify(complaint, "offer", "customer")
    consent = await receive("customer_approved", complaint, plain.SILENCE)
    if consent is None:
        return await close(complaint, {**record, "outcome": "no_response"})
    await replace(complaint)
    await notify(complaint, "callback", "customer")
    answer = await receive("satisfaction_reported", complaint, plain.CALLBACKS)
    outcome = plain.outcome(answer["score"]) if answer else "unreachable"
    return await close(complaint, {**record, "consent": consent, "answer": answer, "outcome": outcome})


async def replace(complaint: Json) -> None:
    """Send new goods, collect the old ones once they have left, and wait for all reports, with daily updates."""
    await carry_out("replacement", complaint)
    requested, done, due, updates = {"replacement"}, set[str](), await now() + plain.DAY, 0
    while len(done) < len(plain.STEPS):
        report = await DBOS.recv_async("step_reported", timeout_seconds=max(0.0, due - await now()))
        if report is None:
            due, updates = due + plain.DAY, updates + 1
            await notify(complaint, "progress_update", "customer", updates)
            continue
        if report["state"] == "failed":
            await notify(complaint, "step_blocked", "team_lead")
            raise plain.Refused(report["step"])
        if "collection" not in requested:
            requested.add("collection")
            await carry_out("collection", complaint)
        if report["state"] == "done":
            done.add(report["step"])


async def receive(topic: str, complaint: Json, notices: Sequence[Notice]) -> Any:
    """Return the next message. Until it arrives, send each notice after its delay. None: it did not arrive."""
    for number, (delay, event, to) in enumerate(notices, start=2):
        message = await DBOS.recv_async(topic, timeout_seconds=delay)
        if message is not None:
            return message
        if event:
            await notify(complaint, event, to, number)
    return None


async def close(complaint: Json, record: Json) -> Json:
    """Send the report and archive the record."""
    await notify(complaint, "report", "customer")
    await archive(complaint, record)
    return record


@app.post("/cases/{case_id}/run")
async def run(case_id: str, complaint: Json) -> None:
    """Start the case, once per id."""
    with SetWorkflowID(case_id):
        await DBOS.start_workflow_async(complaint_case, complaint)


@app.post("/cases/{case_id}/{message}")
async def send(case_id: str, message: str, payload: Json) -> None:
    """Send a message to the case."""
    if message not in plain.MESSAGES:
        raise HTTPException(404)
    if message == "assess" and payload.get("severity") not in plain.SEVERITIES:
        raise HTTPException(422, f"severity: must be one of {', '.join(plain.SEVERITIES)}")
    await DBOS.send_async(case_id, payload, topic=message, idempotency_key=payload.get("message_id"))


@app.get("/cases/{case_id}")
async def result(case_id: str) -> Json:
    """Wait for the end of the case. Return the record."""
    handle = await DBOS.retrieve_workflow_async(case_id)
    found: Json = await handle.get_result()
    return found


if __name__ == "__main__":
    config: DBOSConfig = {"name": "rivals", "system_database_url": sys.argv[2], "log_level": "WARNING"}
    DBOS(config=config)
    DBOS.launch()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False)
