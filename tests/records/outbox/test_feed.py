"""A reader gets each new event once and in order, soon after it was written, and survives a restart of the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from records import Records, StoredEvent
from records.outbox import feed as module
from records.outbox.feed import follow
from tests.records.conftest import run
from tests.records.projected import projected

PATIENCE = 30
"""Seconds; no test waits that long unless it fails."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.02)


async def upto(feed: AsyncIterator[list[StoredEvent]], case_id: str) -> list[StoredEvent]:
    """Return what the feed gives up to the last event of the case's first row."""
    found: list[StoredEvent] = []
    async with asyncio.timeout(PATIENCE):
        async for batch in feed:
            found += batch
            if any(event.case_id == case_id and event.type == "case.needs_changed" for event in batch):
                return found
    raise AssertionError("the feed has ended")


async def write(records: Records, case_id: str, seq: int = 1) -> None:
    await asyncio.to_thread(records.project, projected(case_id, seq=seq))
    await asyncio.to_thread(records.number_events)


async def test_reader_gets_the_events_that_are_written_after_it_began(
    records: Records, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(records, "HL-0")
    loop, began, latest = asyncio.get_running_loop(), asyncio.Event(), records.latest_seq

    def looked() -> int:
        found = latest()
        loop.call_soon_threadsafe(began.set)
        return found

    monkeypatch.setattr(records, "latest_seq", looked)
    async with aclosing(follow(records, url)) as feed:
        reading = asyncio.ensure_future(upto(feed, "HL-1"))
        await asyncio.wait_for(began.wait(), PATIENCE)
        await write(records, "HL-1")
        found = await reading

    assert found == records.events_after(4, 100)


async def test_reader_goes_on_where_it_was(records: Records, url: str) -> None:
    for number in range(3):
        await write(records, f"HL-{number}")

    async with aclosing(follow(records, url, after=0)) as feed:
        seen = await upto(feed, "HL-2")
    await write(records, "HL-3")
    async with aclosing(follow(records, url, after=seen[-1].seq)) as feed:
        later = await upto(feed, "HL-3")

    assert [event.seq for event in seen + later] == list(range(1, len(seen + later) + 1))


async def test_reader_on_postgresql_is_notified(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a notice it would look again only after the test's patience."""
    monkeypatch.setattr(module, "AT_THE_LATEST", 10 * PATIENCE)
    records = Records(postgresql_url)
    async with aclosing(follow(records, postgresql_url, after=0)) as feed:
        reading = asyncio.ensure_future(upto(feed, "HL-2"))
        await write(records, "HL-1")
        await write(records, "HL-2")

        found = await reading

    assert {event.case_id for event in found} == {"HL-1", "HL-2"}
    records.close()


async def test_reader_survives_a_lost_connection(postgresql_url: str) -> None:
    records = Records(postgresql_url)
    async with aclosing(follow(records, postgresql_url, after=0)) as feed:
        await write(records, "HL-1")
        seen = await upto(feed, "HL-1")
        listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN case_events'"
        reading = asyncio.ensure_future(upto(feed, "HL-2"))
        run(postgresql_url, listening)
        await write(records, "HL-2")

        later = await reading

    assert [event.seq for event in seen + later] == list(range(1, len(seen + later) + 1))
    records.close()
