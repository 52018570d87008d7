"""All tables, what writes do by themselves, monthly partitions, and who may read."""

from alembic import op

from dagster_project.sources.rooms.schema.run import run_files

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_files(
        op.get_bind(),
        "0001_people_and_rooms",
        "0001_messages",
        "0001_support",
        "0001_history",
        "0001_triggers",
        "0001_partitions",
        "0001_rights",
    )


def downgrade() -> None:
    run_files(op.get_bind(), "0001_downgrade")
