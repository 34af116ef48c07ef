"""Labels that are in doubt, what people said to that, and sources that changed."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "label_doubts",
        sa.Column("inquiry_id", sa.String(length=40), nullable=False),
        sa.Column("correction_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("proposed", sa.String(length=40), nullable=False),
        sa.Column("sure", sa.Float(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("alike", sa.Text(), nullable=False),
        *_keys("label_doubts"),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_label_doubts")),
    )
    op.create_index(op.f("ix_label_doubts_sure"), "label_doubts", ["sure"])
    op.create_table(
        "label_looks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_looks")),
    )
    op.create_table(
        "label_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.String(length=40), nullable=False),
        sa.Column("correction_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("proposed", sa.String(length=40), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_keys("label_checks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_checks")),
    )
    op.create_index(op.f("ix_label_checks_inquiry_id"), "label_checks", ["inquiry_id"])
    op.create_index(op.f("ix_label_checks_correction_id"), "label_checks", ["correction_id"])
    op.create_table(
        "drift_alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_alarms")),
    )
    op.create_index(op.f("ix_drift_alarms_ended_at"), "drift_alarms", ["ended_at"])


def _keys(table: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiries.id"], name=op.f(f"fk_{table}_inquiry_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name=op.f(f"fk_{table}_correction_id"),
            ondelete="CASCADE",
        ),
    )  # fmt: skip
