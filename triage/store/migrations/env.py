"""Runs migrations on the connection that `Database.upgrade` hands over."""

from alembic import context

from triage.store.tables import described, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=described,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
with context.begin_transaction():
    context.run_migrations()
