"""What a restored database must not forget, though it came after the backup: of the database that it replaces.

The audit log; what users and logins may do today; who is to stay forgotten.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import psycopg
from psycopg import sql

from dagster_project.warehouse.connection import connect, has_relation

log = logging.getLogger(__name__)

_LOG = "ops.audit_logs"
_OVERLAP = timedelta(days=1)  # a transaction may have begun long before the backup and ended after it
# Tables of which the replaced database's rows hold, with their keys; those named by another stand after it.
_AS_TODAY = {"ops.users": "id", "ops.logins": "login", "ops.login_scopes": "login, kind, scope_id"}
_BESIDE = {"ops.suppression_salt": "only_row", "ops.suppressed_people": "hash", "ops.erased_chats": "chat_id"}
_ALL, _NOTHING = sql.SQL(""), sql.SQL("do nothing")
_COLUMNS = """
    select attname from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum
"""


def carry_over(old_url: str, new_url: str, since: datetime) -> int:
    """Give the new database what only the old one knows. Returns how many events of the audit log there were.

    The old one may be damaged: what cannot be read of it stays there, and a line says so.
    """
    added = 0
    parts: dict[str, Callable[[psycopg.Connection, psycopg.Connection], int]] = {
        "the audit log": partial(_carry_log, since),
        "what users and logins may do": _carry_rights,
        "the list of erased people": _carry_erased,
    }
    for what, carry in parts.items():
        try:
            with connect(old_url) as old, connect(new_url) as new:
                added += carry(old, new)
        except psycopg.Error as error:
            log.warning("%s since the backup could not be carried over: %s", what, type(error).__name__)
    log.info("restore: %d events of the audit log since the backup are carried over", added)
    return added


def _carry_log(since: datetime, old: psycopg.Connection, new: psycopg.Connection) -> int:
    newer = sql.SQL(" where timestamp >= {}").format(sql.Literal(since - _OVERLAP))
    if not (columns := _read(old, new, _LOG, newer)):
        return 0
    new.execute(
        "select ops.keep_month(%s::regclass, month) "
        "from (select distinct date_trunc('month', timestamp at time zone 'UTC')::date as month from carried) "
        "as months",
        [_LOG],
    )
    return _add(new, _LOG, columns)


def _carry_rights(old: psycopg.Connection, new: psycopg.Connection) -> int:
    """Users and logins are as they were: who was disabled stays so, and whoever came since is there."""
    taking = sql.SQL("({key}) do update set {taken} where known is distinct from excluded")
    for table, key in _AS_TODAY.items():
        if columns := _read(old, new, table):
            parts = {"table": _identifier(table), "key": sql.SQL(key)}
            if table == "ops.login_scopes":
                new.execute(
                    sql.SQL("delete from {table} where ({key}) not in (select {key} from carried)").format(**parts)
                )
            _add(new, table, columns, taking.format(taken=_taken(columns), **parts))
    return 0


def _carry_erased(old: psycopg.Connection, new: psycopg.Connection) -> int:
    """The list of erased people, whom the restore then erases again (see `erasure.run.reapply`)."""
    for table in _BESIDE:
        if columns := _read(old, new, table):
            _add(new, table, columns)
    return 0


def _read(
    old: psycopg.Connection, new: psycopg.Connection, table: str, rows: sql.Composable = _ALL
) -> list[sql.Identifier]:
    """Copy the old rows into a temporary table `carried` of the new database. Returns the columns that both have."""
    if not (has_relation(old, table) and has_relation(new, table)):
        return []
    names = {name for (name,) in old.execute(_COLUMNS, [table])}
    columns = [sql.Identifier(name) for (name,) in new.execute(_COLUMNS, [table]) if name in names]
    parts = {"table": _identifier(table), "columns": sql.SQL(", ").join(columns), "rows": rows}
    new.execute("drop table if exists carried")
    # Without its constraints: the old one may not have each column yet.
    new.execute(
        sql.SQL("create temporary table carried on commit drop as select {columns} from {table} limit 0").format(
            **parts
        )
    )
    with (
        old.cursor().copy(sql.SQL("copy (select {columns} from {table}{rows}) to stdout").format(**parts)) as read,
        new.cursor().copy(sql.SQL("copy carried ({columns}) from stdin").format(**parts)) as written,
    ):
        for block in read:
            written.write(block)
    return columns


def _add(
    new: psycopg.Connection, table: str, columns: list[sql.Identifier], conflict: sql.Composable = _NOTHING
) -> int:
    """Add the rows of `carried` to their table. Returns how many were added or changed."""
    adding = sql.SQL("insert into {table} as known ({columns}) select {columns} from carried on conflict {conflict}")
    parts = {"table": _identifier(table), "columns": sql.SQL(", ").join(columns), "conflict": conflict}
    return new.execute(adding.format(**parts)).rowcount


def _taken(columns: list[sql.Identifier]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns)


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))
