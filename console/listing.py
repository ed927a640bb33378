"""`starter.py list` and `starter.py reconcile`: cases, filtered and printed in 100 columns, and what was healed."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cases.errors import AfterSalesError
from cases.policy.policy import Policy
from cases.text import comparable, same_name
from cases.views.search_attributes import LINE, ORDER, STATUS, TEAM, TOPIC
from cases.vocabulary import Status
from client.archive import is_database_set, is_local_server
from client.cases import Engine
from client.connection import Unreachable
from client.lists import Json, NoDatabase, equals, from_database, overdue
from client.reconciling import Progress, Wrong
from client.stuck import AT_A_TIME
from console.arguments import one_of
from console.reading import clock, plain, zone_of
from policies import known_policies
from settings import configured

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
    search: str | None = None
    overdue: bool = False
    closed_too: bool = False

    def conditions(self, now: datetime) -> list[str]:
        """Return the filters as conditions for Temporal's list API. `owner` is not a search attribute."""
        wanted = {STATUS: self.status, LINE: self.line, TOPIC: self.topic, TEAM: self.team, ORDER: self._order}
        found = [equals(attribute, value) for attribute, value in wanted.items() if value]
        if self.overdue:
            found += overdue(now)
        elif not self.closed_too and self.status != Status.CLOSED:
            found.append("ExecutionStatus = 'Running'")
        return found

    def fields(self, now: datetime) -> dict[str, Any]:
        """Return the filters for a list from our database (`client.lists.from_database`)."""
        found: dict[str, Any] = {"line": self.line, "topic": self.topic, "team": self.team, "order_id": self._order}
        found |= {"owner": self.owner, "text": self.search, "state": "open"}
        if self.overdue:
            found["overdue_at"] = now
        elif self.status == Status.CLOSED:
            found["state"] = "closed"
        elif self.closed_too:
            found["state"] = "all"
        return found if self.status == Status.CLOSED else {**found, "status": self.status}

    @property
    def _order(self) -> str | None:
        return comparable(self.order) if self.order else None


class Found(NamedTuple):
    """The matching cases."""

    rows: list[Json]
    total: int
    """The number of all matching cases, including those beyond `rows`."""
    notes: tuple[str, ...] = ()
    """What the user should know about the list."""
    errors: tuple[str, ...] = ()
    """Errors of cases that could not be queried for their owner."""


async def find(filters: Filters, limit: int | None) -> Found:
    """Return the cases that match, at most `limit`: open ones by their next deadline, others latest first.

    They come from our database, or from Temporal if there is none. Raises `click.BadParameter` for an impossible
    filter value, and `NoDatabase` if the filters need our database.
    """
    _check(filters)
    try:
        found = await _find(filters, limit)
    except (Unreachable, NoDatabase):
        _check_team(filters.team)
        raise
    if not found.rows:
        _check_team(filters.team)
    return found


async def _find(filters: Filters, limit: int | None) -> Found:
    settings, now = configured(), datetime.now(UTC)
    engine = None if is_database_set(settings) else await Engine.connect()
    why = "AFTER_SALES_DATABASE_URL is not set"
    if engine is None or is_local_server(engine.address):
        try:
            return Found(*await asyncio.to_thread(from_database, settings.database_url, limit, **filters.fields(now)))
        except NoDatabase as error:
            why = str(error)
    if filters.search is not None:
        raise NoDatabase(f"--search needs our database: {why}")
    engine = engine or await Engine.connect()
    rows = [row async for row in engine.cases(*filters.conditions(now))]
    errors: list[str] = []
    if filters.owner is not None:
        rows, errors = await _owned(engine, rows, filters.owner)
    if not filters.closed_too and filters.status != Status.CLOSED:
        rows.sort(key=lambda row: (row["next_due_at"] is None, row["next_due_at"] or "", row["case_id"]))
    note = f"listed from Temporal instead of our database: {why}"
    return Found(rows[:limit], len(rows), (note,), tuple(errors))


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


async def _owned(engine: Engine, rows: list[Json], owner: str) -> tuple[list[Json], list[str]]:
    """Ask each case for its owner; return the rows of those that `owner` has, and why others did not answer."""
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
    owned = [row for row in answered if same_name(row["owner"] or "") == same_name(owner)]
    return owned, [answer for answer in answers if isinstance(answer, str)]


def rendered(rows: list[Json], more: int = 0) -> RenderableType:
    """Return two lines for each case: first id, status and deadline, then what it is about. `more`: cases not shown."""
    if not rows:
        return Text("no cases")
    rest = [Text(f"{more} more: --limit {len(rows) + more}, or --limit all")] if more else []
    return Group(*(part for row in rows for part in _case(row)), *rest)


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


_HEALED = {
    Wrong.MISSING: "had no row in our database: written",
    Wrong.DIFFERS: "had a row that was wrong: written again",
    Wrong.CLOSED: "has closed, and its row was open: written again",
    Wrong.ENDED: "is no longer open: its workflow was ended in Temporal without closing it",
}


def reconciled(done: Progress) -> str:
    """Return a line for each case whose row was healed, and what was compared."""
    lines = [f"{plain(each.case_id)} {_HEALED[each.what]}" for each in done.cases]
    if more := sum(done.counts.values()) - len(done.cases):
        lines.append(f"{more} more were healed")
    lines.append(f"{done.compared} open cases compared, {sum(done.counts.values())} rows healed")
    if done.unanswered:
        lines.append(f"{done.unanswered} cases did not answer and are compared again next time: see starter.py stuck")
    return "\n".join(lines)
