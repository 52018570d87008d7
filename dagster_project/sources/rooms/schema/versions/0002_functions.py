"""Permissions, row security, and the functions by which rooms are used."""

from alembic import op

from dagster_project.sources.rooms.schema import SCHEMA

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    SCHEMA.run_files(
        op.get_bind(),
        "0002_permissions",
        "0002_row_security",
        "0002_rooms",
        "0002_messages",
        "0002_reading",
        "0002_support",
        "0002_audit",
        "0002_erasure",
        "0002_rights",
    )


def downgrade() -> None:
    SCHEMA.run_files(op.get_bind(), "0002_downgrade")
