"""Values that cannot be are refused before Postgres shows the row that they would be in."""

from alembic import op

from dagster_project.sources.rooms.schema import SCHEMA

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    SCHEMA.run_files(op.get_bind(), "0006_values")


def downgrade() -> None:
    """Functions stay as they are, as in revision 0004."""
