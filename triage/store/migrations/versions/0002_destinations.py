"""Stopped and ailing destinations, acknowledgements, the order of events and their speed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "destinations",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_destinations")),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("inquiry_id", sa.String(length=40), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"],
            ["inquiries.id"],
            name=op.f("fk_acknowledgements_inquiry_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_acknowledgements")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("refers_to", sa.String(length=60), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("arrival_s", sa.Float(), nullable=True))
    # What is written from now on says it itself.
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.alter_column("refers_to", existing_type=sa.String(length=60), server_default=None)
        batch_op.alter_column("position", existing_type=sa.Integer(), server_default=None)
        batch_op.drop_index(batch_op.f("ix_deliveries_state_next_at"))
        batch_op.create_index(
            batch_op.f("ix_deliveries_destination_state_next_at"),
            ["destination", "state", "next_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_deliveries_inquiry_id_destination_position"),
            ["inquiry_id", "destination", "position"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_deliveries_state_destination"), ["state", "destination"], unique=False
        )
