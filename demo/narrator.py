"""Print a story: what its people do and how the case changes, each line once and in order."""

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


class Narrator:
    """The lines of one story. They are collected until it is the story's turn, then printed as they come."""

    def __init__(self, console: Console, title: str) -> None:
        self.title = title
        self.failure: str | None = None
        self._console = console
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._shown = 0
        self._promises: dict[tuple[str, int, int], str] = {}

    def say(self, line: str) -> None:
        """Add a line in rich's markup."""
        self._lines.put_nowait(line)

    def fail(self, why: str) -> None:
        """Record that the story did not go as expected."""
        self.failure = why
        self.say(f"   [bold red]not as expected: {escape(why)}[/]")

    def close(self) -> None:
        """Mark the end of the story."""
        self._lines.put_nowait(None)

    async def print_story(self) -> None:
        """Print the story from beginning to end, as it happens."""
        self._console.print(f"\n[bold]{escape(self.title)}[/]")
        while (line := await self._lines.get()) is not None:
            self._console.print(line)

    def print_changes(self, snapshot: Snapshot) -> None:
        """Print what has changed in the case since the last call."""
        for index, promise in enumerate(snapshot.promises):
            key = (promise.name, promise.cycle, index)
            before, now = self._promises.get(key), promise.state
            self._promises[key] = now
            for line in _changes_of(promise, before) if now != before else ():
                self.say(f"   {line}")
        for entry in snapshot.timeline[self._shown :]:
            style = STYLES.get(entry.what, "")
            text = escape(entry.text)
            line = f"{at(entry.at)}  {entry.what}{f': {text}' if text else ''}"
            self.say(f"   [{style}]{line}[/]" if style else f"   {line}")
        self._shown = len(snapshot.timeline)


def at(time: datetime | None) -> str:
    """Return a time in the time zone of Shanghai."""
    return f"{time.astimezone(ZONE):%a %d %H:%M}" if time else "—"


def _changes_of(promise: PromiseView, before: str | None) -> Iterator[str]:
    """Yield the lines for a promise whose state has changed."""
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
            yield f"{'promise':>12}  [yellow]{name} paused[/] until the customer sends the evidence"
        case "open" if before == "paused":
            yield f"{'promise':>12}  {name} resumed, now due by {due}"
