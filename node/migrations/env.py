"""Alembic's entrance: it is given an open connection and never makes one itself."""

from alembic import context

from node.models import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
