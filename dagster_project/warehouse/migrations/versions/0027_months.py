"""What grows with every chat and every sync comes into monthly partitions (UTC), and archives have their states.

The rows of large tables were copied before, in batches (migrations/monthly.py): here they are compared and swapped in.
"""

from collections.abc import Sequence
from typing import Any

from alembic import op

from dagster_project.warehouse.migrations import monthly, run
from dagster_project.warehouse.migrations.months import OF_B2CHAT

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute(monthly.PARTITION_FUNCTION)
    monthly.swap(_run, OF_B2CHAT)
    for moved in OF_B2CHAT:
        op.execute(f"""
            select ops.keep_month('{moved.name}', (now() + ahead * interval '1 month')::date)
            from generate_series(0, 3) as ahead
        """)  # noqa: S608
    op.execute(
        "comment on column raw.b2chat_chats.created_month is "
        "'The month of created_at, as B2Chat writes it: the partition'"
    )
    for table in ("chat", "contact"):
        op.execute(
            f"comment on column raw.b2chat_{table}_versions.superseded_at is "
            "'When a newer version took its place: the partition'"
        )


def downgrade() -> None:
    monthly.back(_run, OF_B2CHAT)
    op.execute("drop function ops.keep_month")


def _run(statement: str) -> Sequence[Any] | None:
    return run(op.get_bind(), statement)
