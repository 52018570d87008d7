"""One clock for all that is written, which the owner may set; what the application does with nobody signed in."""

from alembic import op

from dagster_project.sources.rooms.schema import SCHEMA

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    SCHEMA.run_files(op.get_bind(), "0005_clock", "0005_system", "0005_everywhere")


def downgrade() -> None:
    SCHEMA.run_files(op.get_bind(), "0005_downgrade")
