"""Tables as Parquet, a batch of rows at a time, with the types that they have in Postgres."""

from typing import Any, BinaryIO

import psycopg
from psycopg import sql

from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.formats.format import Format, WriteResult
from dagster_project.exports.tables.table import Column, Table

_BATCH_ROWS = 10_000


def write(conn: psycopg.Connection, out: BinaryIO, table: Table, *, zone: str) -> WriteResult:
    """Write a table, constant in memory.

    Args:
        conn: the warehouse, in the transaction that the table is to be read in.
        out: the file.
        table: what to write.
        zone: the account's time zone, which the columns of instants carry.

    Raises:
        ExportFailed: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise ExportFailed("Parquet needs the extra parquet: pip install -e '.[parquet]'") from None
    columns = table.columns(conn)
    schema = pa.schema([(column.name, _type(pa, column, zone)) for column in columns])
    count = 0
    shown = sql.SQL(", ").join(map(_shown, columns))
    query = sql.SQL("select {} from ({}) as rows").format(shown, table.query)
    with conn.cursor(name="b2chat_export") as cursor, parquet.ParquetWriter(out, schema, compression="zstd") as file:
        cursor.execute(query, table.values)
        while rows := cursor.fetchmany(_BATCH_ROWS):
            pairs = zip(zip(*rows, strict=True), schema.types, strict=True)
            arrays = [pa.array(values, kind) for values, kind in pairs]
            file.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(rows)
    return WriteResult(count, [(column.name, column.postgres_type) for column in columns], table.notes)


def _shown(column: Column) -> sql.Composable:
    """The column in a type that Arrow has."""
    if column.kind == "text":
        return sql.SQL("{0}::text").format(sql.Identifier(column.name))
    if column.postgres_type == "numeric":
        return sql.SQL("{0}::double precision").format(sql.Identifier(column.name))
    return sql.Identifier(column.name)


def _type(pa: Any, column: Column, zone: str) -> Any:
    """Arrow's type of a column; a numeric with a scale stays exact."""
    if column.postgres_type.startswith("numeric("):
        precision, _, scale = column.postgres_type[8:-1].partition(",")
        return pa.decimal128(int(precision), int(scale or 0))
    whole = {"int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64()}
    return {
        "text": pa.string(),
        "integer": whole.get(column.postgres_type, pa.int64()),
        "decimal": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz=zone),
    }[column.kind]


PARQUET = Format(
    name="parquet",
    title="Parquet",
    about="for data frames, with types",
    suffix="parquet",
    media_type="application/vnd.apache.parquet",
    table=lambda conn, out, table, options: write(conn, out, table, zone=options.zone),
)
