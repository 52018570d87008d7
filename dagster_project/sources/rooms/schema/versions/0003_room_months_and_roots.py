"""A person's rooms are listed by the months in which they were written in; the roots of rooms follow any move."""

from alembic import op

from dagster_project.sources.rooms.schema import SCHEMA

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    SCHEMA.run_files(op.get_bind(), "0003_room_months", "0003_roots")


def downgrade() -> None:
    SCHEMA.run_files(op.get_bind(), "0003_downgrade")
