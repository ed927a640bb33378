"""How the workflow of a case ended without closing the case: terminated in Temporal, for example."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

IS_UNFINISHED = sa.text("closed_at IS NULL AND ended IS NULL")


def upgrade() -> None:
    """Add `ended` to `cases`; reconciling fills it in, also for older cases."""
    comment = "how the workflow ended without closing its case: terminated, failed, gone, …"
    op.add_column("cases", sa.Column("ended", sa.Text, comment=comment))
    op.create_index(
        "unfinished_cases", "cases", ["case_id"], sqlite_where=IS_UNFINISHED, postgresql_where=IS_UNFINISHED
    )
