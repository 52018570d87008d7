"""A partition as a Parquet file, and a Parquet file as a table: blocks of CSV between Postgres and Arrow, never rows.

Numbers, booleans, dates and instants keep their types, so that anybody's tools can read the file; all else (jsonb,
bytea, arrays) is the text that Postgres writes and reads. Needs the extra parquet.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.warehouse.archive.contract import ArchiveFailed

BLOCK = 4 * 2**20  # bytes of CSV that are parsed at once; a longer row needs a longer block
ROWS = 2_000  # read back at once


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds, by which it is known again.

    Attributes:
        content_sum: of the hashes of all rows as text; None of no rows.
        largest_row: characters of the longest row as text.
    """

    row_count: int
    content_sum: Any
    first_key: str | None
    last_key: str | None
    largest_row: int


def content_of(conn: psycopg.Connection, table: sql.Composable, key: str) -> Content:
    """Read a whole table, by the session's own way of writing times and bytes (session.py)."""
    row = conn.execute(
        sql.SQL("""
            select count(*), sum(hashtextextended(held::text, 0)::numeric),
                min(row({key})::text), max(row({key})::text), coalesce(max(length(held::text)), 0)
            from {table} as held
        """).format(table=table, key=sql.SQL(key))
    ).fetchone()
    assert row is not None
    return Content(*row)


def write(conn: psycopg.Connection, table: sql.Composable, key: str, file: Path, largest_row: int) -> None:
    """Write a table as Parquet (zstd), in the order of its key; memory is that of a few blocks."""
    arrow, csv, parquet = _arrow()
    columns = _columns(conn, table)
    types = {name: _type(arrow, kind) for name, kind in columns.items()}
    listed = sql.SQL(", ").join(
        sql.SQL("{}{}").format(sql.Identifier(name), sql.SQL("" if _is_kept(kind) else "::text"))
        for name, kind in columns.items()
    )
    query = sql.SQL("copy (select {} from {} order by {}) to stdout (format csv, header)").format(
        listed,
        table,
        sql.SQL(key),
    )
    with conn.cursor().copy(query) as copied:
        blocks = csv.open_csv(
            io.BufferedReader(_Blocks(copied), BLOCK),
            csv.ReadOptions(block_size=max(BLOCK, 8 * largest_row), use_threads=False),
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        with parquet.ParquetWriter(file, arrow.schema(list(types.items())), compression="zstd") as writer:
            for block in blocks:
                writer.write_batch(block)


def read(conn: psycopg.Connection, file: Path, like: str, target: sql.Composable) -> None:
    """Make a temporary table of a file's columns, of the types that they have in the table `like`, and fill it."""
    _, csv, parquet = _arrow()
    with parquet.ParquetFile(file) as source:
        names = source.schema_arrow.names
        kinds = _columns(conn, sql.Identifier(*like.split(".")))
        conn.execute(
            sql.SQL("create temporary table {} ({}) on commit drop").format(
                target,
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kinds.get(name, "text"))) for name in names
                ),
            )
        )
        with conn.cursor().copy(sql.SQL("copy {} from stdin (format csv)").format(target)) as copy:
            for batch in source.iter_batches(ROWS):
                block = io.BytesIO()
                csv.write_csv(batch, block, csv.WriteOptions(include_header=False))
                copy.write(block.getbuffer())


def sha256_of(file: Path) -> str:
    """The file's checksum."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def scratch(folder: Path, name: str) -> Iterator[Path]:
    """A file of this machine for as long as this lasts, open to its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    file.unlink(missing_ok=True)  # of one that was killed
    file.touch(0o600)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


class _Blocks(io.RawIOBase):
    """What a COPY sends, as a file that can be read."""

    def __init__(self, copied: psycopg.Copy) -> None:
        self._copied, self._left = copied, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = memoryview(self._copied.read())
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _columns(conn: psycopg.Connection, table: sql.Composable) -> dict[str, str]:
    rows = conn.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        [table.as_string(conn)],
    ).fetchall()
    return dict(rows)


def _is_kept(kind: str) -> bool:
    return kind in ("smallint", "integer", "bigint", "boolean", "date", "timestamp with time zone", "double precision")


def _type(arrow: Any, kind: str) -> Any:
    kept = {
        "smallint": arrow.int16(),
        "integer": arrow.int32(),
        "bigint": arrow.int64(),
        "boolean": arrow.bool_(),
        "date": arrow.date32(),
        "timestamp with time zone": arrow.timestamp("us", "UTC"),
        "double precision": arrow.float64(),
    }
    return kept.get(kind, arrow.large_string())


def _arrow() -> tuple[Any, Any, Any]:
    try:
        import pyarrow  # noqa: PLC0415  an extra
        import pyarrow.csv  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        raise ArchiveFailed("archives need the extra parquet: pip install -e '.[parquet]'") from None
    return pyarrow, pyarrow.csv, pyarrow.parquet
