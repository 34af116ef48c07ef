"""What corrections teach at once: which of them do, and what a model made of their texts."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "corrections",
        sa.Column("teaches", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.create_index(op.f("ix_corrections_teaches"), "corrections", ["teaches"])
    op.create_table(
        "memories",
        sa.Column("inquiry_id", sa.String(length=40), nullable=False),
        sa.Column("reader", sa.String(length=120), nullable=False),
        sa.Column("verdict_id", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"],
            ["inquiries.id"],
            name=op.f("fk_memories_inquiry_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inquiry_id", "reader", name=op.f("pk_memories")),
    )
