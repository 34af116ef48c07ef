"""What waits for a person is found by its mailbox, and filters that seldom go together at once."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for column in (
        sa.Column("source", sa.String(length=40), nullable=False, server_default=""),
        sa.Column("campaign", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("review_items", column)
    op.execute(
        sa.text(
            "UPDATE review_items SET source = inquiries.source, campaign = inquiries.campaign "
            "FROM inquiries WHERE inquiries.id = review_items.inquiry_id"
        )
    )
    op.create_index(op.f("ix_review_items_source_priority"), "review_items", ["source", "priority"])
    if op.get_bind().dialect.name == "postgresql":
        # Few values, so that each key holds hundreds of rows: all of it is looked through for any
        # filters in a millisecond or two. SQLite keeps a key for each row.
        op.create_index(
            "ix_inquiries_filters",
            "inquiries",
            ["source", "campaign", "channel", "label", "outcome", "stage"],
        )
        op.execute(sa.text("ANALYZE review_items"))
