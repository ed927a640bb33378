"""Telling a story: what its people do, and what its case makes of it, each line once and in order."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

from cases.views.handling_view import PromiseView
from cases.views.snapshot import Snapshot

ZONE = ZoneInfo("Asia/Shanghai")
STYLES = {
    "step blocked": "red", "escalated": "yellow", "step unknown": "red", "agreed": "green", "closed": "bold green",
    "declined": "magenta", "offered": "cyan", "satisfaction": "magenta", "acknowledged": "green",
}  # fmt: skip


class Teller:
    """One story's lines: kept until it is this story's turn, then printed as they come."""

    def __init__(self, console: Console, title: str) -> None:
        self.title = title
        self.failure: str | None = None
        self._console = console
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._told = 0
        self._promises: dict[tuple[str, int, int], str] = {}

    def say(self, line: str) -> None:
        """One more line, in rich's markup."""
        self._lines.put_nowait(line)

    def fail(self, why: str) -> None:
        """The story did not go as told."""
        self.failure = why
        self.say(f"   [bold red]not as told: {escape(why)}[/]")

    def close(self) -> None:
        """The story is over."""
        self._lines.put_nowait(None)

    async def tell(self) -> None:
        """Print the story from its beginning to its end, as it happens."""
        self._console.print(f"\n[bold]{escape(self.title)}[/]")
        while (line := await self._lines.get()) is not None:
            self._console.print(line)

    def tell_news(self, snapshot: Snapshot) -> None:
        """What is new in the case since it was last looked at."""
        for index, promise in enumerate(snapshot.promises):
            key = (promise.name, promise.cycle, index)
            before, now = self._promises.get(key), promise.state
            self._promises[key] = now
            for line in _news_of(promise, before) if now != before else ():
                self.say(f"   {line}")
        for entry in snapshot.timeline[self._told :]:
            style = STYLES.get(entry.what, "")
            text = escape(entry.text)
            line = f"{at(entry.at)}  {entry.what}{f': {text}' if text else ''}"
            self.say(f"   [{style}]{line}[/]" if style else f"   {line}")
        self._told = len(snapshot.timeline)


def at(time: datetime | None) -> str:
    """A time as a person in Shanghai reads it."""
    return f"{time.astimezone(ZONE):%a %d %H:%M}" if time else "—"


def _news_of(promise: PromiseView, before: str | None) -> Iterator[str]:
    """What there is to say of a promise whose state is not what it was."""
    name, due = promise.name, at(promise.due_at)
    if before is None:
        within = promise.within
        yield f"{'promised':>12}  {name} {f'by {due}  [dim]({within})[/]' if promise.due_at else f'within {within}'}"
    match promise.state:
        case "kept":
            yield f"{'promise':>12}  [green]{name} kept[/]"
        case "broken":
            yield f"{'promise':>12}  [bold red]{name} broken[/]"
        case "paused":
            yield f"{'promise':>12}  [yellow]{name} stands still[/] until the customer has shown what was asked for"
        case "open" if before == "paused":
            yield f"{'promise':>12}  {name} runs on, now by {due}"
