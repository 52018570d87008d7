"""Fills a warehouse with a made-up account of any size, straight through COPY: `benchmarks/fill.py --chats 180000`.

The warehouse is the one that the settings name (DATABASE_URL, or the embedded one of B2CHAT_DATA_DIR). README.md beside
it says what is made. `--append-day` and `--append-chats` bring to a filled warehouse what a later sync would bring.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import one, start_of, today
from made_account import CHANGES_FOR, Landed, MadeAccount
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_project.ingestion.records.raw_tables import names_of
from dagster_project.settings import Settings
from dagster_project.sources.b2chat.entities import CHATS, CONTACTS, NAME
from dagster_project.sources.b2chat.sandbox.account import Account
from dagster_project.sources.contract import EntitySpec, Record
from dagster_project.warehouse import connection, migrations, partitions

MADE_BY = "benchmarks/fill.py"
_STAMP = ("load_id", "first_load_id", "loaded_at", "version")


@dataclass(frozen=True)
class State:
    """How far a warehouse is filled: kept in the log of its last sync (ops.sync_logs.metadata).

    Attributes:
        now: the account's clock.
        chats: how many of its chats have landed.
    """

    first_day: date
    days: int
    chats_per_day: float
    seed: int
    now: datetime
    chats: int = 0

    @property
    def account(self) -> Account:
        """The account, with a year to come."""
        return Account(self.first_day, self.days + 366, self.chats_per_day, self.seed, silent_share=0)


def main() -> None:
    """Fill or append, and print what came as JSON."""
    options = _options()
    with connection.warehouse(Settings.load()) as url:
        migrations.upgrade(url)
        with connection.connect(url) as conn:
            began = time.monotonic()
            if options.append_day:
                state, landed = _append_days(conn, options.append_day)
            elif options.append_chats:
                state, landed = _append_chats(conn, options.append_chats)
            else:
                state, landed = _fill(conn, options)
            conn.commit()
            if not (options.append_day or options.append_chats):  # after these autovacuum comes, as it does anywhere
                with _autocommit(conn):
                    conn.execute("vacuum (analyze) raw.b2chat_chats, raw.b2chat_contacts, raw.b2chat_chat_versions")
    print(json.dumps(landed | {"now": state.now.isoformat(), "seconds": round(time.monotonic() - began, 1)}))


def _fill(conn: psycopg.Connection, options: argparse.Namespace) -> tuple[State, dict[str, int]]:
    if one(conn, "select exists (select from ops.data_source)")[0]:
        raise SystemExit("this warehouse holds data already: take another DATABASE_URL or B2CHAT_DATA_DIR")
    first = options.until - timedelta(days=options.days)
    state = State(first, options.days, options.chats / options.days, options.seed, start_of(options.until))
    made, landed = MadeAccount(state.account), {"chats": 0, "messages": 0, "contacts": 0, "chat_versions": 0}
    conn.execute(
        "insert into ops.data_source (source, kind, base_url, first_used_at) values (%s, 'sandbox', %s, %s)",
        (NAME, MADE_BY, start_of(first)),
    )
    loads: dict[date, int] = {}
    for day, chats in made.days(options.until):
        at = min(start_of(day + timedelta(days=1)), state.now)
        loads[day] = _land_new(conn, CHATS, day, at, chats, loads)
        contacts = [Landed(record) for record in made.contacts(day, day, state.now)]
        _land_new(conn, CONTACTS, day, at, contacts, loads)
        landed["chats"] += len(chats)
        landed["contacts"] += len(contacts)
        landed["chat_versions"] += sum(chat.before is not None for chat in chats)
        landed["messages"] += sum(chat.record.payload.count('"incoming":') for chat in chats)
        if day.day == 1:
            conn.commit()
            print(f"{day}: {landed['chats']:,} chats", file=sys.stderr, flush=True)
    state = replace(state, chats=made.arrivals.before_day(options.until))
    _note(conn, state, landed)
    return state, landed


def _land_new(
    conn: psycopg.Connection,
    entity: EntitySpec,
    day: date,
    at: datetime,
    landed: Sequence[Landed],
    loads: dict[date, int],
) -> int:
    """Copy a day's records, none of them known, and the versions that earlier days had brought of them."""
    load = _open_load(conn, entity, day, at, len(landed))
    _keep_months(conn, entity, [one_.record for one_ in landed])
    with _copy(conn, entity, "current", *_STAMP, *entity.columns) as copy:
        for one_ in landed:
            first = loads[one_.day_before] if one_.day_before else load
            copy.write_row((*_fields(one_.record), load, first, at, 2 if one_.before else 1, *one_.record.columns))
    if any(one_.before for one_ in landed):
        partitions.keep(conn, f"raw.{entity.versions}", [at.date()])
        stamp = ("load_id", "loaded_at", "version", "superseded_by_load_id", "superseded_at")
        with _copy(conn, entity, "versions", *stamp) as copy:
            for one_ in landed:
                if one_.before and one_.day_before:
                    seen = start_of(one_.day_before + timedelta(days=1))
                    copy.write_row((*_fields(one_.before), loads[one_.day_before], seen, 1, load, at))
    return load


def _append_days(conn: psycopg.Connection, days: int) -> tuple[State, dict[str, int]]:
    """All that is new or has changed by the next midnight, or a later one."""
    state = _state(conn)
    now = start_of(state.now.date() + timedelta(days=days))
    made, first = MadeAccount(state.account), state.now.date() - CHANGES_FOR
    numbers = range(made.arrivals.before_day(first), made.arrivals.until(int(now.timestamp())))
    landed = {
        "chats": _merge(conn, CHATS, now, list(made.chats(numbers, now))),
        "contacts": _merge(conn, CONTACTS, now, list(made.contacts(first, now.date(), now))),
    }
    state = replace(state, now=now, chats=max(state.chats, numbers.stop))
    _note(conn, state, landed)
    return state, landed


def _append_chats(conn: psycopg.Connection, count: int) -> tuple[State, dict[str, int]]:
    """The next so many chats, as they are an hour after the last of them began, and nothing else."""
    state = _state(conn)
    made, numbers = MadeAccount(state.account), range(state.chats, state.chats + count)
    now = max(state.now, made.created_at(numbers[-1]) + timedelta(hours=1))
    landed = {"chats": _merge(conn, CHATS, now, list(made.chats(numbers, now)))}
    state = replace(state, now=now, chats=numbers.stop)
    _note(conn, state, landed)
    return state, landed


def _merge(conn: psycopg.Connection, entity: EntitySpec, at: datetime, records: Sequence[Record]) -> int:
    """Land what is new or has changed, as ingestion does: the version before it is kept. Returns how many that were."""
    load, names = _open_load(conn, entity, at.date(), at, len(records)), names_of(entity)
    conn.execute(
        sql.SQL("create temporary table arrived (like {current} including defaults) on commit drop").format(**names)
    )
    _keep_months(conn, entity, records)
    with _copy(conn, entity, "arrived", *_STAMP, *entity.columns) as copy:
        for record in records:
            copy.write_row((*_fields(record), load, load, at, 1, *record.columns))
    steps = (
        "delete from arrived using {current} as known where known.{key} = arrived.{key} "
        "and known.content_hash = arrived.content_hash",
        "insert into {versions} ({key}, load_id, content_hash, payload, payload_bytes, cleaned, version, loaded_at, "
        "superseded_by_load_id) select known.{key}, known.load_id, known.content_hash, known.payload, "
        "known.payload_bytes, known.cleaned, known.version, known.loaded_at, arrived.load_id "
        "from {current} as known inner join arrived using ({key})",
        "update arrived set first_load_id = known.first_load_id, version = known.version + 1 "
        "from {current} as known where known.{key} = arrived.{key}",
        "delete from {current} as known using arrived where known.{key} = arrived.{key}",
        "insert into {current} select * from arrived",
    )
    for step in steps:
        written = conn.execute(sql.SQL(step).format(**names)).rowcount
    conn.execute("drop table arrived")
    return written


def _keep_months(conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record]) -> None:
    if entity.month:
        partitions.keep(conn, f"raw.{entity.table}", {record.columns[0] for record in records})


def _copy(conn: psycopg.Connection, entity: EntitySpec, table: str, *stamp: str) -> Any:
    names = names_of(entity) | {"arrived": sql.Identifier("arrived")}
    statement = sql.SQL("copy {table} ({key}, content_hash, payload, {stamp}) from stdin").format(
        table=names[table], key=names["key"], stamp=sql.SQL(", ").join(map(sql.Identifier, stamp))
    )
    return conn.cursor().copy(statement)


def _fields(record: Record) -> tuple[str, str, str]:
    return record.key, record.content_hash, record.payload


def _open_load(conn: psycopg.Connection, entity: EntitySpec, day: date, at: datetime, count: int) -> int:
    """Note a page that brought so many records, and for chats that the day was read."""
    sync_id = f"{entity.name} {at.isoformat()}"
    load = one(
        conn,
        """
        insert into ops.page_loads (
            sync_id, source, entity_type, window_from, window_to, page_offset, record_count, total, new_count,
            changed_count, unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
        values (%(sync)s, %(source)s, %(entity)s, %(day)s, %(day)s, 0, %(count)s, %(count)s, %(count)s, 0, 0, 0, 0, 0,
            %(at)s)
        returning load_id
        """,
        sync=sync_id,
        source=entity.source,
        entity=entity.name,
        day=day,
        count=count,
        at=at,
    )[0]
    conn.execute(
        """
        insert into ops.sync_windows (
            source, entity_type, window_name, window_day, read_at, sync_id, record_count, total)
        values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (source, entity_type, window_name) do nothing
        """,
        (*entity.id, str(day), day, at, sync_id, count, count),
    )
    return int(load)


def _note(conn: psycopg.Connection, state: State, landed: dict[str, int]) -> None:
    """The log and the state of a sync that has brought this."""
    partitions.keep(conn, "ops.sync_logs", [state.now.date(), partitions.months_after(state.now.date(), 1)])
    for entity in (CHATS, CONTACTS):
        count = landed.get(entity.name, 0)
        conn.execute(
            """
            insert into ops.sync_logs (id, user_id, source, entity_type, operation, record_count, status, started_at,
                completed_at, metadata)
            values (%s, %s, %s, %s, 'incremental', %s, 'success', %s, %s, %s)
            """,
            (
                f"{entity.name} {state.now.isoformat()} {state.chats}",
                MADE_BY,
                *entity.id,
                count,
                state.now,
                state.now,
                Jsonb({"filled": asdict(state)}, dumps=lambda value: json.dumps(value, default=str)),
            ),
        )
        conn.execute(
            """
            insert into ops.sync_states as known (source, entity_type, sync_status, total_records, successful_records,
                last_sync_timestamp, sync_duration)
            values (%s, %s, 'idle', %s, %s, %s, 0)
            on conflict (source, entity_type) do update set
                total_records = known.total_records + excluded.total_records,
                successful_records = known.successful_records + excluded.successful_records,
                last_sync_timestamp = excluded.last_sync_timestamp
            """,
            (*entity.id, count, count, state.now),
        )


def _state(conn: psycopg.Connection) -> State:
    row = conn.execute(
        "select metadata -> 'filled' from ops.sync_logs where user_id = %s and metadata ? 'filled' "
        "order by completed_at desc, (metadata -> 'filled' ->> 'chats')::bigint desc limit 1",
        [MADE_BY],
    ).fetchone()
    if row is None:
        raise SystemExit(f"this warehouse was not filled by {MADE_BY}")
    fields = row[0]
    return State(
        **fields | {"first_day": date.fromisoformat(fields["first_day"]), "now": datetime.fromisoformat(fields["now"])}
    )


@contextlib.contextmanager
def _autocommit(conn: psycopg.Connection) -> Iterator[None]:
    conn.set_autocommit(True)
    yield
    conn.set_autocommit(False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fill a warehouse with a made-up account, straight through COPY.")
    parser.add_argument("--chats", type=int, default=180_000, help="chats in all days (default: 180000)")
    parser.add_argument("--days", type=int, default=1826, help="days of history (default: 1826, five years)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same rows (default: 7)")
    parser.add_argument("--until", type=date.fromisoformat, default=today(), help="the day after the last one")
    parser.add_argument("--append-day", type=int, nargs="?", const=1, metavar="DAYS", help="bring a day more, or more")
    parser.add_argument("--append-chats", type=int, metavar="CHATS", help="bring so many new chats and nothing else")
    return parser.parse_args()


if __name__ == "__main__":
    main()
