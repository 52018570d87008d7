"""Alembic's entry: runs the migrations on the connection that `upgrade` or `downgrade` hands over."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], version_table_schema=given["schema"])
with context.begin_transaction():
    context.run_migrations()
