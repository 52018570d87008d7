"""Tables of the backlog and of who is at work are made anew: dbt gives a table that stands no new index.

What they hold is worked out again by the next build, from raw. The views that go with them are dbt's own.
"""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("drop table if exists intermediate.int_backlog_spells")
    op.execute("drop table if exists intermediate.int_agent_holds cascade")


def downgrade() -> None:
    """Nothing: the next build makes what it needs."""
