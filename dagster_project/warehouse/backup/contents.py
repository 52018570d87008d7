"""What a database holds, by which a copy is known to be the same: each table's rows, and the sum of their hashes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from dagster_project.warehouse import conninfo
from dagster_project.warehouse.backup.folder import BackupFailed

Contents = dict[str, tuple[int, str | None]]

# Tables whose rows pg_dump writes: not those of extensions, of other sessions, and of Postgres itself.
_TABLES = """
    select format('%I.%I', nspname, relname)
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    where relkind = 'r' and relpersistence <> 't' and nspname !~ '^pg_' and nspname <> 'information_schema'
        and not exists (
            select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
        )
    order by relpages desc, pg_class.oid
"""


def read(conn: psycopg.Connection, on_table: Callable[[str], None] = lambda _: None) -> Contents:
    """Read all tables, in the transaction of `conn`, by a session's own way of writing times and bytes (session.py).

    Returns:
        of each table how many rows it has, and the sum of the hashes of all of them as text (None: of no rows).
    """
    found: Contents = {}
    for (table,) in conn.execute(_TABLES).fetchall():
        on_table(table)
        query = "select count(*), sum(hashtextextended(this_row::text, 0)::numeric)::text from {} as this_row"
        row = conn.execute(sql.SQL(query).format(sql.SQL(table))).fetchone()
        assert row is not None
        found[table] = (row[0], row[1])
    return found


def differences(wanted: Contents, found: Contents) -> list[str]:
    """What is not the same, a line a table, without a row of it."""
    lines = []
    for table in sorted({*wanted, *found}):
        before, after = wanted.get(table), found.get(table)
        if before is None or after is None:
            lines.append(f"{table} is {'missing' if after is None else 'no table of the backup'}")
        elif before[0] != after[0]:
            lines.append(f"{table} has {after[0]:,} rows, not {before[0]:,}")
        elif before != after:
            lines.append(f"{table} has as many rows, but not the same")
    return lines


def from_manifest(kept: dict[str, Sequence[object]]) -> Contents:
    """Contents as JSON gives them back."""
    return {table: (int(str(rows)), None if total is None else str(total)) for table, (rows, total) in kept.items()}


def rows_of(contents: Contents) -> int:
    return sum(rows for rows, _ in contents.values())


@contextmanager
def in_one_line(url: str) -> Iterator[None]:
    """A fault of the database as one line, without what it quotes of rows."""
    try:
        yield
    except psycopg.Error as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BackupFailed(f"the database: {conninfo.reason_of(type(error)(first), conninfo.read(url))}") from None
