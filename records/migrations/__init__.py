"""The tables come from one version to the next by Alembic, at start-up, all the way or not at all.

There is no way back: a change of tables is undone by restoring the backup that was made before it.
"""

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, inspect, select

from records.errors import NewerSchema

VERSION_TABLE = "schema_version"
"""The name that versions 1 and 2 of this program gave it: started again by mistake, they stop at it."""

_BY_HAND = Table(VERSION_TABLE, MetaData(), Column("version", Integer, primary_key=True))
"""The same table as those versions laid it out: numbers, of which the highest counts."""

_ONE_AT_A_TIME = Lock()
"""Alembic keeps what it is at in globals, so that two threads must not be at it together."""


def upgrade(connection: Connection, address: str) -> None:
    """Bring the tables to this program's version, in the transaction that is open; whoever calls holds the lock.

    Raises `NewerSchema` where they are of a version that this program does not know; nothing is touched then.
    """
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    newest, by_hand = known[0], _laid_out_by_hand(connection)
    found = _version_by_hand(connection) if by_hand else _version(connection)
    if found is not None and found not in known:
        raise NewerSchema(
            f"The records at {address} have version {found}, this program knows up to {newest}: "
            "run the newer program, or point AFTER_SALES_DATABASE_URL elsewhere"
        )
    if found == newest and not by_hand:
        return
    with _ONE_AT_A_TIME:
        if by_hand:
            _BY_HAND.drop(connection)
            command.stamp(config, str(found))
        command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    """Which version the tables have; None where there are none yet."""
    how = {"version_table": VERSION_TABLE, "transactional_ddl": True}
    return MigrationContext.configure(connection, opts=how).get_current_revision()


def _laid_out_by_hand(connection: Connection) -> bool:
    there = inspect(connection)
    columns = there.get_columns(VERSION_TABLE) if there.has_table(VERSION_TABLE) else []
    return _BY_HAND.c.version.name in [column["name"] for column in columns]


def _version_by_hand(connection: Connection) -> str:
    return f"{connection.scalar(select(func.max(_BY_HAND.c.version))):04d}"
