"""A partner that answers slowly is not called inside workflow tasks, where other cases would wait for it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.callbacks import Callbacks
from activities.outcomes import TRY_AGAIN
from activities.shortcuts import PAUSE, TIME_OUTS, Shortcut
from cases.partner_calls import CallbackRequest, Contact, Delivery

REQUEST = CallbackRequest(key="HL-1/1/callback", case_id="HL-1", attempt=1, to=Contact(name="Wang Li"))


class Partner:
    """Answers, unless it is slow."""

    def __init__(self) -> None:
        self.calls = 0
        self.slow = False
        self.waiting = asyncio.Event()

    async def ask(self, request: CallbackRequest) -> Delivery:
        del request
        self.calls += 1
        if self.slow:
            self.waiting.set()
            await asyncio.Event().wait()
        return Delivery(reference="D-1", channel="callback", at=datetime.now(UTC))


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def called(callbacks: Callbacks, *, local: bool = True, slow: Partner | None = None) -> str:
    """Call as Temporal does; a local activity of a slow partner is cancelled. Return how it ended."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, is_local=local)
    call = asyncio.ensure_future(environment.run(callbacks.ask, REQUEST))
    if slow:
        await slow.waiting.wait()
        slow.waiting.clear()
        call.cancel()
    try:
        await call
    except asyncio.CancelledError:
        return "timed out"
    except ApplicationError as error:
        return str(error.type)
    return "answered"


async def slow(partner: Partner, callbacks: Callbacks, times: int) -> None:
    partner.slow = True
    for _ in range(times):
        assert await called(callbacks, slow=partner) == "timed out"


async def test_partner_that_is_late_three_times_in_a_row_is_left_alone() -> None:
    partner, clock = Partner(), Clock()
    callbacks = Callbacks(partner, Shortcut(clock=clock))

    await slow(partner, callbacks, TIME_OUTS)
    partner.slow = False

    assert await called(callbacks) == TRY_AGAIN
    assert partner.calls == TIME_OUTS


async def test_one_answer_in_time_starts_the_count_again() -> None:
    partner = Partner()
    callbacks = Callbacks(partner, Shortcut(clock=Clock()))

    await slow(partner, callbacks, TIME_OUTS - 1)
    partner.slow = False
    assert await called(callbacks) == "answered"
    await slow(partner, callbacks, TIME_OUTS - 1)
    partner.slow = False

    assert await called(callbacks) == "answered"


async def test_calls_on_its_task_queue_are_always_made() -> None:
    partner = Partner()
    callbacks = Callbacks(partner, Shortcut(clock=Clock()))

    await slow(partner, callbacks, TIME_OUTS)
    partner.slow = False

    assert await called(callbacks, local=False) == "answered"


async def test_after_a_pause_one_call_tries_whether_it_is_still_slow() -> None:
    partner, clock = Partner(), Clock()
    callbacks = Callbacks(partner, Shortcut(clock=clock))
    await slow(partner, callbacks, TIME_OUTS)

    clock.now += PAUSE
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, is_local=True)
    tried = asyncio.ensure_future(environment.run(callbacks.ask, REQUEST))
    await partner.waiting.wait()

    assert await called(callbacks) == TRY_AGAIN
    tried.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tried
    assert await called(callbacks) == TRY_AGAIN

    clock.now += PAUSE
    partner.slow = False
    assert [await called(callbacks) for _ in range(2)] == ["answered", "answered"]


async def test_partner_with_a_rate_limit_is_only_called_where_calls_are_counted() -> None:
    partner = Partner()
    callbacks = Callbacks(partner, Shortcut(limited=True))

    assert await called(callbacks) == TRY_AGAIN
    assert await called(callbacks, local=False) == "answered"
    assert partner.calls == 1
