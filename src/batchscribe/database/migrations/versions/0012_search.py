"""Search in transcripts: their segments, and a full-text index of the terms in them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0012_fits_0007"
down_revision = "0011_fits_0007"

#: The columns of FTS5 come from the table of segments, which has the text. Terms need no tokenizer, and no folding but
#: that of ASCII, which they have gone through. The prefixes are the owner's mark with two and three letters.
INDEX = """
    CREATE VIRTUAL TABLE segment_index USING fts5(
        terms, content='transcript_segment', content_rowid='number', tokenize='ascii', columnsize=0, prefix='8 9'
    )
"""
TRIGGERS = (
    """
    CREATE TRIGGER transcript_segment_inserted AFTER INSERT ON transcript_segment BEGIN
        INSERT INTO segment_index(rowid, terms) VALUES (new.number, new.terms);
    END
    """,
    """
    CREATE TRIGGER transcript_segment_deleted AFTER DELETE ON transcript_segment BEGIN
        INSERT INTO segment_index(segment_index, rowid, terms) VALUES ('delete', old.number, old.terms);
    END
    """,
)


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "transcript_segment",
        sa.Column("number", key, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("start_sec", sa.Double, nullable=False),
        sa.Column("end_sec", sa.Double, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("speaker", sa.String),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("terms", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
    )
    op.create_index("transcript_segment_of_file", "transcript_segment", ["job", "seq"])
    if op.get_bind().dialect.name == "sqlite":
        for statement in (INDEX, *TRIGGERS):
            op.execute(statement)
    else:
        op.create_index("transcript_segment_by_tenant", "transcript_segment", ["tenant", "number"])
        op.create_index("transcript_segment_by_terms", "transcript_segment", ["terms"], postgresql_using="gin")
