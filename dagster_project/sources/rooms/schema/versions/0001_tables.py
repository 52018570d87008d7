"""All tables, what writes do by themselves, monthly partitions, and who may read."""

from alembic import op

from dagster_project.sources.rooms.schema import SCHEMA

revision = "0001"
down_revision = None


def upgrade() -> None:
    bind = op.get_bind()
    SCHEMA.run_files(bind, "0001_people_and_rooms", "0001_messages", "0001_support", "0001_history")
    SCHEMA.run_shared(bind, "touch")
    SCHEMA.run_files(bind, "0001_triggers")
    SCHEMA.run_shared(bind, "months")
    SCHEMA.run_files(bind, "0001_partitions", "0001_rights")


def downgrade() -> None:
    SCHEMA.run_shared(op.get_bind(), "drop_all")
