"""Alembic's entry point: run the migrations on the connection that `schema.migrate` passes."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,  # SQLite cannot alter tables in place
    version_table="batchscribe_schema",
)
with context.begin_transaction():
    context.run_migrations()
