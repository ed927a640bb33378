"""What Alembic runs for every upgrade: on the connection that it was given, in the transaction that is open there."""

from alembic import context

from records.migrations import VERSION_TABLE
from records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # on SQLite too, because we begin its transactions ourselves
)
with context.begin_transaction():
    context.run_migrations()
