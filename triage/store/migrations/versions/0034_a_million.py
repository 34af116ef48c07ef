"""Indexes and statistics for lists that stay quick with a million inquiries."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_FILTERS = "label, outcome, channel, source, campaign, stage"
_CHANGED = ("inquiries", "searchable", "deliveries", "review_items")


def upgrade() -> None:
    """Apply."""
    for name in ("state", "destination"):
        op.create_index(
            op.f(f"ix_deliveries_{name}_created_at"), "deliveries", [name, "created_at"]
        )
    op.drop_index(op.f("ix_review_items_claimed_by"), "review_items")
    op.create_index(
        op.f("ix_review_items_claimed_by_priority"), "review_items", ["claimed_by", "priority"]
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(sa.text("PRAGMA analysis_limit = 1000"))
        op.execute(sa.text("ANALYZE"))
        return
    # Which filters go together: a campaign has one mailbox, a misdialled call is no lead.
    op.execute(sa.text(f"CREATE STATISTICS inquiries_filters (mcv) ON {_FILTERS} FROM inquiries"))
    op.execute(sa.text("ALTER STATISTICS inquiries_filters SET STATISTICS 1000"))
    for name in _CHANGED:
        op.execute(sa.text(f"ANALYZE {name}"))
