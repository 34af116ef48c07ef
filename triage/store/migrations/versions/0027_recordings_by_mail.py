"""How many recordings came with a mail."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "inquiries", sa.Column("recordings", sa.Integer(), nullable=False, server_default="0")
    )
