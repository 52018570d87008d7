"""Rows of the schema `rooms` as ingestion lands them in raw, in one statement a table: for the tests of models.

What a load brings is what differs from what is there, as the engine finds it.
"""

import psycopg
from psycopg import sql

from dagster_project.ingestion.records.raw_tables import month_of
from dagster_project.sources.contract import EntitySpec
from dagster_project.sources.rooms.entities import ENTITIES
from dagster_project.warehouse import partitions

_LOAD = """
    with sync as (
        insert into ops.sync_logs (user_id, source, entity_type, operation, record_count, status, started_at)
        values ('test', 'rooms', %(entity)s, 'sync', %(count)s, 'success', now())
        returning id
    )
    insert into ops.page_loads (
        sync_id, source, entity_type, page_offset, record_count, new_count, changed_count, unchanged_count,
        quarantined_count, response_bytes, request_ms, loaded_at
    )
    select id, 'rooms', %(entity)s, 0, %(count)s, %(count)s, 0, 0, 0, 0, 0, now() from sync
    returning load_id
"""
_STAGE = """
    create temporary table staged on commit drop as
    select {key} as row_key, {conversation} as conversation_id, to_jsonb(found) - 'password_hash' as payload
    from {table} as found
    where not exists (
        select from {raw} as known
        where known.row_key = {key} and known.payload = to_jsonb(found) - 'password_hash'
    )
"""
_MERGE = """
    insert into {raw} ({unique}, conversation_id, payload, content_hash, load_id, first_load_id, loaded_at)
    select {value}, conversation_id, payload, md5(payload::text), %(load)s, %(load)s, now() from staged
    on conflict ({unique}) do update set
        payload = excluded.payload, content_hash = excluded.content_hash, load_id = excluded.load_id, loaded_at = now()
"""


def land(conn: psycopg.Connection, schema: str = "rooms") -> dict[str, int]:
    """Land whatever is new or changed in a schema's tables, a load an entity, in the caller's transaction.

    The archives are left out: no conversation is in them.

    Returns:
        how many rows came, by entity; nothing of entities without any.
    """
    read = (entity for entity in ENTITIES if entity.name != "archives")
    return {entity.name: count for entity in read if (count := _land(conn, entity, schema))}


def _land(conn: psycopg.Connection, entity: EntitySpec, schema: str) -> int:
    copied = entity.copied
    assert copied
    keys = [sql.SQL("found.{}::text").format(sql.Identifier(key)) for key in copied.keys]
    names = {
        "table": sql.Identifier(schema, entity.name),
        "raw": sql.Identifier("raw", entity.table),
        "key": sql.SQL(" || '|' || ").join(keys),
        "conversation": sql.SQL("found.{}::text").format(sql.Identifier(copied.conversation))
        if copied.conversation
        else sql.SQL("null::text"),
        "unique": sql.SQL("row_key, row_month" if copied.month else "row_key"),
        "value": sql.SQL("row_key, {}").format(month_of("payload", copied.month))
        if copied.month
        else sql.SQL("row_key"),
    }
    count = conn.execute(sql.SQL(_STAGE).format(**names)).rowcount
    if count:
        if copied.month:
            months = sql.SQL("select distinct {} from staged").format(month_of("payload", copied.month))
            partitions.keep(conn, f"raw.{entity.table}", [month for (month,) in conn.execute(months)])
        (load,) = conn.execute(_LOAD, {"entity": entity.name, "count": count}).fetchone() or (None,)
        conn.execute(sql.SQL(_MERGE).format(**names), {"load": load})
    conn.execute("drop table staged")
    return count
