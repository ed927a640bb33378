"""Search terms in one row for each case, with a full-text index: a new case costs a tenth of one row for each term."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

REMOVE = "INSERT INTO case_terms_index (case_terms_index, rowid, terms) VALUES ('delete', old.id, old.terms)"
ADD = "INSERT INTO case_terms_index (rowid, terms) VALUES (new.id, new.terms)"
INDEX_OF_SQLITE = f"""
CREATE VIRTUAL TABLE case_terms_index USING fts5(
    terms, content = 'case_terms', content_rowid = 'id', detail = none, columnsize = 0,
    -- Terms are separated by blanks. A hash in URL-safe base64 has two more characters than letters and digits.
    tokenize = "ascii tokenchars '-_'"
);;
CREATE TRIGGER case_terms_added AFTER INSERT ON case_terms BEGIN {ADD}; END;;
CREATE TRIGGER case_terms_removed AFTER DELETE ON case_terms BEGIN {REMOVE}; END;;
CREATE TRIGGER case_terms_changed AFTER UPDATE ON case_terms BEGIN {REMOVE}; {ADD}; END
"""


def upgrade() -> None:
    """Move the terms from `case_search` to `case_terms`."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "case_terms",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False, unique=True),
        sa.Column(
            "terms",
            sa.Text().with_variant(postgresql.ARRAY(sa.Text), "postgresql"),
            nullable=False,
            comment="the words of the complaint, or their keyed hashes; personal data",
        ),
    )
    if is_postgresql:
        op.create_index("case_terms_index", "case_terms", ["terms"], postgresql_using="gin")
        op.alter_column("case_projection", "searched", comment="a digest of what case_terms was made of")
    else:
        for statement in INDEX_OF_SQLITE.split(";;"):
            op.execute(statement)
    together = "array_agg(term)" if is_postgresql else "group_concat(term, ' ')"
    op.execute(f"INSERT INTO case_terms (case_id, terms) SELECT case_id, {together} FROM case_search GROUP BY case_id")  # noqa: S608 (nothing from outside)
    op.drop_table("case_search")
