"""Schema drift: every field that a source ever sent, with its JSON types, and which of them are new.

Names only, never values (see `sources.shapes`).
"""

import logging
from collections.abc import Collection
from datetime import datetime

import psycopg

from dagster_project.sources.contract import EntitySpec

log = logging.getLogger(__name__)

MAX_FIELDS = 2000  # of one entity: what comes after these is not catalogued


def note_fields(
    conn: psycopg.Connection,
    entity: EntitySpec,
    fields: Collection[tuple[str, str]],
    sync_id: str,
    load_id: int,
    at: datetime,
) -> list[str]:
    """Add the fields of some records to ops.field_catalog.

    Args:
        fields: path and JSON type of each.

    Returns:
        Those to report, as `path type`: never seen before, after a first sync of the entity has succeeded. That a
        known field is null is no news.
    """
    if not fields:
        return []
    added = conn.execute(
        """
        insert into ops.field_catalog (source, entity_type, path, json_type, first_seen_at, first_load_id)
        select %(source)s, %(entity)s, path, json_type, %(at)s, %(load_id)s
        from unnest(%(paths)s::text[], %(types)s::text[]) as found (path, json_type)
        where (
            select count(*) from ops.field_catalog where (source, entity_type) = (%(source)s, %(entity)s)
        ) < %(max)s
        on conflict do nothing
        returning path, json_type
        """,
        {
            "source": entity.source,
            "entity": entity.name,
            "at": at,
            "load_id": load_id,
            "max": MAX_FIELDS,
            "paths": [path for path, _ in sorted(fields)],
            "types": [kind for _, kind in sorted(fields)],
        },
    ).fetchall()
    if not added or _is_first_sync(conn, entity, sync_id):
        return []
    known = {
        row[0]
        for row in conn.execute(
            "select path from ops.field_catalog where (source, entity_type) = (%s, %s) and first_load_id < %s",
            (*entity.id, load_id),
        )
    }
    new = [f"{path} {kind}" for path, kind in added if kind != "null" or path not in known]
    if new:
        log.warning("%s: fields never seen before: %s", entity.name, ", ".join(new[:20]))
    return new


def _is_first_sync(conn: psycopg.Connection, entity: EntitySpec, sync_id: str) -> bool:
    """Whether no sync before this one has succeeded, or none has filled the catalog."""
    row = conn.execute(
        """
        select exists (
            select from ops.sync_logs
            where (source, entity_type) = (%(source)s, %(entity)s) and status = 'success' and id <> %(sync_id)s
        ) and exists (
            select from ops.field_catalog as f join ops.page_loads as p on p.load_id = f.first_load_id
            where (f.source, f.entity_type) = (%(source)s, %(entity)s) and p.sync_id <> %(sync_id)s
        )
        """,
        {"source": entity.source, "entity": entity.name, "sync_id": sync_id},
    ).fetchone()
    return row is not None and not row[0]
