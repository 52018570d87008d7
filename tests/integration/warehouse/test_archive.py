"""Archived months: written, read back, taken out, brought back, the same to the last bit, whoever is killed when."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet
import pytest

from dagster_project.exports.stores.folder import Folder
from dagster_project.ingestion.records.landing import land_page
from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.entities import CHATS
from dagster_project.sources.b2chat.records import read_record
from dagster_project.sources.b2chat.windows import Window
from dagster_project.sources.contract import Page, Record
from dagster_project.warehouse import partitions
from dagster_project.warehouse.archive import files, restore, states, steps
from dagster_project.warehouse.archive.contract import TABLES, ArchiveFailed

TODAY = date(2026, 11, 27)
OCTOBER, NOVEMBER = date(2024, 10, 1), date(2024, 11, 1)
FILL = """
    create schema if not exists core;
    create table core.messages (
        id text not null, chat_id text not null, text text, incoming boolean, size integer,
        timestamp timestamptz not null, tags text[], load_id bigint not null, primary key (id, chat_id, timestamp)
    ) partition by range (timestamp);
    select ops.keep_month(parent::regclass, month::date)
    from unnest(array['core.messages', 'raw.b2chat_chats', 'raw.b2chat_chat_versions']) as parent,
        unnest(array['2024-10-01', '2024-11-01']) as month;
    insert into core.messages
    select 'm' || n, 'c' || n / 4,
        case n % 5 when 0 then null when 1 then '' when 2 then E'a "b",\\n\\r\\\\c ñ 🙂' else 'x' || n end,
        case n % 3 when 0 then true when 1 then false end, case when n % 7 > 0 then n end,
        timestamptz '2024-10-20 00:00:00.123456+00' + n * interval '3 hours', array['1', null, 'a,"b'], n
    from generate_series(1, 120) as n;
    insert into raw.b2chat_chat_versions (chat_id, load_id, content_hash, payload, version, loaded_at,
        superseded_by_load_id, superseded_at)
    select 'c' || n, n, 'h', '{}', 1, '2024-10-02', n + 1, '2024-10-03' from generate_series(1, 20) as n;
"""
OURS = [table for table, one in TABLES.items() if one.feeds_dbt and table not in partitions.READ]
SAME = "select count(*), sum(hashtextextended(t::text, 0)::numeric) from {} as t"


def chat(number: int, month: str = "2024-10", **fields: Any) -> Record:
    value = {"chat_id": f"c{number}", "created_at": f"{month}-1{number % 10} 09:00:00", "messages": []}
    record = read_record("chats", Item(0, "", value | {"status": "CLOSED", "alias": "ñ\\'"} | fields))
    assert isinstance(record, Record)
    return record


def land(conn: psycopg.Connection, records: list[Record]) -> Any:
    window = Window(date(2024, 10, 1), date(2024, 11, 30))
    return land_page(
        conn,
        Page(
            CHATS,
            window,
            records,
            [],
            len(records),
            is_last=True,
            is_complete=True,
            keys={record.key for record in records},
        ),
        "s",
    )


@pytest.fixture
def filled(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(FILL)  # type: ignore[arg-type]
        land(
            conn,
            [chat(number, "2024-10" if number < 20 else "2024-11", text="y" * number * 200) for number in range(30)],
        )
        conn.execute("update raw.b2chat_chats set payload_bytes = '\\x00ff41' where chat_id = 'c3'")
    return database_url


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "exports")


def held(conn: psycopg.Connection) -> dict[str, Any]:
    return {table: conn.execute(SAME.format(table)).fetchone() for table in OURS}  # type: ignore[arg-type]


def states_of(conn: psycopg.Connection) -> dict[str, str]:
    return {
        row[0]: row[1] for row in conn.execute("select table_name, state from ops.archives where month = %s", [OCTOBER])
    }


def archive(url: str, store: Folder) -> None:
    steps.run(url, store, 24, TODAY)


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _after(work: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*args: Any, **named: Any) -> None:
        work(*args, **named)
        _die()

    return dying


def _at(state: str) -> Callable[..., Any]:
    move_on = states.move_on

    def dying(conn: Any, one: Any, to: Any, **known: Any) -> None:
        move_on(conn, one, to, **known)
        if to == state:
            _die()  # written, not committed

    return dying


# Where a run is killed, in the order in which it gets there.
DEATHS: list[tuple[Any, str, Callable[[], Any]]] = [
    (steps, "_export", lambda: _die),
    (files, "write", lambda: _after(files.write)),
    (Folder, "put", lambda: _after(Folder.put)),
    (states, "move_on", lambda: _at("exported")),
    (steps, "_verify", lambda: _die),
    (states, "move_on", lambda: _at("verified")),
    (steps, "_detach", lambda: _die),
    (states, "move_on", lambda: _at("detached")),
    (steps, "_drop", lambda: _die),
    (states, "move_on", lambda: _at("dropped")),
]


def _killed(work: Callable[[], Any], at: tuple[Any, str, Callable[[], Any]]) -> bool:
    def run() -> None:
        where, name, dying = at
        setattr(where, name, dying())
        work()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    return process.exitcode == -signal.SIGKILL


def test_a_run_killed_in_any_state_goes_on_and_a_restored_month_is_what_it_was(filled: str, store: Folder) -> None:
    with psycopg.connect(filled, autocommit=True) as conn:
        before = held(conn)
        for number, death in enumerate(DEATHS):
            if number == 8:  # what is detached is dropped by a run after its days of grace
                archive(filled, store)
                assert set(states_of(conn).values()) == {"detached"}
                archive(filled, store)
                assert set(states_of(conn).values()) == {"detached"}
                conn.execute("update ops.archives set detached_at = now() - interval '8 days'")
            assert _killed(lambda: archive(filled, store), death), death[1]
        archive(filled, store)
        assert states_of(conn) == dict.fromkeys(OURS, "dropped")
        assert conn.execute("select count(*) from raw.b2chat_chats where created_month = '2024-10-01'").fetchone() == (
            0,
        )
        assert conn.execute("select count(*) from pg_tables where schemaname = 'archived'").fetchone() == (0,)
        objects = [file for file in store.root.rglob("*") if file.is_file()]
        assert len(objects) == 3 and not list(store.scratch.iterdir()), "no leftovers of the dead"
        assert {oct(file.stat().st_mode & 0o777) for file in objects} == {"0o600"}
        [of_messages] = [file for file in objects if "core_messages" in file.name]
        told = pyarrow.parquet.read_table(of_messages)
        # 20 October 3 a.m. to 31 October 9 p.m., eight a day but for the 20th.
        assert told.num_rows == 95 and str(told.schema.field("timestamp").type) == "timestamp[us, tz=UTC]"

        for table in OURS:
            assert _killed(
                lambda table=table: restore.restore(filled, store, table, OCTOBER),
                (states, "move_on", lambda: _at("restored")),
            )
            restore.restore(filled, store, table, OCTOBER)
        assert held(conn) == before
        assert conn.execute("select count(*) from ops.archived_records").fetchone() == (0,)
        archive(filled, store)
        assert held(conn) == before, "what somebody restored is not archived again the next night"
        with pytest.raises(ArchiveFailed, match=r"core.messages 2024-10 is not archived \(archived: none is\)"):
            restore.restore(filled, store, "core.messages", OCTOBER)


def test_a_sync_takes_archived_chats_for_known_and_brings_back_only_one_that_has_changed(
    filled: str, store: Folder
) -> None:
    with psycopg.connect(filled, autocommit=True) as conn:
        archive(filled, store)
        same = [chat(number, text="y" * number * 200) for number in range(19)]
        result = land(conn, [*same, chat(19, text="newer"), chat(77)])
        assert (result.new, result.changed, result.unchanged) == (1, 1, 19)
        assert not result.missing or not result.missing.keys & {record.key for record in same}
        assert conn.execute(
            "select chat_id, version, payload ->> 'text' from raw.b2chat_chats where created_month = %s order by 1",
            [OCTOBER],
        ).fetchall() == [("c19", 2, "newer"), ("c77", 1, None)]
        # Late records of the month are archived in their turn, beside the first file.
        archive(filled, store)
        assert [one.row_count for one in states.of_month(conn, partitions.CHATS, OCTOBER)] == [20, 2]
        back = restore.restore(filled, store, partitions.CHATS, OCTOBER)
        assert [rows for _, rows in back] == [2, 19], "of c19 the newer version comes back, and it once"
        assert conn.execute("select version from raw.b2chat_chats where chat_id = 'c19'").fetchall() == [(2,)]


def test_what_changed_or_was_damaged_after_it_was_written_is_not_taken_out(filled: str, store: Folder) -> None:
    with psycopg.connect(filled, autocommit=True) as conn:
        assert _killed(lambda: archive(filled, store), (steps, "_detach", lambda: _die))
        conn.execute("update raw.b2chat_chats set content_hash = 'newer' where chat_id = 'c5'")
        before = held(conn)
        archive(filled, store)
        assert states_of(conn)[partitions.CHATS] == "planned", "it is written anew"
        assert held(conn)[partitions.CHATS] == before[partitions.CHATS]
        archive(filled, store)
        assert states_of(conn) == dict.fromkeys(OURS, "detached")
        [one] = states.of_month(conn, partitions.CHATS, OCTOBER)
        damaged = store.root / one.object_key
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
        with pytest.raises(ArchiveFailed, match="is not the one that was written"):
            restore.restore(filled, store, partitions.CHATS, OCTOBER)


def test_a_month_is_due_when_its_last_day_is_old_enough(filled: str) -> None:
    with psycopg.connect(filled) as conn:
        days = (date(2026, 11, 26), date(2026, 12, 1))
        due = {day: {month for _, month in states.due(conn, 24, day)} for day in days}
        assert due == {date(2026, 11, 26): {OCTOBER}, date(2026, 12, 1): {OCTOBER, NOVEMBER}}
