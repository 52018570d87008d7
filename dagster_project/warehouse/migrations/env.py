"""Alembic's entry: runs the migrations on the connection that `upgrade` or `downgrade` hands over."""

from alembic import context

from dagster_project.warehouse.migrations import VERSION_SCHEMA

context.configure(connection=context.config.attributes["connection"], version_table_schema=VERSION_SCHEMA)
with context.begin_transaction():
    context.run_migrations()
