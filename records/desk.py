"""What the desk keeps: the sessions of its people, their saved views, and a log of everything that they did."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, delete, insert, select, update

from records.database import Database
from records.tables import FreeText, UtcTime, metadata

desk_sessions = Table(
    "desk_sessions",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the session's id, which is stored nowhere"),
    Column("person", FreeText, nullable=False),
    Column("identity", FreeText, nullable=False, comment="JSON: the roles, lines and teams at log-in"),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, comment="logged out, or revoked"),
)
Index("sessions_by_expiry", desk_sessions.c.expires_at)

desk_acts = Table(
    "desk_acts",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("person", FreeText, nullable=False, comment="a name; empty: nobody was logged in"),
    Column("session", Text, comment="the first digits of the session's digest"),
    Column("act", Text, nullable=False, comment="such as log-in, or the name of a message"),
    Column("case_id", FreeText),
    Column("refused", FreeText, comment="why it was refused; null: it was done"),
)
Index("acts_of_case", desk_acts.c.case_id, desk_acts.c.number)

desk_views = Table(
    "desk_views",
    metadata,
    Column("person", FreeText, primary_key=True),
    Column("name", FreeText, primary_key=True),
    Column("query", FreeText, nullable=False, comment="the filters, as in the address of the page"),
)


class StoredSession(NamedTuple):
    """A session that has neither ended nor expired."""

    digest: str
    person: str
    identity: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class Act(NamedTuple):
    """Something that a person did or tried to do."""

    at: datetime
    person: str
    session: str | None
    act: str
    case_id: str | None
    refused: str | None


_SESSION = [desk_sessions.c[name] for name in StoredSession._fields]
_ACT = [desk_acts.c[name] for name in Act._fields]


class Desk(Database):
    """Tables `desk_sessions`, `desk_acts` and `desk_views`."""

    def begin_session(self, session: StoredSession) -> None:
        """Store a new session, and delete those that have expired."""
        with self._writing() as connection:
            connection.execute(delete(desk_sessions).where(desk_sessions.c.expires_at <= session.created_at))
            connection.execute(insert(desk_sessions).values(session._asdict()))

    def session(self, digest: str, now: datetime) -> StoredSession | None:
        """Return a session; None if there is none, or it has ended or expired."""
        with self._reading() as connection:
            row = connection.execute(select(*_SESSION).where(_is_live(now), desk_sessions.c.digest == digest)).first()
        return StoredSession(*row) if row else None

    def sessions(self, now: datetime) -> list[StoredSession]:
        """Return all sessions that have neither ended nor expired, the latest first."""
        query = select(*_SESSION).where(_is_live(now)).order_by(desk_sessions.c.created_at.desc())
        with self._reading() as connection:
            return [StoredSession(*row) for row in connection.execute(query)]

    def session_seen(self, digest: str, now: datetime) -> None:
        """Note that a session was used."""
        with self._deriving() as connection:
            connection.execute(update(desk_sessions).where(desk_sessions.c.digest == digest).values(seen_at=now))

    def end_session(self, digest: str, now: datetime) -> bool:
        """End a session for good; return False if it had ended or expired already."""
        ended = update(desk_sessions).where(_is_live(now), desk_sessions.c.digest == digest).values(ended_at=now)
        with self._writing() as connection:
            return connection.execute(ended).rowcount == 1

    def log_act(self, act: Act) -> None:
        """Add an act to the log."""
        with self._writing() as connection:
            connection.execute(insert(desk_acts).values(act._asdict()))

    def acts(self, limit: int, case_id: str | None = None) -> list[Act]:
        """Return the latest acts, the latest first; of one case, or all."""
        query = select(*_ACT).order_by(desk_acts.c.number.desc()).limit(limit)
        if case_id is not None:
            query = query.where(desk_acts.c.case_id == case_id)
        with self._reading() as connection:
            return [Act(*row) for row in connection.execute(query)]

    def save_view(self, person: str, name: str, query: str) -> None:
        """Store a view of the worklist. One of the same name is replaced."""
        new = self._insert(desk_views).values(person=person, name=name, query=query)
        with self._writing() as connection:
            connection.execute(
                new.on_conflict_do_update(
                    index_elements=[desk_views.c.person, desk_views.c.name], set_={"query": new.excluded.query}
                )
            )

    def delete_view(self, person: str, name: str) -> None:
        """Delete a view of the worklist, if there is one of this name."""
        with self._writing() as connection:
            connection.execute(delete(desk_views).where(desk_views.c.person == person, desk_views.c.name == name))

    def views(self, person: str) -> list[tuple[str, str]]:
        """Return the name and the query of each view of a person, by name."""
        query = select(desk_views.c.name, desk_views.c.query).where(desk_views.c.person == person)
        with self._reading() as connection:
            return [(row.name, row.query) for row in connection.execute(query.order_by(desk_views.c.name))]


def _is_live(now: datetime) -> Any:
    return (desk_sessions.c.ended_at.is_(None)) & (desk_sessions.c.expires_at > now)
