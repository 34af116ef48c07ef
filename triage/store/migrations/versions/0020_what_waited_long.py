"""What waited long is marked, so that what arrives now goes first."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "inquiries", sa.Column("backlog", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.drop_index(op.f("ix_inquiries_stage_due_at"), "inquiries")
    op.create_index(
        op.f("ix_inquiries_stage_backlog_due_at"), "inquiries", ["stage", "backlog", "due_at"]
    )
    op.create_index(op.f("ix_inquiries_source_received_at"), "inquiries", ["source", "received_at"])
    # Mails in an IMAP folder above the first and up to the second are still to be read.
    for name in ("backlog_from", "backlog_to"):
        op.add_column(
            "cursors", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        )
