"""The damage-replaced case on Restate, as its guide shows: a workflow of `ctx.run`, messages by durable promises.

`python -m bench.rivals.on_restate PORT` serves it to the Restate server, through which it is called:
`POST /Complaint/CASE/run/send` starts a case, `POST /Complaint/CASE/MESSAGE` sends a message.
"""

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import hypercorn
import restate
import uvloop
from hypercorn.asyncio import serve
from restate import TerminalError, Workflow, WorkflowContext, WorkflowSharedContext

from bench.rivals import plain
from bench.rivals.plain import Json, Notice

complaint_case = Workflow("Complaint")


async def notify(ctx: WorkflowContext, complaint: Json, event: str, to: str, number: int = 1) -> None:
    """Send a notification."""
    await ctx.run_typed(event, plain.notify, complaint=complaint, event=event, to=to, number=number)


async def carry_out(ctx: WorkflowContext, kind: str, complaint: Json) -> Json:
    """Have a step carried out."""

    async def work() -> Json:
        try:
            return await plain.carry_out(kind, complaint)
        except plain.Refused as error:
            raise TerminalError(str(error)) from error

    return await ctx.run_typed(kind, work)


@complaint_case.main()
async def run(ctx: WorkflowContext, complaint: Json) -> Json:
    """Handle a complaint to its end. Return the record."""
    await notify(ctx, complaint, "acknowledged", "customer")
    asked = [
        ctx.run_typed(what, plain.look_up, what=what, complaint=complaint)
        for what in ("logistics/trail", "warehouse/dispatch")
    ]
    tracking, dispatch = [await each for each in await restate.gather(*asked)]
    await notify(ctx, complaint, "needs_assessment", "owner")
    finding = await receive(ctx, "assess", complaint, plain.promised(complaint))
    record = {"finding": finding, "tracking": tracking, "dispatch": dispatch}
    await notify(ctx, complaint, "offer", "customer")
    consent = await receive(ctx, "customer_approved", complaint, plain.SILENCE)
    if consent is None:
        return await close(ctx, complaint, {**record, "outcome": "no_response"})
    await replace(ctx, complaint)
    await notify(ctx, complaint, "callback", "customer")
    answer = await receive(ctx, "satisfaction_reported", complaint, plain.CALLBACKS)
    outcome = plain.outcome(answer["score"]) if answer else "unreachable"
    return await close(ctx, complaint, {**record, "consent": consent, "answer": answer, "outcome": outcome})


async def replace(ctx: WorkflowContext, complaint: Json) -> None:
    """Send new goods, collect the old ones once they have left, and wait for all reports, with daily updates."""
    day, updates = timedelta(seconds=plain.DAY), 0
    await carry_out(ctx, "replacement", complaint)
    due = ctx.sleep(day)
    for awaited in ("replacement/dispatched", "replacement/done", "collection/done"):
        report = ctx.promise(awaited, type_hint=dict).value()
        while (await restate.select(report=report, due=due))[0] == "due":
            due, updates = ctx.sleep(day), updates + 1
            await notify(ctx, complaint, "progress_update", "customer", updates)
        if (await report)["state"] == "failed":
            await notify(ctx, complaint, "step_blocked", "team_lead")
            raise TerminalError(awaited)
        if awaited == "replacement/dispatched":
            await carry_out(ctx, "collection", complaint)


async def receive(ctx: WorkflowContext, name: str, complaint: Json, notices: Sequence[Notice]) -> Any:
    """Return the message. Until it arrives, send each notice after its delay. None: it did not arrive."""
    message = ctx.promise(name, type_hint=dict).value()
    for number, (delay, event, to) in enumerate(notices, start=2):
        match await restate.select(message=message, due=ctx.sleep(timedelta(seconds=delay))):
            case ["message", found]:
                return found
        if event:
            await notify(ctx, complaint, event, to, number)
    return None


async def close(ctx: WorkflowContext, complaint: Json, record: Json) -> Json:
    """Send the report and archive the record."""
    await notify(ctx, complaint, "report", "customer")
    await ctx.run_typed("archive", plain.archive, complaint=complaint, record=record)
    return record


@complaint_case.handler()
async def assess(ctx: WorkflowSharedContext, finding: Json) -> None:
    """Record the agent's finding."""
    if finding.get("severity") not in plain.SEVERITIES:
        raise TerminalError(f"severity: must be one of {', '.join(plain.SEVERITIES)}", status_code=422)
    await ctx.promise("assess", type_hint=dict).resolve(finding)


@complaint_case.handler()
async def customer_approved(ctx: WorkflowSharedContext, how: Json) -> None:
    """Record the customer's consent."""
    await ctx.promise("customer_approved", type_hint=dict).resolve(how)


@complaint_case.handler()
async def step_reported(ctx: WorkflowSharedContext, report: Json) -> None:
    """Record a partner's report. A step that is done or has failed will not be dispatched any more."""
    states = ("dispatched",) if report["state"] == "dispatched" else ("dispatched", "done")
    for state in states:
        promise = ctx.promise(f"{report['step']}/{state}", type_hint=dict)
        if await promise.peek() is None:
            await promise.resolve(report)


@complaint_case.handler()
async def satisfaction_reported(ctx: WorkflowSharedContext, answer: Json) -> None:
    """Record the customer's answer to the callback."""
    await ctx.promise("satisfaction_reported", type_hint=dict).resolve(answer)


if __name__ == "__main__":
    config = hypercorn.Config()
    config.bind = [f"127.0.0.1:{sys.argv[1]}"]
    uvloop.run(serve(restate.app([complaint_case]), config))
