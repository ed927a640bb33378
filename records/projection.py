"""The projection of cases: one row for each, open or closed, for lists, searches and desks.

It is derived. A case writes it after a change and never reads it, and it can be written again from the cases.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    column,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from cases.views.case_events import changes, interrupted
from cases.views.listing import Listing, Projected
from cases.views.search_terms import RULES, Searchable, query_terms
from records.facts.writing import write_facts
from records.outbox.events import CaseEvents
from records.tables import IS_OPEN, UtcTime, case_projection, case_terms
from records.vault import PLAIN, Vault


class Listed(Listing):
    """One case in a list, with what the projection knows beside it."""

    seq: int
    """The change of the case that the row shows."""
    ended: str | None
    """How the workflow ended without closing its case (terminated, failed, timed_out); None: it did not."""


@dataclass(frozen=True)
class CaseFilter:
    """Which cases to list; None: any."""

    state: Literal["open", "closed", "all"] = "open"
    """`closed` includes cases whose workflow ended otherwise."""
    line: str | None = None
    lines: frozenset[str] | None = None
    """Any of these."""
    team: str | None = None
    teams: frozenset[str] | None = None
    """Any of these."""
    owner: str | None = None
    owners: frozenset[str] | None = None
    """Any of these."""
    unassigned: bool | None = None
    """Whether no person owns the case."""
    order_id: str | None = None
    status: str | None = None
    topic: str | None = None
    urgent: bool | None = None
    broken: bool | None = None
    """Whether a promise was not kept in time."""
    overdue_at: datetime | None = None
    """Only those that broke a promise, or whose next deadline is before this time."""
    needs: str | None = None
    """A kind of what a person has to do (`NeedKind`)."""
    unknown_money: bool | None = None
    text: str | None = None
    """A search: words, Chinese phrases, the last digits of a phone number, ids (`cases.views.search_terms`)."""
    latest_first: bool | None = None
    """Whether to sort by when cases were opened, not by their next deadline. None: unless they are open."""

    @property
    def by_deadline(self) -> bool:
        """Whether the list is sorted by deadline."""
        return self.state == "open" if self.latest_first is None else not self.latest_first


class Position(NamedTuple):
    """The last case of a page; the next page begins after it."""

    at: datetime | None
    """What the list is sorted by: the next deadline, or when the case was opened."""
    case_id: str


@dataclass(frozen=True)
class Page:
    """Some of the cases of a list."""

    cases: list[Listed]
    after: Position | None
    """Where the next page begins; None: this is the last."""


_rows = case_projection.c
_search = case_terms.c
_INDEX = table("case_terms_index", column("rowid"))
"""The full-text index in SQLite."""
_COLUMNS = [_rows[name] for name in Listed.model_fields]
_EQUAL = ("line", "team", "owner", "order_id", "status", "topic", "urgent", "unknown_money")


class CaseProjection(CaseEvents):
    """Tables `case_projection` and `case_terms`, and the events that are derived with them."""

    def __init__(self, url: str, vault: Vault | None = None) -> None:
        """Raise as `Database` does. The `vault` seals what is personal; None: it is stored as it is."""
        super().__init__(url)
        self._vault = vault or PLAIN
        self._is_postgresql = self._engine.dialect.name == "postgresql"
        # Built once: SQLAlchemy then finds what it compiled for them.
        new = self._insert(case_projection)
        changed = {each.name: new.excluded[each.name] for each in case_projection.c if each.name in _WRITTEN}
        newer = _rows.seq < new.excluded.seq
        self._newer = new.on_conflict_do_update(index_elements=[_rows.case_id], set_=changed, where=newer).returning(
            _rows.searched
        )
        self._first = new.on_conflict_do_nothing().returning(_rows.searched)
        terms = self._insert(case_terms)
        self._set_terms = terms.on_conflict_do_update(
            index_elements=[case_terms.c.case_id], set_={"terms": terms.excluded.terms}
        )

    def project(self, projected: Projected) -> bool:
        """Write the case as it is now, unless the row shows this or a later change; return whether it was written."""
        return self._write(self._newer, projected)

    def replace(self, projected: Projected, seen_seq: int | None) -> bool:
        """Write the case if its row still shows the change `seen_seq` (None: no row); return whether it was written."""
        if seen_seq is None:
            return self._write(self._first, projected)
        return self._write(_AS_SEEN, projected, {"seen_id": projected.listing.case_id, "seen_seq": seen_seq})

    def mark_ended(self, case_id: str, how: str, seen_seq: int) -> bool:
        """State that the workflow ended without closing its case, if its row still shows the change `seen_seq`."""
        marked = update(case_projection).where(_rows.case_id == case_id, _rows.seq == seen_seq)
        now = datetime.now(UTC)
        with self._deriving() as connection:
            line = connection.scalar(marked.values(ended=how, written_at=now).returning(_rows.line))
            if line is None:
                return False
            event = interrupted(how, now)
            self._add_events(connection, case_id, line, lambda known: [event] if known.get("run") != how else [])
        return True

    def listed(
        self, wanted: CaseFilter = CaseFilter(), after: Position | None = None, limit: int | None = None
    ) -> Page:
        """Return a page of cases: open ones by their next deadline, others by when they were opened, latest first.

        Ties are in order of the case id. None for `limit`: all that follow.
        """
        query = listing_query(wanted, self._vault, after, limit, postgresql=self._is_postgresql)
        with self._reading() as connection:
            found = [Listed.model_validate(dict(row)) for row in connection.execute(query).mappings()]
        more = limit is not None and len(found) > limit
        page = found[:limit] if more else found
        return Page(page, _position(wanted, page[-1]) if more else None)

    def count(self, wanted: CaseFilter = CaseFilter()) -> int:
        """Return how many cases there are."""
        query = (
            select(func.count())
            .select_from(case_projection)
            .where(*_conditions(wanted, self._vault, postgresql=self._is_postgresql))
        )
        with self._reading() as connection:
            return int(connection.scalar(query) or 0)

    def counts(self, lists: Sequence[CaseFilter]) -> list[int]:
        """Return how many cases there are in each list, in one pass."""
        if not lists:
            return []
        each = [_conditions(wanted, self._vault, postgresql=self._is_postgresql) for wanted in lists]
        columns = [func.count().filter(and_(true(), *conditions)) for conditions in each]
        query = select(*columns).select_from(case_projection)
        if all(wanted.state == "open" for wanted in lists):
            query = query.where(IS_OPEN)
        with self._reading() as connection:
            return list(connection.execute(query).one())

    def snapshots_of(self, case_ids: Collection[str]) -> dict[str, str]:
        """Return the snapshots of several cases as JSON, by case.

        Raises `AfterSalesError` if one is encrypted with a key that is not here.
        """
        query = select(_rows.case_id, _rows.snapshot).where(_rows.case_id.in_(sorted(case_ids)))
        with self._reading() as connection:
            found = connection.execute(query).all()
        return {row.case_id: self._vault.open(row.snapshot, row.case_id) for row in found}

    def owners(self) -> set[str]:
        """Return everybody who has a case, or had it when it closed."""
        query = select(_rows.owner).where(_rows.owner.is_not(None)).distinct()
        with self._reading() as connection:
            return set(connection.scalars(query))

    def snapshot_of(self, case_id: str) -> tuple[int, str] | None:
        """Return the change that the row shows and the snapshot as JSON; None if there is no row.

        Raises `AfterSalesError` if the snapshot is encrypted with a key that is not here.
        """
        query = select(_rows.seq, _rows.snapshot).where(_rows.case_id == case_id)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return row and (row.seq, self._vault.open(row.snapshot, case_id))

    def reseal(self, limit: int) -> int:
        """Seal up to `limit` rows that are plain or sealed with another key than the first; return how many there were.

        After it has returned 0, the projection needs no other key. Until `purge_words`, SQLite's full-text index still
        contains the earlier terms. Raises `AfterSalesError` if a key is missing.
        """
        if self._vault.key is None:
            return 0
        others = not_(_rows.searched.startswith(f"{self._vault.key}:", autoescape=True))
        query = select(_rows.case_id, _rows.seq, _rows.snapshot).where(others).order_by(_rows.case_id).limit(limit)
        with self._reading() as connection:
            found = connection.execute(query).all()
        for row in found:
            self._seal_again(row.case_id, row.seq, self._vault.open(row.snapshot, row.case_id))
        return len(found)

    def _seal_again(self, case_id: str, seq: int, snapshot: str) -> None:
        """Leave the row alone if the case has changed meanwhile: that has sealed it."""
        searchable, mark = self._searched(json.loads(snapshot))
        as_seen = update(case_projection).where(_rows.case_id == case_id, _rows.seq == seq)
        with self._deriving() as connection:
            if connection.execute(as_seen.values(snapshot=self._vault.seal(snapshot, case_id))).rowcount:
                self._write_terms(connection, case_id, searchable, mark)

    def _searched(self, snapshot: dict[str, Any]) -> tuple[Searchable, str]:
        searchable = Searchable.of(snapshot)
        return searchable, self._vault.mark(json.dumps([RULES, searchable]))

    def _write(self, statement: Any, projected: Projected, seen: dict[str, Any] | None = None) -> bool:
        case_id = projected.listing.case_id
        snapshot, at = json.loads(projected.snapshot), projected.at
        searchable, mark = self._searched(snapshot)
        values = {
            **dict(projected.listing),
            "seq": projected.seq,
            "ended": None,  # it writes, so it runs again
            "written_at": datetime.now(UTC),
            "snapshot": self._vault.seal(projected.snapshot, case_id),
        }
        with self._deriving() as connection:
            written = connection.execute(statement, {**values, **(seen or {})}).one_or_none()
            if written is None:
                return False
            if written.searched != mark:
                self._write_terms(connection, case_id, searchable, mark)
            needs = projected.listing.needs
            self._add_events(
                connection, case_id, projected.listing.line, partial(changes, case_id, snapshot, needs, at)
            )
            write_facts(connection, snapshot)
        return True

    def _write_terms(self, connection: Connection, case_id: str, searchable: Searchable, mark: str) -> None:
        terms = self._vault.hide(searchable.terms())
        stored = terms if self._is_postgresql else " ".join(terms)
        connection.execute(self._set_terms, {"case_id": case_id, "terms": stored})
        connection.execute(update(case_projection).where(_rows.case_id == case_id).values(searched=mark))


_WRITTEN = {each.name for each in case_projection.c} - {"case_id", "searched"}
_AS_SEEN = (
    update(case_projection)
    .where(_rows.case_id == bindparam("seen_id"), _rows.seq == bindparam("seen_seq"))
    .values({name: bindparam(name, type_=_rows[name].type) for name in _WRITTEN})
    .returning(_rows.searched)
)


def listing_query(
    wanted: CaseFilter, vault: Vault, after: Position | None, limit: int | None, *, postgresql: bool
) -> Select[Any]:
    """Return the query of a page, with one case more than `limit`: whether there is another page."""
    query = select(*_COLUMNS).where(*_conditions(wanted, vault, postgresql=postgresql))
    if wanted.by_deadline:
        query = query.order_by(_rows.next_due_at, _rows.case_id)
        by: Any = _rows.next_due_at
    else:
        query = query.order_by(_rows.opened_at.desc(), _rows.case_id.desc())
        by = _rows.opened_at
    if after is not None:
        place, last = tuple_(by, _rows.case_id), tuple_(literal(after.at, by.type), literal(after.case_id))
        query = query.where(place > last if wanted.by_deadline else place < last)
    return query if limit is None else query.limit(limit + 1)


def _position(wanted: CaseFilter, last: Listed) -> Position:
    return Position(last.next_due_at if wanted.by_deadline else last.opened_at, last.case_id)


def _conditions(wanted: CaseFilter, vault: Vault, *, postgresql: bool) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        _rows[name] == value for name in _EQUAL if (value := getattr(wanted, name)) is not None
    ]
    if wanted.state != "all":
        found.append(IS_OPEN if wanted.state == "open" else not_(IS_OPEN))
    if wanted.broken is not None:
        found.append(_rows.broken != [] if wanted.broken else _rows.broken == [])
    if wanted.overdue_at is not None:
        found.append(or_(_rows.next_due_at < literal(wanted.overdue_at, UtcTime), _rows.broken != []))
    if wanted.lines is not None:
        lines = sorted(wanted.lines)
        # An index cannot give the rows of several lines in order.
        found.append(_rows.line == lines[0] if len(lines) == 1 else _rows.line.in_(lines))
    if wanted.teams is not None:
        found.append(_rows.team.in_(sorted(wanted.teams)))
    if wanted.unassigned is not None:
        found.append(_rows.owner.is_(None) if wanted.unassigned else _rows.owner.is_not(None))
    if wanted.owners is not None:
        found.append(_rows.owner.in_(sorted(wanted.owners)))
    if wanted.needs is not None:
        found.append(cast(_rows.needs, Text).contains(json.dumps(wanted.needs), autoescape=True))
    if wanted.text is not None:
        found.append(_matches(wanted.text, vault, postgresql=postgresql))
    return found


def _matches(text: str, vault: Vault, *, postgresql: bool) -> ColumnElement[bool]:
    """Return the condition that the case has every term. A text without a word matches nothing."""
    wanted = [[stored for term in sorted(any_of) for stored in vault.hidden(term)] for any_of in query_terms(text)]
    if not wanted:
        return false()
    if postgresql:
        any_of_each = [_search.terms.op("&&", is_comparison=True)(literal(stored, ARRAY(Text))) for stored in wanted]
        return _rows.case_id.in_(select(_search.case_id).where(*any_of_each))
    # A term has no quotation marks: it consists of letters and digits, or is a hash in base64.
    words = " AND ".join(f"({' OR '.join(f'{chr(34)}{each}{chr(34)}' for each in stored)})" for stored in wanted)
    matching = select(_INDEX.c.rowid).where(literal_column(_INDEX.name, Text).match(words))
    return _rows.case_id.in_(select(_search.case_id).where(_search.id.in_(matching)))
