"""Alembic's entry: runs the migrations on the connection that `upgrade` or `downgrade` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table_schema="rooms")
with context.begin_transaction():
    context.run_migrations()
