"""Which source fills this warehouse: written down at first use, held to ever after."""

from datetime import UTC, datetime

import psycopg

from dagster_project.ingestion.errors import SourceMismatch
from dagster_project.sources.contract import Origin

_NAMES = {"b2chat": "a B2Chat account", "sandbox": "the sandbox"}


def require_source(conn: psycopg.Connection, origin: Origin) -> None:
    """Note the source of an empty warehouse, or compare it with the one noted.

    Raises:
        SourceMismatch: the warehouse holds data of the other kind.
    """
    conn.execute(
        """
        insert into ops.data_source (kind, base_url, first_used_at) values (%s, %s, %s)
        on conflict (only_row) do nothing
        """,
        (origin.kind, origin.address, datetime.now(UTC)),
    )
    noted = conn.execute("select kind, first_used_at::date from ops.data_source").fetchone()
    if noted and noted[0] != origin.kind:
        raise SourceMismatch(
            f"this warehouse holds data of {_NAMES[noted[0]]} (since {noted[1]}), but {_NAMES[origin.kind]} answers "
            f"at {origin.address}: use another database for it"
        )
