"""The audit of the database: what is wrong with its tables, indexes, statements and rights, with what would mend it.

It reads catalogues and counters, and mends nothing. All of it is one transaction: a killed audit leaves neither half a
snapshot nor half its findings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

from dagster_project.database_audit import checks, findings, schemas, snapshots
from dagster_project.database_audit.checks import CHECKS, Check
from dagster_project.database_audit.findings import ALL, Finding, Severity
from dagster_project.database_audit.schemas import DATABASE

_TRIES = 10  # of what met a table as it vanished
_VANISHED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedObject,
    psycopg.errors.InternalError_,  # cache lookup failed, could not open relation
)
# What vanished, and what is called as dbt calls a table that it swaps: neither finished nor to stay.
_FORGET = r"""
    with gone as (
        delete from audited_tables as gone
        where table_name ~ '__dbt_(tmp|backup)'
            or heap_bytes is null
            or not exists (select from pg_class where pg_class.oid = gone.oid)
        returning oid, schema_name || '.' || table_name as name
    ),
    gone_indexes as (
        delete from audited_indexes as gone
        where table_name ~ '__dbt_(tmp|backup)'
            or bytes is null
            or not exists (select from pg_class where pg_class.oid = gone.oid)
        returning schema_name || '.' || index_name as name
    ),
    gone_keys as (
        delete from audited_foreign_keys as gone
        where table_name ~ '__dbt_(tmp|backup)'
            or not exists (select from pg_constraint where pg_constraint.oid = gone.oid)
    )
    select name from gone union select name from gone_indexes
"""
_OURS = """
    create temporary table audit_day on commit drop as select %s::date as today, %s::timestamptz as at;
    create temporary table audited_retention (schema_name text, table_name text, kept_days integer) on commit drop;
    create temporary table audited_backups (subject text, fault text) on commit drop
"""


@dataclass(frozen=True)
class Audit:
    """What an audit looked at and found.

    Attributes:
        schemas: those that were looked at, and "database".
        findings: by severity, rule and object.
        skipped: tables and indexes that were swapped or dropped while it looked.
        took_snapshot: whether it was the first whole audit of its day.
    """

    schemas: list[str]
    findings: list[Finding]
    skipped: list[str]
    took_snapshot: bool

    def of(self, *severities: Severity, schema: str | None = None) -> list[Finding]:
        """Its findings of some severities that nobody excepted."""
        return [
            finding
            for finding in self.findings
            if finding.severity in severities
            and finding.exception is None
            and (schema is None or finding.schema == schema)
        ]


@dataclass(frozen=True)
class _Row:
    schema_name: str
    object: str
    severity: Severity
    evidence: str
    fix: str | None


def run(
    conn: psycopg.Connection,
    zone: ZoneInfo,
    *,
    schema: str | None = None,
    watch_seconds: float = 0,
    kept: Mapping[str, int] | None = None,
    backups: Mapping[str, str] | None = None,
    at: datetime | None = None,
    known: findings.Exceptions | None = None,
) -> Audit:
    """Audit the database, or one schema of it, and keep what was found in `ops.database_findings`.

    Args:
        conn: in autocommit.
        zone: in which days begin; a whole audit keeps one snapshot a day.
        schema: the one to look at; without, all of ours, and the database itself.
        watch_seconds: how long to watch the statements that go on, for D10.
        kept: by schema.table, for how many days its rows stay.
        backups: what is wrong with backups (`backup`) and their drills (`drill`); None: nobody here knows them.
        at: the present, for tests.
        known: exceptions, by default those of the seed.

    Raises:
        NoSuchSchema: there is no such schema.
    """
    at = at or datetime.now(zone)
    today = at.astimezone(zone).date()
    known = findings.exceptions() if known is None else known
    wanted = [schema] if schema else schemas.existing(conn)
    _find_extensions(conn)
    snapshots.sample(conn, watch_seconds)
    try:
        with conn.transaction():
            skipped = _look(conn, wanted, today, at, kept or {}, backups)
            took_snapshot = not schema and snapshots.take(conn, today, at)
            looked_at = wanted if schema else [*wanted, DATABASE]
            found = list[Finding]()
            for check in CHECKS:
                if not (schema and check.of_database):
                    found += _checked(conn, check, skipped)
            found = _still_there(conn, [findings.excepted(each, known, today) for each in found], skipped)
            found = findings.keep(conn, found, looked_at, at)
    finally:
        if not conn.closed:
            conn.execute("drop table if exists audit_sample")
            conn.execute("reset search_path")
    found.sort(key=lambda each: (findings.SEVERITIES.index(each.severity), each.rule, each.object))
    return Audit(looked_at, found, sorted(skipped), took_snapshot)


def _find_extensions(conn: psycopg.Connection) -> None:
    """Make the audit's extensions reachable without naming the schema that they are in."""
    conn.execute("""
        select set_config('search_path', concat_ws(', ', 'pg_catalog', string_agg(distinct quote_ident(nspname), ', ')),
            false)
        from pg_extension inner join pg_namespace on pg_namespace.oid = extnamespace
        where extname in ('pg_stat_statements', 'pgstattuple')
    """)


def _look(
    conn: psycopg.Connection,
    wanted: list[str],
    today: date,
    at: datetime,
    kept: Mapping[str, int],
    backups: Mapping[str, str] | None,
) -> set[str]:
    """Make the image of the catalogues that all checks read; returns what is just being swapped."""
    conn.execute("set local lock_timeout = '30s'")
    conn.execute("set local statement_timeout = '2min'")
    for statement, values in zip(_OURS.split(";"), ([today, at], [], []), strict=True):
        conn.execute(statement, values)
    for table, days in kept.items():
        conn.execute("insert into audited_retention values (%s, %s, %s)", [*table.split("."), days])
    if backups is not None:
        for subject in ("backup", "drill"):
            conn.execute("insert into audited_backups values (%s, %s)", [subject, backups.get(subject)])
    schemas.fill(conn, wanted)
    for left in reversed(range(_TRIES)):
        try:
            with conn.transaction():
                conn.execute(checks.read("catalogue"), prepare=False)
                skipped = _forget(conn)
                conn.execute(checks.read("roots"), prepare=False)
                return skipped
        except _VANISHED:
            if not left:
                raise
    raise AssertionError


def _forget(conn: psycopg.Connection) -> set[str]:
    """Take what is not there any more out of the image; returns the names."""
    return {name for (name,) in conn.execute(_FORGET).fetchall()}


def _checked(conn: psycopg.Connection, check: Check, skipped: set[str]) -> list[Finding]:
    """The findings of a check; one that says why, where it could not look."""
    for need in check.needs:
        if conn.execute(f"select {need.is_met}").fetchone() != (True,):
            return [_not_checked(check, need.reason)]
    for _ in range(_TRIES):
        try:
            with conn.transaction(), conn.cursor(row_factory=class_row(_Row)) as cursor:
                rows = cursor.execute(check.sql).fetchall()
            return [
                Finding(check.rule, check.name, row.schema_name, row.object, row.severity, row.evidence, row.fix)
                for row in rows
            ]
        except _VANISHED:
            skipped |= _forget(conn)
        except psycopg.errors.UndefinedColumn:
            return [_not_checked(check, "the marts are of an earlier version: run `b2chat build`")]
        except psycopg.errors.InsufficientPrivilege:
            return [_not_checked(check, "this user may not read what it needs")]
        except psycopg.errors.QueryCanceled:
            return [_not_checked(check, "it took longer than two minutes")]
    return [_not_checked(check, "what it looks at changes all the time: a build is at work")]


def _not_checked(check: Check, reason: str) -> Finding:
    return Finding(check.rule, check.name, DATABASE, ALL, "not_checked", reason)


def _still_there(conn: psycopg.Connection, found: list[Finding], skipped: set[str]) -> list[Finding]:
    """Less what is of a table that vanished meanwhile: it is named, and the next audit looks again."""
    skipped |= _forget(conn)
    return [
        each
        for each in found
        if each.object not in skipped and not any(each.object.startswith(f"{name}.") for name in skipped)
    ]
