"""All tables with their indexes, the stamp of each write, monthly partitions, and who may read."""

from alembic import op

from dagster_project.sources.calls.schema import SCHEMA

revision = "0001"
down_revision = None


def upgrade() -> None:
    bind = op.get_bind()
    SCHEMA.run_files(bind, "0001_organizations", "0001_visits", "0001_calls", "0001_presence", "0001_product")
    SCHEMA.run_shared(bind, "touch", "months")
    SCHEMA.run_files(bind, "0001_upkeep")


def downgrade() -> None:
    SCHEMA.run_shared(op.get_bind(), "drop_all")
