"""Forgets a visitor or an agent of calls: at the source, in what was read of it, in archived months, in exports.

What is counted stays: in the place of a visitor's id stands another one, the same in each row, so that visits are as
many as before. Each step does nothing a second time, so whoever is killed is run again; tables for BI follow with the
next build, for the rows come in loads of their own.
"""

import contextlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from dagster_project.erasure import files
from dagster_project.erasure.copied_rows import less_copied, less_in_month
from dagster_project.erasure.person import MARK, NoSuchPerson
from dagster_project.exports.export_log import LoggedExport
from dagster_project.ingestion.records.erased_rows import less_personal, named_in
from dagster_project.ingestion.single_writer import writer
from dagster_project.settings import Settings
from dagster_project.sources.calls.entities import ENTITIES, NAME
from dagster_project.sources.contract import EntitySpec
from dagster_project.sources.people import by_mention, mention_of, mentioned
from dagster_project.warehouse import suppression
from dagster_project.warehouse.access import audit_log
from dagster_project.warehouse.archive import states, steps
from dagster_project.warehouse.connection import connect, has_relation

_PERSONAL = tuple(one for one in ENTITIES if one.copied and (one.copied.personal or one.copied.pseudonyms))
_ARCHIVED = {f"{NAME}.{one.name}": one for one in _PERSONAL}
_MONTHS = {f"raw.{one.table}": one for one in _PERSONAL if one.copied and one.copied.month}  # what was read
# Each step finds more of what a person is known by: by an address a user, by that one an agent, by a text a visitor.
_STEPS: tuple[tuple[str, LiteralString], ...] = (
    ("users", "array[held.payload ->> 'id', lower(held.payload ->> 'email')]"),
    ("agent_profiles", "array[held.payload ->> 'id', held.payload ->> 'user_id']"),
    ("users", "array[held.payload ->> 'id', lower(held.payload ->> 'email')]"),
    ("widget_pageviews", "array[held.payload ->> 'visitor_id']"),
    ("call_logs", "array[held.payload ->> 'visitor_id']"),
    ("feedback_items", "array[held.payload -> 'payload' ->> 'visitor_id']"),
    ("funnel_events", "array[held.payload -> 'payload' ->> 'visitor_id']"),
    ("pmf_surveys", "array[held.payload -> 'payload' ->> 'visitor_id']"),
)
# What never shows a visitor or an agent of calls stays.
_EXPORTS = """
    select id, store, key, file_url, status from ops.export_logs
    where status = 'completed' and export_type <> all(array['chats', 'rooms', 'escalations', 'kpis', 'analysis'])
        and created_at >= %s
        and coalesce(
            case when filters ? 'week' then (filters ->> 'week')::date + 6
                when filters ? 'month' then ((filters ->> 'month')::date + interval '1 month')::date - 1
                else (filters ->> 'to')::date end, 'infinity') >= (%s::timestamptz)::date - 1
    order by created_at
"""


@dataclass(frozen=True)
class Caller:
    """A person of calls: by what it is named anywhere, and since when there is anything of it."""

    named: tuple[str, ...]
    since: datetime


def find(conn: psycopg.Connection, who: str, schema: str = "raw") -> Caller:
    """All by what somebody is named.

    Args:
        who: the id of a visitor, a user or an agent, or an e-mail address or a phone number, however written.
        schema: where to look: `raw`, or `calls` at the source.

    Raises:
        NoSuchPerson: nothing names them.
    """
    named = {mention_of(who)}
    for table, more in _STEPS:
        entity = next(one for one in ENTITIES if one.name == table)
        for (one,) in _read(conn, entity, schema, named, sql.SQL("distinct unnest({})").format(sql.SQL(more))):
            named |= {mention_of(one)} if one else set()
    first = [
        at
        for entity in _PERSONAL
        for (at,) in _read(conn, entity, schema, named, sql.SQL("min((held.payload ->> 'created_at')::timestamptz)"))
        if at
    ]
    if not first:
        raise NoSuchPerson("calls name nobody so: give a visitor's, user's or agent's id, an address or a number")
    return Caller(tuple(sorted(named)), min(first))


def held(conn: psycopg.Connection, person: Caller) -> dict[str, Any]:
    """All that is held of somebody, by table: what came of the source, and what was made of it."""
    keys = [f"{NAME}:{one}" for one in person.named]
    made = {
        "marts.visits": "visitor_key = any(select md5(one) from unnest(%(keys)s::text[]) as one)",
        "marts.call_times": "visitor_key = any(select md5(one) from unnest(%(keys)s::text[]) as one)",
        "marts.call_agent_daily": "agent_id = any(%(keys)s)",
        "marts.call_offers_daily": "agent_id = any(%(keys)s)",
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        tables = {
            f"raw.{entity.table}": _read(cursor, entity, "raw", person.named, sql.SQL("held.*")) for entity in _PERSONAL
        } | {
            table: cursor.execute(f"select * from {table} where {condition}", {"keys": keys}).fetchall()  # noqa: S608
            for table, condition in made.items()
            if has_relation(conn, table)
        }
    tables["raw.quarantine"] = [{"quarantine_id": one, "payload": text} for one, text in _in_quarantine(conn, person)]
    archives = [one.label for one in states.archives(conn, states.AWAY) if one.table_name in _ARCHIVED | _MONTHS]
    return {"named": list(person.named), "tables": tables, "files": {"archives": archives}}


def erase(
    url: str, source_url: str | None, settings: Settings, store: files.Store, who: str, by: str
) -> dict[str, int]:
    """Take somebody out of calls, raw, quarantine, archives and exports.

    Args:
        source_url: the Postgres that holds the schema calls, where it is ours to write; None: others erase there.
        who: as of `find`.
        by: who does it, an id of ops.users.

    Returns:
        how many rows or files changed, by place.

    Raises:
        NoSuchPerson: nothing names them.
        AlreadyRunning: a sync is at work: nothing has changed, run it again.
        ArchiveFailed, StoreFailed: a file could not be read or written; run it again.
    """
    token = MARK + secrets.token_hex(8)
    with connect(url, autocommit=True) as conn:
        person = _anywhere(conn, source_url, who)
        others = _suppressed(conn, settings, person, token)
    counts = _at_the_source(source_url, person, others) if source_url else {}
    counts["archived files"] = _in_archives(url, store, person, others, token)
    with connect(url, autocommit=True) as conn:
        with conn.cursor(row_factory=class_row(LoggedExport)) as cursor:
            exports = cursor.execute(_EXPORTS, [person.since, person.since]).fetchall()
        counts["exports"] = files.delete_exports(conn, store, exports, token)
    # What was read comes last: whoever was killed before is found by it again.
    with writer(url, "erase a person of calls") as conn, conn.transaction():
        counts |= {f"raw.{one.table}": less_copied(conn, one, person.named, others) for one in _PERSONAL}
        counts["raw.quarantine"] = _out_of_quarantine(conn, person)
        audit_log.record(
            conn, "erasure.complete", resource="erasure", resource_id=token, user=by, metadata={"counts": counts}
        )
    return {place: count for place, count in counts.items() if count}


def erase_again(url: str, source_url: str | None, settings: Settings, store: files.Store, by: str) -> int:
    """After a restore: forget once more whom the database, or the one with the schema calls, names again.

    Returns:
        how many of those who were erased it named.
    """
    with connect(url) as conn:
        hashed = suppression.reader(conn)
        if not hashed:
            return 0
        named = _all_named(conn, "raw")
        if source_url:
            with connect(source_url) as source:
                named |= _all_named(source, NAME)
        hashes = {hashed(by_mention(NAME, one)): one for one in named}
        known = suppression.tokens(conn, hashes)
    erased = set[str]()
    for one, token in known.items():
        with contextlib.suppress(NoSuchPerson):  # gone with another of their names
            if erase(url, source_url, settings, store, hashes[one], by):
                erased.add(token)
    return len(erased)


def may_write(url: str) -> bool:
    """Whether the schema calls is ours to write."""
    with connect(url) as conn:
        row = conn.execute("select has_table_privilege(to_regclass('calls.call_logs'), 'update')").fetchone()
    return row == (True,)


def _anywhere(conn: psycopg.Connection, source_url: str | None, who: str) -> Caller:
    """Also whom nobody has read of yet, and whom a run that was killed has taken from the one place already."""
    found = list[Caller]()
    try:
        found.append(find(conn, who))
    except NoSuchPerson:
        if not source_url:
            raise
    if source_url:
        with connect(source_url) as source:
            try:
                found.append(find(source, who, NAME))
            except NoSuchPerson:
                if not found:
                    raise
    return Caller(tuple(sorted({one for each in found for one in each.named})), min(each.since for each in found))


def _all_named(conn: psycopg.Connection, schema: str) -> set[str]:
    everybody = set[str]()
    for entity in _PERSONAL:
        assert entity.copied
        query = sql.SQL("select distinct unnest({}) from {} as held")
        named = query.format(named_in("held.payload", entity.copied), _table(entity, schema))
        everybody.update(one for (one,) in conn.execute(named) if one)
    return everybody


def _suppressed(conn: psycopg.Connection, settings: Settings, person: Caller, token: str) -> dict[str, str]:
    """Keep them from coming back. Returns the pseudonyms, those of an earlier run where there was one."""
    hashed = suppression.writer(conn, settings)
    hashes = {hashed(by_mention(NAME, one)): one for one in person.named}
    suppression.add(conn, hashes, token)
    suppression.keep_copy(conn, settings)
    return {hashes[one]: suppression.pseudonym(known, one) for one, known in suppression.tokens(conn, hashes).items()}


def _at_the_source(url: str, person: Caller, others: Mapping[str, str]) -> dict[str, int]:
    with connect(url) as conn:
        return {
            f"{NAME}.{entity.name}": _less(
                conn, sql.Identifier(NAME, entity.name), entity=entity, person=person, others=others
            )
            for entity in _PERSONAL
        }


def _in_archives(url: str, store: files.Store, person: Caller, others: Mapping[str, str], token: str) -> int:
    """Files of months that named them are written anew."""
    changed = 0
    with connect(url, autocommit=True) as conn, steps.alone(conn):
        for archive in states.archives(conn, ("exported", "verified", "detached", "dropped", "restored")):
            if entity := _ARCHIVED.get(archive.table_name):
                redact = partial(_less, entity=entity, person=person, others=others)
                changed += files.rewrite(url, store, archive, token, redact)
            if entity := _MONTHS.get(archive.table_name):
                taken = partial(less_in_month, entity=entity, named=person.named, pseudonyms=others)
                changed += files.rewrite(url, store, archive, token, taken)
    return changed


def _less(
    conn: psycopg.Connection, table: sql.Identifier, *, entity: EntitySpec, person: Caller, others: Mapping[str, str]
) -> int:
    """Take from the rows of a table of the schema, or of one that is like it, what they say of somebody."""
    assert entity.copied
    less = less_personal("whole.payload", entity.copied, others)
    columns = sql.SQL(", ").join(map(sql.Identifier, [*entity.copied.personal, *entity.copied.pseudonyms]))
    statement = sql.SQL(
        "update {table} as held set ({columns}) = (select {columns} from jsonb_populate_record(held, {less})) "
        "from (select ctid, tableoid, to_jsonb(t) as payload from {table} as t) as whole "
        "where held.ctid = whole.ctid and held.tableoid = whole.tableoid and {named} && %s and whole.payload <> {less}"
    ).format(table=table, columns=columns, less=less, named=named_in("whole.payload", entity.copied))
    return conn.execute(statement, [list(person.named)]).rowcount


def _in_quarantine(conn: psycopg.Connection, person: Caller) -> list[tuple[int, str]]:
    kept = conn.execute(
        "select quarantine_id, convert_from(payload_bytes, 'latin1') from raw.quarantine "
        "where source = %s and payload_bytes <> ''",
        [NAME],
    ).fetchall()
    return [(one, text) for one, text in kept if not mentioned(text).isdisjoint(person.named)]


def _out_of_quarantine(conn: psycopg.Connection, person: Caller) -> int:
    """What could not be read stays counted; there is nothing left of it."""
    return conn.execute(
        "update raw.quarantine set payload_bytes = '', record_key = null, content_hash = 'erased-' || quarantine_id, "
        "resolved_at = coalesce(resolved_at, now()) where quarantine_id = any(%s)",
        [[one for one, _ in _in_quarantine(conn, person)]],
    ).rowcount


def _read(
    asked: psycopg.Connection[Any] | psycopg.Cursor[Any],
    entity: EntitySpec,
    schema: str,
    named: Iterable[str],
    selected: sql.Composable,
) -> list[Any]:
    """Something of the rows that name somebody, each with its JSON (`held.payload`)."""
    assert entity.copied
    query = sql.SQL("select {} from {} as held where {} && %s")
    return asked.execute(
        query.format(selected, _table(entity, schema), named_in("held.payload", entity.copied)), [list(named)]
    ).fetchall()


def _table(entity: EntitySpec, schema: str) -> sql.Composable:
    """Rows of an entity with their JSON, as it was read (`raw`) or as it is at the source (`calls`)."""
    if schema == NAME:
        return sql.SQL("(select to_jsonb(t) as payload from {} as t)").format(sql.Identifier(NAME, entity.name))
    return sql.Identifier(schema, entity.table)
