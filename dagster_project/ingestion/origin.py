"""What answers as a source (`ops.data_source`): noted at first use, held to ever after."""

from datetime import UTC, datetime

import psycopg

from dagster_project.ingestion.errors import SourceMismatch
from dagster_project.sources.contract import Origin, SourceSpec


def require_origin(conn: psycopg.Connection, source: SourceSpec, origin: Origin) -> None:
    """Note who answers as a source, or compare it with the one noted.

    Raises:
        SourceMismatch: the warehouse holds data of the other kind.
    """
    conn.execute(
        """
        insert into ops.data_source (source, kind, base_url, first_used_at) values (%s, %s, %s, %s)
        on conflict (source) do nothing
        """,
        (source.name, origin.kind, origin.address, datetime.now(UTC)),
    )
    noted = conn.execute(
        "select kind, first_used_at::date from ops.data_source where source = %s", (source.name,)
    ).fetchone()
    if noted and noted[0] != origin.kind:
        raise SourceMismatch(
            f"this warehouse holds data of {source.origins[noted[0]]} (since {noted[1]}), but "
            f"{source.origins[origin.kind]} answers "
            f"at {origin.address}: use another database for it"
        )
