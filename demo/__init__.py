"""The demo: stories with simulated people, on a real server, worker and partner sandbox on this machine.

Promises keep their real durations; the embedded server skips time. The demo fails if a story does not end as
expected.
"""

import asyncio
import contextlib
import time
from pathlib import Path

from rich.console import Console
from temporalio.client import Client

from cases.errors import AfterSalesError
from demo.narrator import Narrator
from demo.play import Stage
from demo.review import review
from demo.stories import ALONE, TOGETHER, Story
from demo.summary import summarise
from embedded import Embedded
from encryption import data_converter
from settings import configured

FIXTURES = Path(__file__).with_name("orders.yaml")
WIDTH = 100
"""Columns for the summary table."""
AT_A_TIME = 5
"""How many stories are played at the same time; they are printed one by one."""


def main(*, stay: bool = False) -> int:
    """Play and print every story, then the summary. Return 0 if all ended as expected, else 1."""
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, WIDTH)
    try:
        return asyncio.run(_demonstrate(console, stay=stay))
    except AfterSalesError as error:
        Console(stderr=True).print(str(error), markup=False)
        return 1
    except KeyboardInterrupt:
        return 130


async def _demonstrate(console: Console, *, stay: bool) -> int:
    started = time.monotonic()
    ports = (
        {"port": 7233, "ui_port": 8233, "partners_port": 8733}
        if stay
        else {"port": 0, "ui_port": 0, "partners_port": 0}
    )
    console.print("Starting Temporal with its UI, the partner sandbox and a worker …")
    async with Embedded(data=None, fixtures=FIXTURES, **ports) as machine:
        console.print(f"Temporal UI: {machine.ui}    partners: {machine.partners}    server: {machine.address}")
        client = await Client.connect(machine.address, data_converter=data_converter(configured()))
        async with Stage(client, machine) as stage:
            as_expected = await play_all(console, stage)
        console.print("\n[bold]Review[/]")
        for line in await asyncio.to_thread(review, machine.records_url, configured().reviews):
            console.print(line, markup=False)
        console.print(f"\n{time.monotonic() - started:.0f} seconds; Temporal UI: {machine.ui}")
        if stay:
            console.print("The server keeps running until Ctrl-C.")
            with contextlib.suppress(asyncio.CancelledError):
                await machine.wait()
    return 0 if as_expected else 1


async def play_all(console: Console, stage: Stage) -> bool:
    """Play and print every story, then the summary. Return whether all ended as expected."""
    narrators = [Narrator(console, story.title) for story in (*TOGETHER, *ALONE)]
    printing = asyncio.create_task(_print(narrators))
    await _play_together(stage, narrators)
    for story, narrator in zip(ALONE, narrators[len(TOGETHER) :], strict=True):
        await _play(stage, story, narrator)
    await printing
    return await summarise(console, stage, list(zip((*TOGETHER, *ALONE), narrators, strict=True)))


async def _play_together(stage: Stage, narrators: list[Narrator]) -> None:
    """Play several stories at a time. Meanwhile the worker process is killed and restarted, without consequences."""
    places = asyncio.Semaphore(AT_A_TIME)

    async def one(story: Story, narrator: Narrator) -> None:
        async with places:
            await _play(stage, story, narrator)

    playing = asyncio.gather(*(one(s, t) for s, t in zip(TOGETHER, narrators, strict=False)))
    await stage.worker_crashes_once()
    await playing


async def _play(stage: Stage, story: Story, narrator: Narrator) -> None:
    try:
        await story.play(stage, narrator)
    except Exception as error:  # noqa: BLE001 (the other stories continue, and the exit code is 1)
        narrator.fail(f"{error or type(error).__name__}")
    finally:
        narrator.close()


async def _print(narrators: list[Narrator]) -> None:
    for narrator in narrators:
        await narrator.print_story()
