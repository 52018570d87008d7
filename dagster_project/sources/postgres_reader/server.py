"""The server that is read: one transaction, in which all tables are seen as they are at one moment."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, NoReturn

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from dagster_project.sources.contract import EntitySpec, SourceError, UnreadableRow
from dagster_project.warehouse import conninfo
from dagster_project.warehouse.connection import connect

_SORT_MEMORY = "64MB"  # a month of rows is put in order there
# Faults of one row: of its data, of constraints, of what Postgres can hold in one value.
_ROW_FAULTS = ("22", "23", "54")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as its server's catalogue describes it.

    Attributes:
        fields: its columns, with the JSON types that they get.
        leaves: its partitions that hold rows, oldest first; the table itself where it has none.
    """

    name: str
    oid: int
    fields: Mapping[str, str]
    leaves: Sequence[str]


@dataclass(frozen=True, slots=True)
class Moment:
    """What the transaction sees of the server.

    Attributes:
        transaction: all with lower numbers have ended.
        now: its time.
        system: which cluster and database it is.
        ceiling_age_seconds, ceiling_holder_pid: the oldest transaction that is open, where one is and it may be seen.
    """

    transaction: int
    now: str
    system: str
    ceiling_age_seconds: int | None
    ceiling_holder_pid: int | None


@dataclass(frozen=True, slots=True)
class Server:
    """A server in one repeatable-read transaction."""

    conn: psycopg.Connection
    schema: str

    def moment(self) -> Moment:
        """What the transaction sees of it."""
        (transaction, now, system) = self.rows(_MOMENT)[0]
        self.rows("set local role none")  # a reader by another role does not see whose transactions are open
        age, pid = (self.rows(_HOLDER, {"transaction": transaction % 2**32}) or [(None, None)])[0]
        self.rows("reset role")
        return Moment(transaction, now, system, age, pid)

    def tables(self, entities: Sequence[EntitySpec]) -> dict[str, Table]:
        """The tables of some entities, by name; of those that there are.

        Raises:
            SourceError: there is none, or one lacks a column of its key.
        """
        with _known_faults(), self.conn.cursor(row_factory=class_row(Table)) as cursor:
            found = cursor.execute(_TABLES, [self.schema, [entity.name for entity in entities]]).fetchall()
        tables = {table.name: table for table in found}
        if not tables:
            raise SourceError(f"there is no table of the schema {self.schema} that may be read in {self.address}")
        for entity in entities:
            lacking = (
                set(entity.copied.keys if entity.copied else ()) - set(tables[entity.name].fields)
                if (entity.name in tables)
                else set()
            )
            if lacking:
                raise SourceError(f"{self.schema}.{entity.name} has no column {', '.join(sorted(lacking))}")
        return tables

    def is_made_up(self) -> bool:
        """Whether the schema's comment says that the sandbox made it."""
        return self.rows(_MADE_UP, {"schema": self.schema, "says": "Made by the sandbox%"}) == [(True,)]

    def seconds_behind(self) -> float | None:
        """How old what a replica has got last is, where it has more to get; None on a primary."""
        (seconds,) = self.rows("""
            select case
                when not pg_is_in_recovery() then null
                when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
                else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())
            end::float8
        """)[0]
        return None if seconds is None else float(seconds)

    @property
    def address(self) -> str:
        """Where it is, as it may be shown."""
        info = self.conn.info
        return conninfo.masked(f"postgresql://{info.host}:{info.port}/{info.dbname}")

    def rows(
        self, query: LiteralString | sql.Composed, given: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises SourceError."""
        with _known_faults():
            cursor = self.conn.execute(query, given)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def reading(url: str, schema: str) -> Iterator[Server]:
    """A server, in a transaction that sees all as it is now. Raises SourceError."""
    try:
        conn = connect(url, autocommit=True)
    except psycopg.Error as error:
        reason = conninfo.reason_of(error, conninfo.read(url))
        raise SourceError(f"no answer from {conninfo.masked(url)}: {reason}") from None
    try:
        server = Server(conn, schema)
        server.rows("begin isolation level repeatable read, read only")
        server.rows(sql.SQL("set local work_mem = {}").format(_SORT_MEMORY))
        yield server
    finally:
        conn.close()


def fail(error: psycopg.Error) -> NoReturn:
    """Raise an error of the server as one of its source: its own text may quote a row."""
    state = error.sqlstate or ""
    if state[:2] in _ROW_FAULTS:
        raise UnreadableRow(f"a row cannot be given ({type(error).__name__}, SQLSTATE {state})") from None
    raise SourceError(f"its Postgres failed: {type(error).__name__} (SQLSTATE {state or 'none'})") from None


@contextmanager
def _known_faults() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        fail(error)


_MOMENT = """
    select
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        now()::text,
        (select system_identifier from pg_control_system()) || '/'
            || (select oid from pg_database where datname = current_database())
"""
_MADE_UP = "select obj_description(to_regnamespace(%(schema)s), 'pg_namespace') like %(says)s"
_HOLDER = """
    select extract(epoch from clock_timestamp() - since)::integer, pid
    from (
        select xact_start as since, pid from pg_stat_activity where backend_xid::text::bigint = %(transaction)s
        union all
        select prepared, null from pg_prepared_xacts where transaction::text::bigint = %(transaction)s
    ) as holders
    limit 1
"""
_TABLES = """
    select
        relation.relname as name,
        relation.oid::bigint as oid,
        (
            select json_object_agg(attname, case
                when typcategory = 'B' then 'boolean'
                when typcategory = 'N' then 'number'
                when typcategory = 'A' then 'array'
                when typcategory = 'C' or typname in ('json', 'jsonb') then 'object'
                else 'string'
            end order by attname collate "C")
            from pg_attribute inner join pg_type on pg_type.oid = atttypid
            where attrelid = relation.oid and attnum > 0 and not attisdropped
        ) as fields,
        coalesce(nullif(array(
            select relid::text from pg_partition_tree(relation.oid) where isleaf order by relid::oid
        ), '{}'), array[relation.oid::regclass::text]) as leaves
    from pg_class as relation
    where relation.relnamespace = to_regnamespace(%s) and relation.relkind in ('r', 'p', 'v', 'm', 'f')
        and relation.relname = any(%s)
"""
