"""The queries of chat rooms among two million messages, as the application asks them.

    .venv/bin/python benchmarks/rooms_queries.py [--messages 2000000] [--runs 200] [--json]

Postgres, data and clients are its own: 24 months, rooms of 100 messages, one of 10,000 over all months, a user with 500
rooms. Each time is a whole transaction at the client, as rooms_app with row security. Whether a large table was read
from end to end is counted by the server. Exits with 1 where a gate is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import one

from dagster_project.sources.rooms import schema
from dagster_project.warehouse import conninfo, embedded
from dagster_project.warehouse.connection import as_role, connect
from tests.support import pgbouncer

BIG, BUSY = "00000000-0000-0000-0000-00000000b16b", "00000000-0000-0000-0000-00000000b059"
MONTHS, SHARE, OVERHEAD = 24, 0.95, 2.5
CLIENTS, SESSIONS, POOLED_MS = 1_000, 50, 250
# What is filled needs no trigger; the application's way is measured afterwards.
FILL = f"""
    set session_replication_role = replica;
    select rooms.keep_months((now() - interval '{MONTHS - 1} months')::date, now()::date);
    insert into rooms.organizations (id, name) values ('00000000-0000-0000-0000-000000000001', 'Ours');
    insert into rooms.users (id, username, first_name, last_name, email, password_hash, account_type_informal,
        current_account_status, organization_id)
    select case n when 0 then '{BUSY}' else md5('user' || n)::uuid end, 'u' || n, 'U', n::text, n || '@example.com',
        'x', 'agent', 'active', '00000000-0000-0000-0000-000000000001'
    from generate_series(0, 1000) as n;
    insert into rooms.chat_rooms (id, name, room_type, creator_id, organization_id, root_room_id, is_private)
    select id, 'Room', 'group', '{BUSY}', '00000000-0000-0000-0000-000000000001', id, true
    from (
        select '{BIG}'::uuid as id
        union all select md5('room' || n)::uuid from generate_series(1, (%(messages)s - 10000) / 100) as n
    ) as ids;
    insert into rooms.room_participants (room_id, user_id, joined_at, last_read_at)
    select md5('room' || n)::uuid,
        case when k = 0 and n <= 500 then '{BUSY}' else md5('user' || mod(n * 7 + k * 13, 1000) + 1)::uuid end,
        now() - interval '2 years', now() - n * interval '2 hours'
    from generate_series(1, (%(messages)s - 10000) / 100) as n, generate_series(0, 3) as k
    on conflict do nothing;
    insert into rooms.room_participants (room_id, user_id, joined_at)
    select '{BIG}', case k when 0 then '{BUSY}' else md5('user' || k)::uuid end, now() - interval '2 years'
    from generate_series(0, 49) as k;
"""
# A room has 100 messages in a day of its own; the days are those of two years.
MESSAGES = """
    insert into rooms.messages (room_id, sender_id, content, delivery_status, created_at)
    select md5('room' || n / 100 + 1)::uuid, md5('user' || mod(n * 31, 1000) + 1)::uuid,
        (array['hola', 'gotera', 'contrato', 'pago', 'visita', 'apartamento', 'llaves', 'recibo'])[mod(n, 8) + 1]
            || ' ' || md5(n::text) || ' ' || md5((n + 1)::text) || ' palabra' || mod(n, 5000),
        'delivered',
        now() - mod(n / 100, 690) * interval '1 day' - mod(n, 100) * interval '13 minutes'
    from generate_series(%s::bigint, %s) as n
"""
BIG_ROOM = f"""
    insert into rooms.messages (room_id, sender_id, content, delivery_status, created_at)
    select '{BIG}', md5('user' || mod(n, 49) + 1)::uuid, 'gotera ' || md5(n::text) || ' palabra' || mod(n, 50),
        'delivered', now() - n * interval '99 minutes'
    from generate_series(1, 10000) as n
"""
LARGE = "('messages', 'message_search', 'room_participants', 'chat_rooms')"
SEQUENTIAL = f"""
    select coalesce(sum(seq_scan), 0) from pg_stat_all_tables
    inner join pg_class on pg_class.oid = relid
    left join pg_inherits on inhrelid = relid
    where schemaname = 'rooms' and pg_class.reltuples > 1000
        and coalesce((select relname from pg_class where oid = inhparent), pg_class.relname) in {LARGE}
"""


def main() -> None:
    """Fill, ask, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b2chat-rooms-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg", throwaway=True) as url:
            schema.upgrade(url)
            began = time.monotonic()
            with connect(url, autocommit=True) as conn:
                conn.execute("alter system set max_wal_size = '512MB'")  # disk
                conn.execute("select pg_reload_conf()")
                _fill(conn, given.messages)
            lines = [f"filled: {given.messages:,} messages in {time.monotonic() - began:.0f} s"]
            found, gates = _queries(url, given.runs)
            gates += _triggers(url, lines)
            gates += _pooled(url, Path(folder), lines)
    if given.json:
        print(json.dumps({"queries": found, "gates": dict(gates), "notes": lines}, indent=2))
    else:
        print(f"load {os.getloadavg()[0]:.1f}\n\n| query | runs | p50 ms | p95 ms | target ms | under target | plan |")
        print("|---|---:|---:|---:|---:|---:|---|")
        for each in found:
            print("| {query} | {runs} | {p50:.1f} | {p95:.1f} | {target} | {share:.3f} | {plan} |".format(**each))
        print("", *lines, "", *(f"{'holds' if held else 'MISSED'}: {what}" for what, held in gates), sep="\n")
    sys.exit(not all(held for _, held in gates))


def _fill(conn: psycopg.Connection, messages: int) -> None:
    conn.execute(FILL.replace("%(messages)s", str(messages)))
    for first in range(0, messages - 10_000, 100_000):
        conn.execute(MESSAGES, [first, min(first + 100_000, messages - 10_000) - 1])
    conn.execute(BIG_ROOM)
    conn.execute("reset session_replication_role")
    conn.execute("select rooms.fill_message_search(), rooms.fill_room_months()")
    conn.execute("vacuum analyze")


def _queries(url: str, runs: int) -> tuple[list[dict[str, Any]], list[tuple[str, bool]]]:
    page = f"select * from rooms.page_messages('{BIG}', %s, %s, page_size => %s)"
    with connect(as_role(url, "rooms_app"), autocommit=True) as conn, connect(url, autocommit=True) as owner:
        middle = owner.execute(
            f"select created_at, id from rooms.messages where room_id = '{BIG}' order by created_at desc, id desc "
            "offset 5000 limit 1"
        ).fetchone()
        ask = _Asker(conn, owner)
        found = [
            ask.timed("newest 50 of 10,000", 100, runs, lambda: (page, (None, None, 50))),
            ask.timed("50 from the middle", 100, runs, lambda: (page, (*(middle or ()), 50))),
            ask.timed("all 10,000 in pages of 200", 100, max(runs, 200), ask.pages(page)),
            ask.timed(
                "newest 50 by select, row security alone",
                100,
                runs,
                lambda: (
                    f"select * from rooms.messages where room_id = '{BIG}' order by created_at desc, id desc limit 50",
                    (),
                ),
            ),
            ask.timed("participants_of, 50", 50, runs, lambda: (f"select * from rooms.participants_of('{BIG}')", ())),
            ask.timed("list_rooms, 500 rooms", 50, runs, lambda: ("select * from rooms.list_rooms()", ())),
            ask.timed(
                "search, a frequent word in the room",
                100,
                runs,
                lambda: (f"select * from rooms.search_messages('gotera', '{BIG}')", ()),
            ),
            ask.timed(
                "search, a rare word in the room",
                100,
                runs,
                lambda: (f"select * from rooms.search_messages('palabra7', '{BIG}')", ()),
            ),
            ask.timed(
                "search, a word in 500 rooms",
                100,
                runs,
                lambda: ("select * from rooms.search_messages('palabra77')", ()),
            ),
        ]
    share = sum(each["share"] * each["runs"] for each in found) / sum(each["runs"] for each in found)
    gates = [
        (f"{each['query']}: p95 {each['p95']:.1f} ms < {each['target']}", each["p95"] < each["target"])
        for each in found
    ]
    gates.append((f"share of runs under target {share:.3f} >= {SHARE}", share >= SHARE))
    gates.append(("no large table was read from end to end", all(each["plan"] == "by index" for each in found)))
    return found, gates


class _Asker:
    """One client of the application, and the owner who looks at the server's counters."""

    def __init__(self, conn: psycopg.Connection, owner: psycopg.Connection) -> None:
        self._conn, self._owner = conn, owner

    def timed(
        self, name: str, target: int, runs: int, ask: Callable[[], tuple[str, tuple[Any, ...]]]
    ) -> dict[str, Any]:
        """Ask so many times, after five that do not count."""
        times = []
        before = self._sequential()
        for number in range(runs + 5):
            query, values = ask()
            began = time.perf_counter()
            self.rows = self._asked(query, values)
            times.append((time.perf_counter() - began) * 1000)
            if number < 5:
                times.clear()
            assert self.rows or "pages" in name, name
        times.sort()
        return {
            "query": name,
            "runs": runs,
            "p50": median(times),
            "p95": times[int(runs * 0.95)],
            "target": target,
            "share": sum(took < target for took in times) / runs,
            "plan": "by index" if self._sequential() == before else "READ WHOLE",
        }

    def pages(self, page: str) -> Callable[[], tuple[str, tuple[Any, ...]]]:
        """The room from its newest message to its oldest, then again."""

        def asks() -> Iterator[tuple[str, tuple[Any, ...]]]:
            while True:
                yield page, (None, None, 200)
                while len(self.rows) == 200:
                    yield page, (self.rows[-1][1], self.rows[-1][0], 200)

        turn = asks()
        return lambda: next(turn)

    def _asked(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        with self._conn.transaction():
            self._conn.execute(f"set local rooms.user_id = '{BUSY}'")
            return self._conn.execute(query, values).fetchall()

    def _sequential(self) -> int:
        self._conn.execute("select pg_stat_force_next_flush()")
        self._conn.execute("select 1")
        row = self._owner.execute(SEQUENTIAL).fetchone()
        return int(row[0]) if row else 0


def _triggers(url: str, lines: list[str]) -> list[tuple[str, bool]]:
    """An update of 10,000 rows with and without what the triggers do, in turn; and what an index of row_xid costs."""
    written = "row_xid = pg_current_xact_id()::text::bigint, updated_at = now()"
    took: dict[str, list[float]] = {}
    with connect(url, autocommit=True) as conn:
        for _ in range(9):
            for name, role in (("bare", "replica"), ("whole", "origin")):
                conn.execute(f"set session_replication_role = {role}")  # replica: no trigger fires
                statement = f"update rooms.messages set content = content || '.', {written} where room_id = '{BIG}'"
                took.setdefault(name, []).append(_seconds(conn, statement))
                conn.execute("vacuum rooms.messages")
        for name in ("bare", "unindexed"):
            conn.execute(f"create table rooms.{name} (like rooms.messages including all)")
            conn.execute(f"alter table rooms.{name} set (autovacuum_enabled = false)")
            conn.execute(f"insert into rooms.{name} select * from rooms.messages where room_id = '{BIG}'")
        conn.execute("drop index rooms.unindexed_row_xid_idx")
        # Half a page of room is what a row needs to stay on it.
        hot = {}
        for name in ("bare", "unindexed"):
            conn.execute(f"alter table rooms.{name} set (fillfactor = 45)")
            conn.execute(f"vacuum full rooms.{name}")
            conn.execute("select pg_stat_reset_single_table_counters(%s::regclass)", [f"rooms.{name}"])
            seconds = _seconds(conn, f"update rooms.{name} set delivery_status = 'failed', {written}")
            conn.execute("select pg_stat_force_next_flush()")
            hot[name] = (
                seconds,
                *one(
                    conn,
                    f"select n_tup_hot_upd, pg_indexes_size(relid) / 1048576.0 from pg_stat_all_tables "
                    f"where relid = 'rooms.{name}'::regclass",
                ),
            )
        conn.execute("drop table rooms.bare, rooms.unindexed")
    bare, whole = median(took["bare"]), median(took["whole"])
    lines.append(f"update of 10,000 rows, median of 9: bare {bare:.3f} s, with touch and history {whole:.3f} s")
    for name, (seconds, count, size) in hot.items():
        lines.append(
            f"delivery of 10,000, row_xid {'indexed' if name == 'bare' else 'not indexed'}: {seconds:.3f} s, "
            f"HOT {count:,}, indexes {size:.1f} MiB"
        )
    ratio = whole / bare
    return [(f"an update with its triggers takes {ratio:.2f} times a bare one <= {OVERHEAD}", ratio <= OVERHEAD)]


def _seconds(conn: psycopg.Connection, statement: str) -> float:
    began = time.perf_counter()
    conn.execute(statement)
    return time.perf_counter() - began


def _pooled(url: str, folder: Path, lines: list[str]) -> list[tuple[str, bool]]:
    """1,000 open clients share 50 sessions: each reads a page and looks up who takes part, 100 a second in all."""
    if pgbouncer.PROGRAM is None:
        lines.append("1,000 clients: skipped, pgbouncer is not installed")
        return []
    with connect(url, autocommit=True) as conn:
        conn.execute("create role rooms_bench login password 'bench' in role rooms_app")
    script = folder / "page.sql"
    script.write_text(
        f"begin;\nset local rooms.user_id = '{BUSY}';\nselect * from rooms.page_messages('{BIG}');\n"
        f"select * from rooms.participants_of('{BIG}');\ncommit;\n"
    )
    login = conninfo.to_url(conninfo.read(url) | {"user": "rooms_bench", "password": "bench"})
    with pgbouncer.pool_before(login, folder, size=SESSIONS, clients=CLIENTS + 10) as pooled:
        # A client logs in first, which takes 10 to 20 ms of a core each, so the first seconds do not count.
        command = ["pgbench", "-n", "-M", "simple", "-c", str(CLIENTS), "-j", "2", "-R", "100", "-T", "50", "-l"]
        done = subprocess.run(
            [*command, f"--log-prefix={folder}/log", "-f", str(script), pooled],
            capture_output=True,
            text=True,
            check=False,
        )
    rows = [line.split() for log in folder.glob("log.*") for line in log.read_text().splitlines()]
    first = min((int(row[4]) for row in rows), default=0)
    times = sorted(int(row[2]) / 1000 for row in rows if int(row[4]) >= first + 10)
    if not times:
        raise SystemExit(done.stderr[-500:])
    failed = done.returncode != 0 or "aborted" in done.stderr
    p95 = times[int(len(times) * 0.95)]
    lines.append(
        f"1,000 clients, 50 sessions: {len(times):,} transactions, p50 {median(times):.1f} ms, p95 {p95:.1f} ms"
    )
    return [
        ("1,000 clients: no error", not failed),
        (f"1,000 clients: p95 {p95:.1f} ms < {POOLED_MS}", p95 < POOLED_MS),
    ]


if __name__ == "__main__":
    main()
