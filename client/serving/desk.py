"""What the desk reads and keeps in our database: sessions, acts, saved views, the worklist."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cases.text import same_name
from client.store import Store

if TYPE_CHECKING:
    from records import Act, CaseFilter, Listed, Records, StoredSession

Json = dict[str, Any]


async def begin_session(  # noqa: PLR0913 (a row has these columns)
    store: Store, digest: str, *, person: str, identity: str, now: datetime, expires_at: datetime
) -> None:
    """Store a new session."""

    def begin(records: "Records") -> None:
        from records import StoredSession  # noqa: PLC0415 (slow to load)

        records.begin_session(StoredSession(digest, person, identity, now, now, expires_at))

    await store.run(begin)


async def find_session(
    store: Store, digest: str, now: datetime, *, idle_since: datetime, seen_every: timedelta
) -> "StoredSession | None":
    """Return a live session, and note that it was used. None: there is none, or it was not used since `idle_since`."""

    def find(records: "Records") -> "StoredSession | None":
        found = records.session(digest, now)
        if found is None or found.seen_at <= idle_since:
            return None
        if now - found.seen_at >= seen_every:
            records.session_seen(digest, now)
        return found

    return await store.run(find)


async def end_session(store: Store, digest: str, now: datetime) -> bool:
    """End a session for good; return False if it had ended already."""
    return await store.run(lambda records: records.end_session(digest, now))


async def sessions(store: Store, now: datetime) -> "list[StoredSession]":
    """Return all live sessions, the latest first."""
    return await store.run(lambda records: records.sessions(now))


async def log_act(  # noqa: PLR0913 (a row has these columns)
    store: Store,
    now: datetime,
    *,
    person: str,
    session: str | None,
    act: str,
    case_id: str | None = None,
    refused: str | None = None,
) -> None:
    """Add an act to the log."""

    def log(records: "Records") -> None:
        from records import Act  # noqa: PLC0415 (slow to load)

        records.log_act(Act(now, person, session, act, case_id, refused))

    await store.run(log)


async def acts(store: Store, limit: int, case_id: str | None = None) -> "list[Act]":
    """Return the latest acts, the latest first."""
    return await store.run(lambda records: records.acts(limit, case_id))


async def views(store: Store, person: str) -> list[tuple[str, str]]:
    """Return the name and the query of each saved view."""
    return await store.run(lambda records: records.views(person))


async def save_view(store: Store, person: str, name: str, query: str) -> None:
    """Store a view of the worklist. One of the same name is replaced."""
    await store.run(lambda records: records.save_view(person, name, query))


async def delete_view(store: Store, person: str, name: str) -> None:
    """Delete a view of the worklist."""
    await store.run(lambda records: records.delete_view(person, name))


class Work(NamedTuple):
    """A page of the worklist."""

    rows: "list[Listed]"
    snapshots: dict[str, Json]
    """The snapshot of each case of the page."""
    after: tuple[datetime | None, str] | None
    """Where the next page begins; None: this is the last."""
    counts: list[int]
    """The number of cases in each of the lists that were asked for."""


async def work(
    store: Store, wanted: Json, counted: Sequence[Json], after: tuple[datetime | None, str] | None, limit: int
) -> Work:
    """Return a page of cases, and the number of cases in other lists. All are fields of `records.CaseFilter`."""

    def find(records: "Records") -> Work:
        from records import Position  # noqa: PLC0415 (slow to load)

        page = records.listed(_filter(records, wanted), Position(*after) if after else None, limit)
        texts = records.snapshots_of({row.case_id for row in page.cases})
        counts = records.counts([_filter(records, each) for each in counted])
        snapshots = {case_id: json.loads(text) for case_id, text in texts.items()}
        return Work(page.cases, snapshots, (page.after.at, page.after.case_id) if page.after else None, counts)

    return await store.run(find)


def _filter(records: "Records", wanted: Json) -> "CaseFilter":
    """Return the filter. `owner` is a name: every spelling of it counts."""
    from records import CaseFilter  # noqa: PLC0415 (slow to load)

    fields = dict(wanted)
    owner = fields.pop("owner", None)
    if owner is not None:
        fields["owners"] = frozenset(o for o in records.owners() if same_name(o) == same_name(owner))
    return CaseFilter(**fields)
