"""Copied rows that are about an erased person: which they are, and what stands in them then."""

import json
from collections.abc import Mapping, Sequence
from typing import LiteralString

import psycopg
from psycopg import sql

from dagster_project.ingestion.records.raw_tables import fields_of, is_row
from dagster_project.ingestion.records.suppression import erased_among
from dagster_project.sources.contract import MENTION, PHONE_DIGITS, Copied, Rejected


def less_personal(payload: LiteralString, copied: Copied, pseudonyms: Mapping[str, str]) -> sql.Composable:
    """SQL: a payload without what was said in it; what was empty stays so.

    Args:
        pseudonyms: by what a person is known, what stands in its place.
    """
    less = sql.SQL(
        "{payload} || (select coalesce(jsonb_object_agg(said.key, said.value), '{{}}') "
        "from jsonb_each({instead}::jsonb) as said where jsonb_typeof({payload} -> said.key) <> 'null')"
    ).format(payload=sql.SQL(payload), instead=sql.Literal(json.dumps(dict(copied.personal))))
    for field in copied.pseudonyms:
        less += sql.SQL(
            " || jsonb_strip_nulls(jsonb_build_object({field}, {others}::jsonb -> lower({payload} ->> {field})))"
        ).format(payload=sql.SQL(payload), field=sql.Literal(field), others=sql.Literal(json.dumps(dict(pseudonyms))))
    return less


def named_in(payload: LiteralString, copied: Copied) -> sql.Composable:
    """SQL: by what people, and a conversation, are named in a row; the row that it belongs to, and those in that one.

    Args:
        payload: with the name of its table.
    """
    named = sql.SQL("array[{}]::text[]").format(_ids(payload, copied))
    for field in copied.mentions:
        named += sql.SQL(" || {}").format(_mentioned(payload, field))
    if copied.belongs_to:
        entity, fields = copied.belongs_to
        assert entity.copied
        named += sql.SQL(
            " || array[{}] || coalesce((select array[{}]::text[] from {} as whole where {}), '{{}}')"
        ).format(
            fields_of(payload, fields[:1]),
            _ids("whole.payload", entity.copied),
            sql.Identifier("raw", entity.table),
            is_row(payload, entity.copied, fields),
        )
    return named


def _mentioned(payload: LiteralString, field: str) -> sql.Composable:
    """As `sources/people.py` finds what a text mentions, and writes it."""
    return sql.SQL(
        "array(select case when strpos(one[1], '@') > 0 or one[1] ~ '^[0-9a-f]{{8}}-' then one[1] "
        "else right(regexp_replace(one[1], '[^0-9]', '', 'g'), {digits}) end "
        "from regexp_matches(lower(replace({payload} ->> {field}, chr(37) || '40', '@')), {mention}, 'g') as one)"
    ).format(
        digits=sql.Literal(PHONE_DIGITS),
        payload=sql.SQL(payload),
        field=sql.Literal(field),
        mention=sql.Literal(MENTION),
    )


def suppress(conn: psycopg.Connection, copied: Copied) -> int:
    """Take from the rows of the stage that are about an erased person what was said. Returns how many rows that were.

    Raises:
        suppression.WrongSalt: nobody can tell who was erased; nothing may land.
    """
    if not (copied.personal or copied.pseudonyms):
        return 0
    named = named_in("copied_rows.payload", copied)
    found = sql.SQL("select distinct unnest({}) from copied_rows").format(named)
    erased = erased_among(conn, copied, lambda: [one for (one,) in conn.execute(found) if one])
    if not erased:
        return 0
    less = less_personal("copied_rows.payload", copied, erased)
    statement = sql.SQL(
        "update copied_rows set payload = {less}, content_hash = md5(({less})::text) where {named} && %s"
    ).format(less=less, named=named)
    return conn.execute(statement, [list(erased)]).rowcount


def without_erased(conn: psycopg.Connection, copied: Copied, rejected: Sequence[Rejected]) -> list[Rejected]:
    """What quarantine may keep of rows that could not land."""
    erased = erased_among(conn, copied, lambda: [one for row in rejected for one in row.people]).keys()
    return [one for one in rejected if erased.isdisjoint(one.people)]


def _ids(payload: LiteralString, copied: Copied) -> sql.Composable:
    return fields_of(payload, [*copied.people, *([copied.conversation] if copied.conversation else [])])
