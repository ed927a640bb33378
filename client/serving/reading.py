"""Read one case or a page of cases, for programs that keep our database open (`client.store`)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cases.text import same_name
from cases.views.snapshot import Snapshot
from client.cases import Engine
from client.connection import Unreachable
from client.errors import NoSuchCase
from client.store import Store

if TYPE_CHECKING:
    from records import Listed, Records

READ_WITHIN = 1.0
"""Seconds that a case has to answer; then our database is read. An idle worker needs some hundredths."""
Connect = Callable[[], Awaitable[Engine]]


class Seen(NamedTuple):
    """A case, and how old that is."""

    snapshot: Snapshot
    as_of: datetime | None
    """None: the case as it is now. Otherwise when our database was written: no worker answers."""


class CasePage(NamedTuple):
    """Some of the cases of a list."""

    rows: "list[Listed]"
    after: tuple[datetime | None, str] | None
    """Where the next page begins; None: this is the last."""
    total: int | None
    """How many cases there are on all pages, if that was asked for."""


async def read_case(connect: Connect, store: Store, case_id: str) -> Seen:
    """Return a case from its workflow, or from our database if the workflow is gone or does not answer.

    Raises `NoSuchCase`, or `Unreachable` if our database does not have it either, and `NoDatabase`.
    """
    try:
        async with asyncio.timeout(READ_WITHIN):
            return Seen(await (await connect()).snapshot(case_id), None)
    except NoSuchCase as error:
        gone: NoSuchCase | Unreachable = error
    except Unreachable as error:
        gone = error
    except TimeoutError:
        gone = Unreachable(f"{case_id} does not answer: is a worker running?")
    kept = await store.run(lambda records: _kept(records, case_id))
    if kept is None:
        raise gone
    return kept


async def line_of(connect: Connect, store: Store, case_id: str) -> str | None:
    """Return the line of a case; None if there is no such case. Raises `Unreachable` and `NoDatabase`."""
    rows = await store.run(lambda records: records.rows_of([case_id]))
    if case_id in rows:
        return rows[case_id].row.line
    raw = await (await connect()).complaint(case_id)
    if raw is not None:
        return str(raw.get("line"))
    kept = await store.run(lambda records: records.case(case_id))
    return str(kept["line"]) if kept else None


async def page_of_cases(
    store: Store,
    *,
    after: tuple[datetime | None, str] | None,
    limit: int,
    owner: str | None,
    count: bool,
    **wanted: Any,
) -> CasePage:
    """Return a page of cases. `owner` is compared as a name; `wanted` are fields of `records.CaseFilter`.

    Raises `NoDatabase`.
    """

    def find(records: "Records") -> CasePage:
        from records import CaseFilter, Position  # noqa: PLC0415 (slow to load)

        if owner is not None:
            wanted["owners"] = frozenset(o for o in records.owners() if same_name(o) == same_name(owner))
        filters = CaseFilter(**wanted)
        page = records.listed(filters, Position(*after) if after else None, limit)
        total = records.count(filters) if count else None
        return CasePage(page.cases, (page.after.at, page.after.case_id) if page.after else None, total)

    return await store.run(find)


def _kept(records: "Records", case_id: str) -> Seen | None:
    final = records.case(case_id)
    if final and final["record"]:
        return Seen(Snapshot.model_validate(final["record"]), None)
    row, snapshot = records.rows_of([case_id]).get(case_id), records.snapshot_of(case_id)
    if row is None or snapshot is None:
        return None
    return Seen(Snapshot.model_validate_json(snapshot[1]), row.written_at)
