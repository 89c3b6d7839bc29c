"""Alembic's entry: runs on the connection that `sonde.server.accounts.migrate` holds."""

from alembic import context

from sonde.server.accounts.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=connection.dialect.name in {"sqlite", "postgresql"},
)
with context.begin_transaction():
    context.run_migrations()
