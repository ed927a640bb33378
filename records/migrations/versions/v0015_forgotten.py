"""When the customer of a case was removed from its record."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add `forgotten_at` to `cases`."""
    comment = "when its customer was removed from the record"
    op.add_column("cases", sa.Column("forgotten_at", sa.DateTime(timezone=True), comment=comment))
