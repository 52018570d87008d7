"""Customers stay out of each other's rooms, muted people stay muted, one long message stops no search, and the like."""

from alembic import op

from dagster_project.sources.rooms.schema import SCHEMA

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    SCHEMA.run_files(op.get_bind(), "0004_messages", "0004_seats", "0004_support", "0004_reading", "0004_erasure")


def downgrade() -> None:
    """Functions stay as they are: they close holes, and need no table that was not there before."""
    SCHEMA.run_files(op.get_bind(), "0004_downgrade")
