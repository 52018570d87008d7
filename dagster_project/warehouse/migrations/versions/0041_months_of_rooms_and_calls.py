"""What grows with every message, call and visit comes into monthly partitions (UTC), as it was read.

The rows of filled tables were copied before, in batches (migrations/monthly.py): here they are compared and swapped in.
"""

from collections.abc import Sequence
from typing import Any

from alembic import op

from dagster_project.warehouse.migrations import monthly, run
from dagster_project.warehouse.migrations.months import OF_ROOMS_AND_CALLS

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    monthly.swap(_run, OF_ROOMS_AND_CALLS)
    for moved in OF_ROOMS_AND_CALLS:
        op.execute(f"""
            select ops.keep_month('{moved.name}', (now() + ahead * interval '1 month')::date)
            from generate_series(0, 3) as ahead
        """)  # noqa: S608
        op.execute(
            f"comment on column {moved.name}.row_month is "
            "'The month (UTC) of the time by which its source has months of it: the partition'"
        )


def downgrade() -> None:
    monthly.back(_run, OF_ROOMS_AND_CALLS)


def _run(statement: str) -> Sequence[Any] | None:
    return run(op.get_bind(), statement)
