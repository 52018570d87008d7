"""What earlier syncs of an entity have read: what a source plans by (`contract.History`)."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from dagster_project.sources.contract import EntitySpec, OpenWindow, Watermark


@dataclass(frozen=True, slots=True)
class SyncHistory:
    """The history of one entity. Implements `contract.History`."""

    conn: psycopg.Connection
    entity: EntitySpec
    open_windows: Mapping[str, OpenWindow]
    resumed_since: datetime | None

    @property
    def watermark(self) -> Watermark | None:
        """How far it was read; None where that is not known."""
        query = """
            select watermark_mode as mode, watermark as value, source_system as system, may_miss,
                ceiling_age_seconds, ceiling_holder_pid
            from ops.sync_states where (source, entity_type) = (%s, %s) and watermark is not null
        """
        return self.conn.cursor(row_factory=class_row(Watermark)).execute(query, self.entity.id).fetchone()

    def days_landed(self, field: str) -> Mapping[date, tuple[int, int]]:
        """Of each day (UTC) of a field that holds a time: how many rows have landed and are there, and the sum of their
        content hashes (the first 15 hexadecimal digits of each, as a number)."""
        statement = sql.SQL("""
            select (payload ->> {})::timestamptz::date, count(*),
                sum(('x' || left(content_hash, 15))::bit(60)::bigint)::text
            from {} where deleted_at is null group by 1
        """).format(field, sql.Identifier("raw", self.entity.table))
        return {day: (count, int(hashes)) for day, count, hashes in self.conn.execute(statement)}

    def keys_landed(self) -> Mapping[str | None, tuple[int, int]]:
        """Of each month (YYYY-MM) of rows that are copied, or of all (None) where they have none: how many have landed
        and are there, and the sum of their keys' hashes (the first 15 hexadecimal digits of md5, as a number)."""
        has_months = self.entity.copied and self.entity.copied.month
        statement = sql.SQL("""
            select {}, count(*) filter (where deleted_at is null), coalesce(sum(
                ('x' || left(md5(row_key), 15))::bit(60)::bigint) filter (where deleted_at is null), 0)::text
            from {} group by 1
        """).format(
            sql.SQL("to_char(row_month, 'YYYY-MM')" if has_months else "null::text"),
            sql.Identifier("raw", self.entity.table),
        )
        return {month: (count, int(hashes)) for month, count, hashes in self.conn.execute(statement)}

    def days_read(self) -> Mapping[date, datetime]:
        """The days that were fully read, and when last."""
        rows = self.conn.execute(
            "select window_day, read_at from ops.sync_windows "
            "where (source, entity_type) = (%s, %s) and window_day is not null",
            self.entity.id,
        )
        return dict(rows.fetchall())

    def days_that_may_change(self, today: date) -> Mapping[date, date | None]:
        """Days of records that may still change and that no sync of today has read, longest unread first; with each the
        day of the sync that read it last."""
        if self.entity.may_change is None:
            return {}
        # Nothing of the table but what an index on the condition holds: its payloads would be read for it, all of them.
        statement = sql.SQL("""
            with unfinished as materialized (select distinct load_id from {table} where {may_change})
            select p.window_from, max((l.metadata ->> 'today')::date) as last_read_on
            from unfinished
            join ops.page_loads p using (load_id)
            left join ops.sync_windows w on (w.source, w.entity_type) = (%s, %s) and w.window_day = p.window_from
            left join ops.sync_logs l on l.id = w.sync_id
            where p.window_from is not null and (l.metadata ->> 'today') is distinct from %s
            group by 1
            order by min(w.read_at) nulls first, 1
        """).format(
            table=sql.Identifier("raw", self.entity.table),
            may_change=sql.SQL(self.entity.may_change),
        )
        return dict(self.conn.execute(statement, (*self.entity.id, str(today))).fetchall())

    def windows_read(self) -> AbstractSet[str]:
        """The names of the files that were landed."""
        rows = self.conn.execute(
            "select window_name from ops.sync_windows where (source, entity_type) = (%s, %s)", self.entity.id
        )
        return {row[0] for row in rows}

    def completed_at(self, window: str) -> datetime | None:
        """When a window was last fully read."""
        row = self.conn.execute(
            "select max(completed_at) from ops.sync_checkpoints "
            "where (source, entity_type, window_name) = (%s, %s, %s) and status = 'completed'",
            (*self.entity.id, window),
        ).fetchone()
        return cast("datetime | None", row[0]) if row else None

    def read_in_vain_up_to(self, window: str, since: datetime) -> date | None:
        """The day up to which a window was read since then, to its end, and did not add up."""
        row = self.conn.execute(
            """
            select (l.metadata ->> 'reads_up_to')::date
            from ops.sync_checkpoints c join ops.sync_logs l on l.id = c.sync_id
            where (c.source, c.entity_type, c.window_name) = (%s, %s, %s)
              and c.status = 'failed' and c.completed_at > %s
            order by c.completed_at desc limit 1
            """,
            (*self.entity.id, window, since),
        ).fetchone()
        return row[0] if row else None
