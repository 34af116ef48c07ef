"""Indexes for the list of inquiries, words to search for, and what waits for a person."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from triage.store import records, search
from triage.types import Inquiry, Transcript

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BATCH = 500
_SKETCHES = ("sketch_1", "sketch_2", "sketch_3", "sketch_4")
_FILTERS = ("channel", "stage")


def upgrade() -> None:
    """Apply."""
    for name in _FILTERS:
        op.create_index(
            op.f(f"ix_inquiries_{name}_received_at"), "inquiries", [name, "received_at"]
        )
    op.create_index(op.f("ix_inquiries_sender"), "inquiries", ["sender"])
    _searchable()
    _review()
    _fill()
    for name in _SKETCHES:
        op.create_index(op.f(f"ix_searchable_{name}_id"), "searchable", [name, "id"])
    if not _is_sqlite():
        # Without the list of pending entries, which every search would look through.
        op.execute("CREATE INDEX searchable_words ON searchable USING gin (words) "
                   "WITH (fastupdate = off)")  # fmt: skip


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _inquiry(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    return (
        sa.Column("inquiry_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"],
            ["inquiries.id"],
            name=op.f(f"fk_{table}_inquiry_id"),
            ondelete="CASCADE",
        ),
    )


def _searchable() -> None:
    op.create_table(
        "searchable",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        *_inquiry("searchable"),
        *(sa.Column(name, sa.BigInteger()) for name in _SKETCHES),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searchable")),
        sa.UniqueConstraint("inquiry_id", name=op.f("uq_searchable_inquiry_id")),
    )
    if not _is_sqlite():
        op.execute("ALTER TABLE searchable ADD COLUMN words tsvector")
        return
    op.execute(
        "CREATE VIRTUAL TABLE inquiry_words USING fts5(sender, subject, text, "
        "tokenize = 'unicode61 remove_diacritics 0')"
    )
    op.execute(
        "CREATE TRIGGER searchable_gone AFTER DELETE ON searchable "
        "BEGIN DELETE FROM inquiry_words WHERE rowid = old.id; END"
    )


def _review() -> None:
    op.create_table(
        "review_items",
        *_inquiry("review_items"),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.Column("not_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_review_items")),
    )
    for name in ("priority", "claimed_by"):
        op.create_index(op.f(f"ix_review_items_{name}"), "review_items", [name])
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        *_inquiry("reviews"),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("was", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(op.f("ix_reviews_inquiry_id"), "reviews", ["inquiry_id"])
    op.create_index(op.f("ix_reviews_kind_at"), "reviews", ["kind", "at"])
    op.create_index(op.f("ix_reviews_by_id"), "reviews", ["by", "id"])
    op.create_table(
        "review_progress",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_progress")),
    )


def _fill() -> None:
    """Make what is stored findable, some hundred at a time, as the worker does."""
    connection = op.get_bind()
    for batch in _stored(connection):
        search.put(connection, batch)


def _stored(connection: sa.Connection) -> Iterator[list[search.Entry]]:
    query = sa.text(
        "SELECT contents.inquiry_id, contents.data, transcripts.data AS heard FROM contents "
        "LEFT JOIN transcripts ON transcripts.inquiry_id = contents.inquiry_id "
        "WHERE contents.inquiry_id > :after ORDER BY contents.inquiry_id LIMIT :most"
    )
    after = ""
    while rows := connection.execute(query, {"after": after, "most": _BATCH}).all():
        after = rows[-1].inquiry_id
        yield [
            search.entry(
                records.restore(Inquiry, row.data),
                records.restore(Transcript, row.heard) if row.heard else None,
            )
            for row in rows
        ]
