"""The states of archives (ops.archives): which months are in which, and which are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from dagster_project.warehouse import partitions
from dagster_project.warehouse.archive import crowded
from dagster_project.warehouse.archive.contract import TABLES

State = Literal["planned", "exported", "verified", "detached", "dropped", "restored", "purged"]
UNDER_WAY: tuple[State, ...] = ("planned", "exported", "verified", "detached")
AWAY: tuple[State, ...] = ("detached", "dropped")  # its rows are not in the table
GRACE = timedelta(days=7)
# What somebody restored is wanted; it is not archived again at once.
RESTORED_STAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Archive:
    """A row of ops.archives."""

    id: int
    table_name: str
    month: date
    state: State
    object_key: str
    row_count: int | None
    content_sum: Any
    first_key: str | None
    last_key: str | None
    largest_row: int | None
    bytes: int | None
    sha256: str | None
    planned_at: datetime
    exported_at: datetime | None
    verified_at: datetime | None
    detached_at: datetime | None
    dropped_at: datetime | None
    restored_at: datetime | None
    purged_at: datetime | None

    @property
    def label(self) -> str:
        """What people call it: raw.b2chat_chats 2024-10."""
        return f"{self.table_name} {self.month:%Y-%m}"

    @property
    def waiting_table(self) -> str:
        """Where the partition waits until it is dropped, in the schema `archived`."""
        return f"{self.table_name.replace('.', '_')}_{self.month:%Y_%m}_{self.id}"


def archives(conn: psycopg.Connection, states: Sequence[State]) -> list[Archive]:
    """The archives in these states, oldest month first; of a month chats before what is theirs: their rows in core stay
    as they are from then on."""
    with conn.cursor(row_factory=class_row(Archive)) as cursor:
        return cursor.execute(
            "select * from ops.archives where state = any(%s) order by month, array_position(%s, table_name), id",
            [list(states), list(TABLES)],
        ).fetchall()


def of_month(conn: psycopg.Connection, table: str, month: date) -> list[Archive]:
    """The archives of a month whose rows are not in the table, oldest first: late records may have made a second."""
    return [one for one in archives(conn, AWAY) if (one.table_name, one.month) == (table, month)]


def due(conn: psycopg.Connection, older_than_months: int | None, today: date) -> list[tuple[str, date]]:
    """The months, by table, whose last day is so many months old, and that nobody archives or has just restored; and
    those that leave earlier, for their table is about to be too large.

    Args:
        older_than_months: of tables that have no time of their own; None: none of them is due.
    """
    found = set(crowded.months(conn, today))
    for table, archivable in TABLES.items():
        months = archivable.online_months or older_than_months
        if months and partitions.is_monthly(conn, table):
            newest = partitions.months_after(today, -months - 1)
            found |= {(table, one.month) for one in partitions.partitions_of(conn, table) if one.month <= newest}
    left = [one for one in found if not _is_spared(conn, *one)]
    return sorted(left, key=lambda one: (one[1], list(TABLES).index(one[0])))


def _is_spared(conn: psycopg.Connection, table: str, month: date) -> bool:
    row = conn.execute(
        """
        select exists (
            select from ops.archives where table_name = %s and month = %s
                and (state in ('planned', 'exported', 'verified') or restored_at > now() - %s))
        """,
        [table, month, RESTORED_STAYS],
    ).fetchone()
    return row == (True,)


def plan(conn: psycopg.Connection, table: str, month: date, key: str) -> None:
    """Begin an archive."""
    conn.execute(
        "insert into ops.archives (table_name, month, state, object_key) values (%s, %s, 'planned', %s)",
        [table, month, key],
    )


def move_on(conn: psycopg.Connection, archive: Archive, state: State, **known: Any) -> None:
    """Write down that an archive has come into a state, when, and what is known of it since."""
    values = {"state": state, **known}
    sets = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values]
    sets.append(sql.SQL("{} = now()").format(sql.Identifier(f"{state}_at")))
    conn.execute(
        sql.SQL("update ops.archives set {} where id = %(id)s").format(sql.SQL(", ").join(sets)),
        values | {"id": archive.id},
    )


def holding(conn: psycopg.Connection, contact_id: str) -> list[Archive]:
    """The archives whose files may hold something of a contact, whether restored or not: what a request of theirs is
    about. Of its chats each file is known; messages and versions are of the month of their chat, or later."""
    with conn.cursor(row_factory=class_row(Archive)) as cursor:
        return cursor.execute(
            r"""
            with chats as (
                select id, date_trunc('month', created_at - interval '1 day') as since
                from core.chats where contact_id = %s
            )
            select archives.* from ops.archives
            where state in ('exported', 'verified', 'detached', 'dropped', 'restored')
                and table_name !~ '^(raw\.)?(rooms|calls)'
                and exists (select from chats where archives.month >= since)
                and (table_name <> 'raw.b2chat_chats' or exists (
                    select from chats where archives.month between since and since + interval '2 months'))
            order by month, table_name, id
            """,
            [contact_id],
        ).fetchall()
