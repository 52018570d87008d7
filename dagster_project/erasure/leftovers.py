"""The last steps of an erasure: bytes that Postgres has given up go from the tables, and the person is looked for."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

Counts = dict[str, int]
_SEARCHED = ("ops", "analysis", "dagster")  # where nobody's words belong, beside kept answers
_NOT_SEARCHED = ("api_response_logs", "erasure_requests")
_FOLDERS = ("logs", "dagster", "dbt")  # of the data folder
_MADE_OF_CHATS = ("core", "intermediate", "marts")


def vacuum(conn: psycopg.Connection) -> int:
    """Vacuum what holds people's own data. Months that did not change cost next to nothing.

    Args:
        conn: in autocommit.

    Returns:
        how many tables.
    """
    rows = conn.execute(
        """
        select format('%%I.%%I', nspname, relname) from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where relkind in ('r', 'p') and not relispartition and (
            nspname in ('raw', 'analysis')
            or (nspname = 'ops' and relname in ('api_response_logs', 'sync_checkpoints', 'erasure_requests'))
            or (nspname = any(%s) and exists (
                select from pg_attribute
                where attrelid = pg_class.oid and attname in ('contact_id', 'full_name', 'text') and not attisdropped)))
        """,
        [list(_MADE_OF_CHATS)],
    ).fetchall()
    for (name,) in rows:
        conn.execute(sql.SQL("vacuum {}").format(sql.SQL(name)))
    return len(rows)


def search(conn: psycopg.Connection, data_path: Path, texts: Sequence[str]) -> Counts:
    """Where else a person stands: in tables of logs and runs, and in log files; by place, how often."""
    told = [text for text in texts if len(text) > 6]
    found = {}
    for name in _tables(conn):
        query = sql.SQL(
            "select count(*) from {} as held where exists (select from unnest(%s::text[]) as one (text) "
            "where strpos(lower(held::text), one.text) > 0)"
        ).format(sql.SQL(name))
        row = conn.execute(query, [told]).fetchone()
        if row and row[0]:
            found[f"left in {name}"] = int(row[0])
    for file in _files(data_path):
        if _contains(file, told):
            place = f"left in {file.relative_to(data_path).parts[0]}/"
            found[place] = found.get(place, 0) + 1
    return found


def kept_databases(conn: psycopg.Connection) -> list[str]:
    """Databases that a restore of this one kept or left, by their names: they know whoever was in them then."""
    rows = conn.execute(
        r"""
        select datname from pg_database
        where regexp_replace(datname, '_(\d{8}_\d{6}|restoring)$', '')
                in (left(current_database(), 47), left(current_database(), 53))
            and datname <> current_database()
        order by 1
        """
    ).fetchall()
    return [name for (name,) in rows]


def _tables(conn: psycopg.Connection) -> Iterable[str]:
    rows = conn.execute(
        """
        select format('%%I.%%I', nspname, relname) from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where relkind in ('r', 'p') and not relispartition and nspname = any(%s) and relname <> all(%s)
        order by 1
        """,
        [list(_SEARCHED), list(_NOT_SEARCHED)],
    ).fetchall()
    return [name for (name,) in rows]


def _files(data_path: Path) -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from (file for file in (data_path / folder).rglob("*") if file.is_file() and not file.is_symlink())


def _contains(file: Path, texts: Sequence[str]) -> bool:
    try:
        held = file.read_bytes().decode(errors="replace").lower()
    except OSError:
        return False
    return any(text in held for text in texts)
