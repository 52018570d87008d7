"""What a restored database must not forget, though it came after the backup: the audit log of the one it replaces."""

import logging
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from dagster_project.warehouse.connection import connect, has_relation

log = logging.getLogger(__name__)

_NAME = "ops.audit_logs"
_TABLE = sql.Identifier("ops", "audit_logs")
_OVERLAP = timedelta(days=1)  # a transaction may have begun long before the backup and ended after it
_COLUMNS = """
    select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""


def carry_over(old_url: str, new_url: str, since: datetime) -> int:
    """Add to the new database the events that only the old one has. Returns how many there were.

    The old one may be damaged: what cannot be read of it stays there, and a line says so.
    """
    try:
        with connect(old_url) as old, connect(new_url) as new:
            if not (has_relation(old, _NAME) and has_relation(new, _NAME)):
                return 0
            names = [name for (name,) in old.execute(_COLUMNS, [_NAME])]
            parts = {
                "table": _TABLE,
                "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
                "since": sql.Literal(since - _OVERLAP),
            }
            new.execute(sql.SQL("create temporary table carried (like {table}) on commit drop").format(**parts))
            reading = "copy (select {columns} from {table} where timestamp >= {since}) to stdout"
            with (
                old.cursor().copy(sql.SQL(reading).format(**parts)) as read,
                new.cursor().copy(sql.SQL("copy carried ({columns}) from stdin").format(**parts)) as written,
            ):
                for block in read:
                    written.write(block)
            new.execute(
                "select ops.keep_month(%s::regclass, month) "
                "from (select distinct date_trunc('month', timestamp at time zone 'UTC')::date as month from carried) "
                "as months",
                [_NAME],
            )
            adding = "insert into {table} ({columns}) select {columns} from carried on conflict do nothing"
            added = new.execute(sql.SQL(adding).format(**parts)).rowcount
    except psycopg.Error as error:
        log.warning("the audit log since the backup could not be carried over: %s", type(error).__name__)
        return 0
    log.info("restore: %d events of the audit log since the backup are carried over", added)
    return added
