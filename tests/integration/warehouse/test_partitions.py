"""Monthly partitions: there before a row comes, made of a filled warehouse without loss, whoever is killed."""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from datetime import UTC, date, datetime

import psycopg
import pytest

from dagster_project.orchestration.assets.maintenance import keep_partitions_job
from dagster_project.orchestration.resources import Warehouse
from dagster_project.warehouse import migrations, partitions
from dagster_project.warehouse.migrations import monthly
from dagster_project.warehouse.migrations.months import MOVES

OF_CHATS, OF_COPIED = MOVES
FILL = """
    insert into ops.page_loads (sync_id, source, entity_type, page_offset, record_count, new_count, changed_count,
        unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
    select 's', 'b2chat', 'chats', 0, 1, 1, 0, 0, 0, 0, 0, timestamptz '2026-01-31 23:30+00' from generate_series(1, 9);
    insert into raw.b2chat_chats (chat_id, content_hash, payload, cleaned, version, load_id, first_load_id, loaded_at,
        deleted_at)
    select n::text, md5(n::text), jsonb_build_object('chat_id', n, 'created_at', case n when 7 then 'never'
            else to_char(timestamp '2021-12-31 23:50' + n * interval '5 hours', 'YYYY-MM-DD HH24:MI:SS') end),
        '{"é": null}', 1, 1 + n % 9, 1, now(), case when n % 50 = 0 then now() end
    from generate_series(1, 500) as n;
    insert into raw.b2chat_chat_versions (chat_id, load_id, content_hash, payload, version, loaded_at,
        superseded_by_load_id)
    select (n / 2)::text, n, 'h', '{}', 1, '2025-06-01', 1 + n % 9 from generate_series(1, 60) as n;
    insert into ops.error_logs (timestamp, level, message, source)
    select timestamptz '2025-12-31 23:59:59+00' + n * interval '1 second', 'warn', '', 'x' from generate_series(1, 3) n;
    create view ops.somebodys as select chat_id, payload ->> 'created_at' as at from raw.b2chat_chats;
"""
HELD = "select md5(string_agg(to_jsonb(t)::text, '' order by {}::text collate \"C\")) from {} as t"
ORDERS = {
    "raw.b2chat_chats": "(chat_id)",
    "raw.b2chat_chat_versions": "(chat_id, load_id)",
    "ops.error_logs": "(id)",
    "ops.somebodys": "(chat_id)",
}


def held(conn: psycopg.Connection, without: str = "", tables: Mapping[str, str] = ORDERS) -> dict[str, str]:
    minus = f"(to_jsonb(t) {without})::text" if without else "to_jsonb(t)::text"
    return {
        table: conn.execute(HELD.replace("to_jsonb(t)::text", minus).format(order, table)).fetchone()[0]  # type: ignore
        for table, order in tables.items()
    }


@pytest.fixture
def filled(database_url: str) -> dict[str, str]:
    """What a warehouse held before it had partitions."""
    migrations.downgrade(database_url, OF_CHATS.before)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(FILL)  # type: ignore[arg-type]
        return held(conn)


def _upgrade_and_die(url: str, at: str, times: int) -> None:
    """Upgrade in small batches, and be killed before a statement that begins so is run for the so-manieth time."""
    monthly.BATCH = 40
    run, left = migrations.run, times

    def counted(connection: object, statement: str) -> object:
        nonlocal left
        left -= statement.strip().startswith(at)
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return run(connection, statement)  # type: ignore[arg-type]

    migrations.run = counted  # type: ignore[assignment]
    migrations.upgrade(url)


def test_a_filled_warehouse_comes_into_months_whole_however_often_the_move_is_killed(
    database_url: str, filled: dict[str, str]
) -> None:
    exits = []
    for at in (
        ("insert into raw.b2chat_chats_monthly", 1),
        ("insert into raw.b2chat_chats_monthly", 5),
        ("create table raw.b2chat_chat_versions_monthly", 1),
        ("drop table batch", 11),
        ("drop table raw.b2chat_chats__before", 1),
        ("alter table ops.error_logs_monthly rename", 1),
    ):
        mover = multiprocessing.get_context("fork").Process(target=_upgrade_and_die, args=(database_url, *at))
        mover.start()
        mover.join(60)
        exits.append(mover.exitcode)
        assert migrations.current(database_url) == OF_CHATS.before
    with psycopg.connect(database_url, autocommit=True) as conn:
        assert exits == [-signal.SIGKILL] * 6
        copied = conn.execute("select count(*) from raw.b2chat_chats_monthly").fetchone()
        assert copied == (500,), "what was copied before a kill is not copied again"
        assert held(conn) == filled, "until the swap the old tables are the truth"
        # An older version of the program ran in between.
        conn.execute("update raw.b2chat_chats set content_hash = 'newer', load_id = 10 where chat_id = '300'")
        conn.execute("delete from raw.b2chat_chats where chat_id = '301'")
        filled = held(conn)
        migrations.upgrade(database_url)
        assert held(conn, "- 'created_month' - 'superseded_at'") == filled
        months = dict(
            conn.execute("select tableoid::regclass::text, min(chat_id::int) from raw.b2chat_chats group by 1")
        )
        # 2021-12-31 23:50 and 5 hours a chat: the first is of January; number 7 has no readable day.
        assert months["raw.b2chat_chats_1990_01"] == 7 and months["raw.b2chat_chats_2022_01"] == 1
        assert conn.execute("select distinct superseded_at from raw.b2chat_chat_versions").fetchall() == [
            (datetime(2026, 1, 31, 23, 30, tzinfo=UTC),)
        ]
        assert conn.execute("select count(*) from pg_class where relname ~ 'monthly|before'").fetchone() == (0,)


COPIED = """
    insert into raw.rooms_messages (row_key, payload, content_hash, load_id, first_load_id, loaded_at, deleted_at)
    select n || '|' || at, jsonb_build_object('id', n, 'created_at', at), 'h', 1 + n % 9, 1, now(),
        case when n % 50 = 0 then now() end
    from generate_series(1, 100) as n, lateral (
        select case n when 7 then 'never'
            else to_char(timestamp '2025-12-31 20:00' + n * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS+00:00') end
    ) as times (at);
    insert into raw.calls_agent_sessions (row_key, payload, content_hash, load_id, first_load_id, loaded_at)
    select row_key, jsonb_build_object('id', n, 'started_at', payload -> 'created_at'), 'h', 1, 1, now()
    from raw.rooms_messages, lateral (select payload -> 'id') as t (n);
"""


def test_what_was_read_of_rooms_and_calls_comes_into_months_whole_and_back(database_url: str) -> None:
    migrations.downgrade(database_url, OF_COPIED.before)
    tables = {"raw.rooms_messages": "(row_key)", "raw.calls_agent_sessions": "(row_key)"}
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(COPIED)  # type: ignore[arg-type]
        mover = multiprocessing.get_context("fork").Process(
            target=_upgrade_and_die, args=(database_url, "insert into raw.rooms_messages_monthly", 3)
        )
        mover.start()
        mover.join(60)
        copied = conn.execute("select count(*) from raw.rooms_messages_monthly").fetchone()
        assert (mover.exitcode, copied) == (-signal.SIGKILL, (80,))
        conn.execute("update raw.rooms_messages set content_hash = 'newer', load_id = 10 where payload ->> 'id' = '3'")
        before = held(conn, tables=tables)
        migrations.upgrade(database_url)
        assert held(conn, "- 'row_month'", tables) == before
        # 20:00 of the last day of 2025, and an hour a message: three are of December, number 7 has no time.
        counts = "select tableoid::regclass::text, count(*) from {} group by 1 order by 1"
        for table in tables:
            found = conn.execute(counts.format(table)).fetchall()  # type: ignore[arg-type]
            assert found == [(f"{table}_1990_01", 1), (f"{table}_2025_12", 3), (f"{table}_2026_01", 96)]
        migrations.downgrade(database_url, OF_COPIED.before)
        assert held(conn, tables=tables) == before


def test_the_job_makes_three_months_ahead_and_what_is_beside_all_months_is_refused_by_name(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("drop table ops.error_logs_" + f"{partitions.months_after(datetime.now(UTC).date(), 3):%Y_%m}")  # type: ignore
        assert keep_partitions_job.execute_in_process(resources={"warehouse": Warehouse(url=database_url)}).success
        today = datetime.now(UTC).date()
        for table in partitions.MONTHLY:
            if table != partitions.MESSAGES:
                months = [one.month for one in partitions.partitions_of(conn, table)]
                assert months == [partitions.months_after(today, ahead) for ahead in range(4)], table
        with pytest.raises(psycopg.errors.CheckViolation, match=r"\(\"timestamp\"\) = \(2019-03-31 23:30:00\+00\)"):
            conn.execute(
                "insert into ops.error_logs (timestamp, level, message, source) "
                "values ('2019-03-31 18:30-05', 'warn', '', 'x')"
            )
        assert partitions.keep(conn, "ops.error_logs", [date(2019, 3, 9), date(2019, 3, 31)]) == 1
        assert partitions.keep(conn, "ops.error_logs", [date(2019, 3, 1)]) == 0
