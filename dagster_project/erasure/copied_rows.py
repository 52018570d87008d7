"""A person goes from the rows that ingestion copied from another Postgres."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import psycopg
from psycopg import sql

from dagster_project.erasure.rows import open_load
from dagster_project.ingestion.records.erased_rows import less_personal, named_in
from dagster_project.sources.contract import EntitySpec


def less_copied(
    conn: psycopg.Connection,
    entity: EntitySpec,
    named: Sequence[str],
    pseudonyms: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Take from rows that were copied what they say of a person, so that dbt makes anew what is made of them.

    Args:
        named: by what the person, and conversations about them, are named.
        pseudonyms: of these, those in whose place another id stands from now on.
    """
    copied, table = entity.copied, sql.Identifier("raw", entity.table)
    assert copied
    without = less_personal("held.payload", copied, pseudonyms)
    keys = conn.execute(
        sql.SQL(
            "select row_key from {} as held where {} && %s and payload <> {} "
            "and payload ->> 'message_type' is distinct from 'system'"
        ).format(table, named_in("held.payload", copied), without),
        [list(named)],
    ).fetchall()
    if not keys:
        return 0
    statement = "update {} as held set payload = {}, content_hash = 'erased', load_id = %s where row_key = any(%s)"
    return conn.execute(
        sql.SQL(statement).format(table, without), [open_load(conn, entity), [key for (key,) in keys]]
    ).rowcount
