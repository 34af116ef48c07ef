"""Which mails belong to one conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


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


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "messages",
        *_inquiry("messages"),
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_messages")),
    )
    op.create_index(op.f("ix_messages_conversation_id"), "messages", ["conversation_id"])
    op.create_index(op.f("ix_messages_subject_received_at"), "messages", ["subject", "received_at"])
    op.create_table(
        "message_ids",
        sa.Column("digest", sa.String(length=64), nullable=False),
        *_inquiry("message_ids"),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "inquiry_id", name=op.f("pk_message_ids")),
    )
    op.create_index(op.f("ix_message_ids_inquiry_id"), "message_ids", ["inquiry_id"])
