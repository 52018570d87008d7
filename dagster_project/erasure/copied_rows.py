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
    assert entity.copied
    meant = sql.SQL("{} && %s").format(named_in("held.payload", entity.copied))
    return _less(conn, entity, meant, named, pseudonyms)


def less_that_hang_on(conn: psycopg.Connection, entity: EntitySpec, ids: Sequence[str]) -> int:
    """Likewise from rows that belong to others, of which no row is left in `raw` to say whom they are about.

    Args:
        ids: the first fields of the others' keys.
    """
    assert entity.copied and entity.copied.belongs_to
    meant = sql.SQL("held.payload ->> {} = any(%s)").format(entity.copied.belongs_to[1][0])
    return _less(conn, entity, meant, ids, {})


def less_in_month(
    conn: psycopg.Connection,
    table: sql.Identifier,
    entity: EntitySpec,
    named: Sequence[str],
    pseudonyms: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Likewise from a table that holds an archived month of such rows; they are of no load."""
    statement = sql.SQL("update {} as held set payload = {}, content_hash = 'erased' where {} && %s and {}")
    assert entity.copied
    less = less_personal("held.payload", entity.copied, pseudonyms)
    named_there = named_in("held.payload", entity.copied)
    return conn.execute(statement.format(table, less, named_there, _says_more(less)), [list(named)]).rowcount


def _less(
    conn: psycopg.Connection,
    entity: EntitySpec,
    meant: sql.Composable,
    ids: Sequence[str],
    pseudonyms: Mapping[str, str],
) -> int:
    table = sql.Identifier("raw", entity.table)
    assert entity.copied
    less = less_personal("held.payload", entity.copied, pseudonyms)
    query = sql.SQL("select row_key from {} as held where {} and {}").format(table, meant, _says_more(less))
    keys = conn.execute(query, [list(ids)]).fetchall()
    if not keys:
        return 0
    statement = "update {} as held set payload = {}, content_hash = 'erased', load_id = %s where row_key = any(%s)"
    return conn.execute(
        sql.SQL(statement).format(table, less), [open_load(conn, entity), [key for (key,) in keys]]
    ).rowcount


def _says_more(less: sql.Composable) -> sql.Composable:
    return sql.SQL("payload <> {}").format(less)
