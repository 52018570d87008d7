"""What a sync looks up before it reads costs no more when the history is long."""

from datetime import date, timedelta

from dagster_project.ingestion.history import SyncHistory
from dagster_project.sources.b2chat.entities import B2CHAT
from dagster_project.sources.b2chat.plan import plan_chats
from dagster_project.sources.contract import Scope
from dagster_project.warehouse import partitions
from dagster_project.warehouse.connection import connect

RECORDS = 100_000


def test_unfinished_days_are_found_without_reading_the_chats_of_a_long_history(database_url: str) -> None:
    with connect(database_url, autocommit=True) as conn:
        conn.execute("""
            insert into ops.page_loads (
                sync_id, source, entity_type, window_from, window_to, page_offset, record_count, new_count,
                changed_count, unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
            select 'long ago', 'b2chat', 'chats', day, day, 0, 1000, 1000, 0, 0, 0, 0, 0, now()
            from generate_series(date '2025-01-01', date '2025-04-10', interval '1 day') as day
        """)
        conn.execute("""
            insert into ops.sync_windows (
                source, entity_type, window_name, window_day, read_at, sync_id, record_count, total)
            select 'b2chat', 'chats', day::date::text, day, now(), 'long ago', 1000, 1000
            from generate_series(date '2025-01-01', date '2025-04-30', interval '1 day') as day
        """)
        partitions.keep(conn, partitions.CHATS, [date(2025, 1, 1)])
        # One chat is open on every tenth day; all others have ended.
        conn.execute(
            """
            insert into raw.b2chat_chats (
                chat_id, content_hash, payload, version, load_id, first_load_id, loaded_at, created_month)
            select n::text, '', jsonb_build_object(
                'chat_id', n, 'created_at', '2025-01-01 09:00:00', 'text', repeat('x', 300),
                'status', case when n %% 10000 = 0 then 'OPENED' else 'CLOSED' end),
                1, 1 + n / 1000, 1 + n / 1000, now(), '2025-01-01'
            from generate_series(0, %s) as n
        """,
            (RECORDS - 1,),
        )
        conn.execute("vacuum analyze raw.b2chat_chats")
        with conn.transaction():
            read = plan_chats(
                Scope("incremental", date(2025, 5, 1), date(2025, 1, 1), 0, 0),
                SyncHistory(conn, B2CHAT.entity("chats"), {}, None),
            )
            seen = conn.execute(
                "select sum(seq_tup_read), sum(idx_scan) > 0, sum(idx_tup_fetch) <= 10 from pg_stat_xact_user_tables "
                "where relname like 'b2chat\\_chats\\_%'"
            ).fetchone()
    opened = [date(2025, 1, 1) + timedelta(days=10 * number) for number in range(10)]
    assert [window.day_from for window in read.windows] == [*opened, date(2025, 5, 1)]
    assert seen == (0, True, True)  # by an index, and of the chats none but those that are open
