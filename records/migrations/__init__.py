"""Alembic upgrades the tables to the current version at start-up, in one transaction.

There is no downgrade. To undo a change of the tables, restore the backup that was made before it.
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
"""Versions 1 and 2 of this program used the same name: if one is started by mistake, it stops at this table."""

_BY_HAND = Table(VERSION_TABLE, MetaData(), Column("version", Integer, primary_key=True))
"""The same table as created by those versions. It holds numbers; the highest is the version."""

_ONE_AT_A_TIME = Lock()
"""Alembic keeps its state in globals, so only one thread may use it at a time."""


def upgrade(connection: Connection, address: str) -> None:
    """Upgrade the tables to this program's version in the open transaction. The caller holds the schema lock.

    Raises `NewerSchema`, without changing anything, if this program does not know their version.
    """
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    newest, by_hand = known[0], _is_by_hand(connection)
    found = _version_by_hand(connection) if by_hand else _version(connection)
    if found is not None and found not in known:
        raise NewerSchema(
            f"The database at {address} has version {found}, this program knows versions up to {newest}: "
            "run the newer program, or set AFTER_SALES_DATABASE_URL to another database"
        )
    if found == newest and not by_hand:
        return
    with _ONE_AT_A_TIME:
        if by_hand:
            _BY_HAND.drop(connection)
            command.stamp(config, str(found))
        command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    """Return the version of the tables, or None if there are none yet."""
    how = {"version_table": VERSION_TABLE, "transactional_ddl": True}
    return MigrationContext.configure(connection, opts=how).get_current_revision()


def _is_by_hand(connection: Connection) -> bool:
    inspector = inspect(connection)
    columns = inspector.get_columns(VERSION_TABLE) if inspector.has_table(VERSION_TABLE) else []
    return _BY_HAND.c.version.name in [column["name"] for column in columns]


def _version_by_hand(connection: Connection) -> str:
    return f"{connection.scalar(select(func.max(_BY_HAND.c.version))):04d}"
