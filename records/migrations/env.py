"""Alembic's environment: it runs every upgrade on the given connection, in its open transaction."""

from alembic import context

from records.migrations import VERSION_TABLE
from records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # also on SQLite, because we begin its transactions ourselves
)
with context.begin_transaction():
    context.run_migrations()
