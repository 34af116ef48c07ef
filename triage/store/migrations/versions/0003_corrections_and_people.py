"""Corrections, people, and what destinations know of a lead."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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


def _person(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    return (
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f(f"fk_{table}_person_id"),
            ondelete="CASCADE",
        ),
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        *_inquiry("corrections"),
        sa.Column("verdict_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("previous", sa.String(length=40), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["verdict_id"],
            ["verdicts.id"],
            name=op.f("fk_corrections_verdict_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_inquiry_id"), "corrections", ["inquiry_id"])
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_company"), "people", ["company"])
    op.create_table(
        "contacts",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=400), nullable=False),
        *_person("contacts"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "person_id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_person_id"), "contacts", ["person_id"])
    op.create_table(
        "appearances",
        *_inquiry("appearances"),
        *_person("appearances"),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_appearances")),
    )
    op.create_index(op.f("ix_appearances_person_id"), "appearances", ["person_id"])
    op.create_table(
        "handovers",
        *_inquiry("handovers"),
        sa.Column("destination", sa.String(length=40), nullable=False),
        sa.Column("lead_id", sa.String(length=60), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("inquiry_id", "destination", name=op.f("pk_handovers")),
    )
    op.create_index(op.f("ix_handovers_lead_id"), "handovers", ["lead_id"])
    # What was sent before can be corrected too.
    op.execute(
        "INSERT INTO handovers (inquiry_id, destination, lead_id, opened, at) "
        "SELECT inquiry_id, destination, id, true, created_at FROM deliveries "
        "WHERE event = 'lead.qualified' AND sequence = 1"
    )
