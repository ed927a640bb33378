"""The key under which a carrier was last sent a claim, so that a claim that was reset uses no earlier one (S25)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add `claims.sent`; under which keys older claims were sent is not known."""
    comment = "the number of the latest key under which the carrier was sent the claim"
    op.add_column("claims", sa.Column("sent", sa.Integer, comment=comment))
