"""What people say that an inquiry states."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "statements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.String(length=40), nullable=False),
        sa.Column("signal", sa.String(length=40), nullable=False),
        sa.Column("data", sa.Text()),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Integer()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.ForeignKeyConstraint(
            ["inquiry_id"],
            ["inquiries.id"],
            name=op.f("fk_statements_inquiry_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["undoes"], ["statements.id"], name=op.f("fk_statements_undoes"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_statements_inquiry_id"), "statements", ["inquiry_id"])
