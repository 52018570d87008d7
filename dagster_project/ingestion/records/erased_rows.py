"""Copied rows that are about an erased person: which they are, and what stands in them then."""

import json
from collections.abc import Sequence
from typing import LiteralString

import psycopg
from psycopg import sql

from dagster_project.ingestion.records.suppression import erased_among
from dagster_project.sources.contract import Copied, Rejected


def less_personal(payload: LiteralString, copied: Copied) -> sql.Composable:
    """SQL: a payload without what was said in it; what was empty stays so."""
    return sql.SQL(
        "{payload} || (select coalesce(jsonb_object_agg(said.key, said.value), '{{}}') "
        "from jsonb_each({instead}::jsonb) as said where jsonb_typeof({payload} -> said.key) <> 'null')"
    ).format(payload=sql.SQL(payload), instead=sql.Literal(json.dumps(dict(copied.personal))))


def named_in(payload: LiteralString, copied: Copied) -> sql.Composable:
    """SQL: the ids of people, and of a conversation, that a row names; those too of the row that it belongs to.

    Args:
        payload: with the name of its table.
    """
    own = sql.SQL("array[{}]::text[]").format(_ids(payload, copied))
    if not copied.belongs_to:
        return own
    entity, fields = copied.belongs_to
    assert entity.copied
    return sql.SQL(
        "{} || coalesce((select array[{}]::text[] from {} as whole where whole.row_key = concat_ws('|', {})), '{{}}')"
    ).format(own, _ids("whole.payload", entity.copied), sql.Identifier("raw", entity.table), fields_of(payload, fields))


def fields_of(payload: LiteralString, fields: Sequence[str]) -> sql.Composable:
    """SQL: the texts of some fields, with commas between them."""
    return sql.SQL(", ").join(sql.SQL(payload + " ->> {}").format(sql.Literal(name)) for name in fields)


def suppress(conn: psycopg.Connection, copied: Copied) -> int:
    """Take from the rows of the stage that are about an erased person what was said. Returns how many rows that were.

    Raises:
        suppression.WrongSalt: nobody can tell who was erased; nothing may land.
    """
    if not copied.personal:
        return 0
    named = named_in("copied_rows.payload", copied)
    found = sql.SQL("select distinct unnest({}) from copied_rows").format(named)
    erased = erased_among(conn, copied, lambda: [one for (one,) in conn.execute(found) if one])
    if not erased:
        return 0
    less = less_personal("copied_rows.payload", copied)
    statement = sql.SQL(
        "update copied_rows set payload = {less}, content_hash = md5(({less})::text) where {named} && %s"
    ).format(less=less, named=named)
    return conn.execute(statement, [erased]).rowcount


def without_erased(conn: psycopg.Connection, copied: Copied, rejected: Sequence[Rejected]) -> list[Rejected]:
    """What quarantine may keep of rows that could not land."""
    erased = set(erased_among(conn, copied, lambda: [one for row in rejected for one in row.people]))
    return [one for one in rejected if erased.isdisjoint(one.people)]


def _ids(payload: LiteralString, copied: Copied) -> sql.Composable:
    return fields_of(payload, [*copied.people, *([copied.conversation] if copied.conversation else [])])
