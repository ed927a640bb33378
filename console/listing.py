"""`starter.py list`: the cases that the server knows, filtered and printed in 100 columns."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cases.errors import AfterSalesError
from cases.policy.policy import Policy
from cases.text import comparable
from cases.views.search_attributes import LINE, ORDER, STATUS, TEAM, TOPIC
from cases.vocabulary import Status
from client.cases import Engine
from client.connection import Unreachable
from client.lists import Json, equals, overdue
from client.stuck import AT_A_TIME
from console.arguments import one_of
from console.reading import clock, plain, zone_of
from policies import known_policies

COLUMNS = 100
ID = 32
"""Columns for a case id; a longer id gets a separate line, so that it can be copied."""


class Filters(NamedTuple):
    """Which cases to list. None means no restriction."""

    status: str | None = None
    line: str | None = None
    topic: str | None = None
    team: str | None = None
    order: str | None = None
    owner: str | None = None
    overdue: bool = False
    closed_too: bool = False

    def conditions(self, now: datetime) -> list[str]:
        """Return the filters as conditions for Temporal's list API. `owner` is not a search attribute."""
        order = comparable(self.order) if self.order else None
        wanted = {STATUS: self.status, LINE: self.line, TOPIC: self.topic, TEAM: self.team, ORDER: order}
        found = [equals(attribute, value) for attribute, value in wanted.items() if value]
        if self.overdue:
            found += overdue(now)
        elif not self.closed_too and self.status != Status.CLOSED:
            found.append("ExecutionStatus = 'Running'")
        return found


class Found(NamedTuple):
    """The matching cases, and why some could not be asked for their owner."""

    rows: list[Json]
    errors: list[str]


async def find(filters: Filters) -> Found:
    """Return the cases that match, latest first. Raises `click.BadParameter` for an impossible filter value."""
    _check(filters)
    try:
        engine = await Engine.connect()
        rows = [row async for row in engine.cases(*filters.conditions(datetime.now(UTC)))]
    except Unreachable:
        _check_team(filters.team)
        raise
    if not rows:
        _check_team(filters.team)
    return Found(rows, []) if filters.owner is None else await _owned(engine, rows, filters.owner)


def _check(filters: Filters) -> None:
    if filters.line is None and filters.topic is None:
        return
    known = known_policies()
    if filters.line is not None:
        one_of("--line", filters.line, known)
        known = {filters.line: known[filters.line]}
    if filters.topic is not None:
        one_of("--topic", filters.topic, {topic for policy in known.values() for topic in policy.topics})


def _check_team(team: str | None) -> None:
    """Raise if no policy names the team. Called only if it has no cases: cases can be assigned to any team."""
    if team is not None:
        one_of("--team", team, {name for policy in known_policies().values() for name in _teams(policy)})


def _teams(policy: Policy) -> Iterable[str]:
    return (name for topic in policy.topics.values() for name in (topic.team, topic.audit) if name)


async def _owned(engine: Engine, rows: list[Json], owner: str) -> Found:
    """Ask each case for its owner, and return those that `owner` has; their rows then have `owner`."""
    gate = asyncio.Semaphore(AT_A_TIME)

    async def ask(row: Json) -> Json | str:
        async with gate:
            try:
                seen = await engine.snapshot(row["case_id"])
            except AfterSalesError as error:
                return str(error)
        return {**row, "owner": seen.owner.name}

    answers = await asyncio.gather(*map(ask, rows))
    answered = [answer for answer in answers if not isinstance(answer, str)]
    wanted = owner.strip().casefold()
    owned = [row for row in answered if (row["owner"] or "").casefold() == wanted]
    return Found(owned, [answer for answer in answers if isinstance(answer, str)])


def drawn(rows: list[Json]) -> RenderableType:
    """Return two lines for each case: first id, status and deadline, then what it is about."""
    return Group(*(part for row in rows for part in _case(row))) if rows else Text("no cases")


def _case(row: Json) -> list[RenderableType]:
    case_id, status = plain(row["case_id"]), plain(row["outcome"] or row["status"])
    late, zone = row["broken_promises"], zone_of(row["line"])
    due = f"due {clock(row['next_due_at'], zone)}" if row["next_due_at"] else ""
    facts = [
        *(["URGENT"] if row["urgent"] else []),
        f"{plain(row['line'])} {plain(row['topic'])}",
        f"team {plain(row['team'])}",
        *([f"owner {plain(row['owner'])}"] if row.get("owner") else []),
        f"order {plain(row['order_id'])}",
        *([f"broken {plain(late)}"] if late else []),
        *([f"rung {plain(row['escalation_rung'])}"] if row["escalation_rung"] else []),
    ]
    head = Text(case_id, style="bold", overflow="fold")
    rest = Text(f"{status:<19}{due}".rstrip(), style="bold red" if late else "")
    first = [Text.assemble(head, " " * (ID - len(case_id)), rest)] if len(case_id) < ID else [head, _indented(rest, ID)]
    return [*first, _indented(Text(" · ".join(facts), style="dim"), 2)]


def _indented(text: Text, by: int) -> Padding:
    return Padding(text, (0, 0, 0, by), expand=False)
