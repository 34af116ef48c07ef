"""When each folder was first read, and what is held because it came before."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("inquiries", sa.Column("held", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "beginnings",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "folder", name=op.f("pk_beginnings")),
    )
    # Sources that are read already began with their first item.
    op.execute(
        "INSERT INTO beginnings (source, folder, at) SELECT source, folder, coalesce("
        "(SELECT min(created_at) FROM inquiries WHERE inquiries.source = cursors.source), "
        "updated_at) FROM cursors"
    )
    op.execute(
        "INSERT INTO beginnings (source, folder, at) SELECT source, '', coalesce("
        "(SELECT min(created_at) FROM inquiries WHERE inquiries.source = polls.source), "
        "last_poll_at) FROM polls WHERE source NOT IN (SELECT source FROM cursors)"
    )
