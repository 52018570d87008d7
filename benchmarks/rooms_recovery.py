"""A wrong DELETE is undone to the second before it, and a standby is read.

    .venv/bin/python benchmarks/rooms_recovery.py

A whole backup, 1,000 messages, an incremental one, 1,000 more, then a DELETE of all. The server is put together from
both backups and its log up to the instant before, as docs/backup.md says. A standby (pg_basebackup -R) is read into a
warehouse. Servers and data are its own; it needs Postgres 17 or newer. Exits with 1 where a row is not what it was.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import one

from dagster_project.ingestion.sync import sync_source
from dagster_project.sources.contract import Scope
from dagster_project.sources.postgres_reader.reader import postgres_source
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.entities import ROOMS
from dagster_project.warehouse import binaries, conninfo, embedded, migrations
from dagster_project.warehouse.backup import physical
from dagster_project.warehouse.connection import connect

PEOPLE = """
    insert into rooms.organizations (id, name) values (md5('o')::uuid, 'Ours');
    insert into rooms.users (id, username, first_name, last_name, email, password_hash, organization_id)
    values (md5('u')::uuid, 'u', 'U', 'U', 'u@example.com', 'x', md5('o')::uuid);
    insert into rooms.chat_rooms (id, creator_id, organization_id)
    values (md5('r')::uuid, md5('u')::uuid, md5('o')::uuid);
"""
WRITE = """
    insert into rooms.messages (room_id, sender_id, content)
    select md5('r')::uuid, md5('u')::uuid, 'message ' || n from generate_series(1, {count}) as n;
    update rooms.messages set content = content || ', corrected' where random() < 0.1;
"""
HELD = """
    select (select row(count(*), sum(hashtextextended(t::text, 0)::numeric)) from rooms.messages as t)::text,
        (select row(count(*), sum(hashtextextended(t::text, 0)::numeric)) from rooms.messages_history as t)::text
"""


def main() -> None:
    """Lose and find, and read the standby."""
    os.environ["B2CHAT_ENV_FILE"] = os.devnull
    found = binaries.find()
    with tempfile.TemporaryDirectory(prefix="b2chat-recovery-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded.running(folder / "pg") as url:
            migrations.upgrade(url)
            schema.upgrade(url)
            held = _lose(url, folder)
            back, seconds = _find(url, folder, found, held["at"])
            read = _read_standby(url, folder, found)
    print(f"before the DELETE: {held['rows']}\nafter the restore: {back}\nrestored in {seconds:.1f} s, load {_load()}")
    print(f"standby: {read['standby']:,} messages landed of {read['primary']:,}, lag {read['lag']} bytes")
    sys.exit(back != held["rows"] or read["standby"] != read["primary"])


def _lose(url: str, folder: Path) -> dict[str, Any]:
    """Two backups, the log as a service takes it, and the DELETE."""
    wal = folder / "wal"
    wal.mkdir()
    with connect(url, autocommit=True) as conn:
        conn.execute("alter system set summarize_wal = on")
        conn.execute("select pg_reload_conf()")
        conn.execute(PEOPLE + WRITE.format(count=1000))
        with _received(url, wal):
            for _ in range(2):
                physical.back_up(url, folder / "backups", keep_days=7)
                conn.execute(WRITE.format(count=1000))
            rows, at = one(conn, HELD), one(conn, "select clock_timestamp()::text")[0]
            time.sleep(1)
            conn.execute("delete from rooms.messages")
            conn.execute("select pg_switch_wal()")
            last = one(conn, "select pg_walfile_name(pg_current_wal_lsn() - 1)")[0]
            while not (wal / last).exists():
                time.sleep(0.1)
    return {"rows": rows, "at": at}


@contextlib.contextmanager
def _received(url: str, wal: Path) -> Iterator[None]:
    at = conninfo.read(url)
    receiver = subprocess.Popen(
        [binaries.find().folder / "pg_receivewal", f"--directory={wal}", "--no-password", "--synchronous"],
        env={
            "PATH": os.defpath,
            "PGHOST": at["host"],
            "PGPORT": at["port"],
            "PGUSER": at["user"],
            "PGPASSWORD": at["password"],
        },
    )
    try:
        yield
    finally:
        receiver.terminate()
        receiver.wait()


def _find(url: str, folder: Path, found: binaries.Binaries, until: str) -> tuple[Any, float]:
    """The server as it was at an instant: what it holds, and seconds until it answers."""
    began = time.monotonic()
    target, root = folder / "found", folder / "backups"
    physical.put_together(root, physical.listed(root)[0], target)
    for file in (folder / "wal", *(folder / "wal").iterdir()):
        os.chown(file, *found.owner)
    with (target / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp {folder}/wal/%f %p'\nrecovery_target_time = '{until}'\n"
            "recovery_target_action = 'promote'\n"
        )
    signal = target / "recovery.signal"
    signal.touch()
    os.chown(signal, *found.owner)
    with _server(found, target, url) as there, connect(there, autocommit=True) as conn:
        while one(conn, "select pg_is_in_recovery()")[0]:
            time.sleep(0.1)
        seconds = time.monotonic() - began
        return one(conn, HELD), seconds


def _read_standby(url: str, folder: Path, found: binaries.Binaries) -> dict[str, Any]:
    """A standby of the server, read into the server's own warehouse."""
    standby = folder / "standby"
    with connect(url, autocommit=True) as conn:
        conn.execute(WRITE.format(count=1000))
        subprocess.run(
            [found.folder / "pg_basebackup", "-R", "--checkpoint=fast", f"--pgdata={standby}", f"--dbname={url}"],
            check=True,
            env={"PATH": os.defpath},
        )
        for place, folders, files in os.walk(standby):
            for name in (".", *folders, *files):
                os.chown(Path(place, name), *found.owner)
        with _server(found, standby, url) as there:
            conn.execute(WRITE.format(count=500))
            lsn = one(conn, "select pg_current_wal_lsn()::text")[0]
            with connect(there, autocommit=True) as copy:
                while one(copy, f"select coalesce(pg_last_wal_replay_lsn() < '{lsn}'::pg_lsn, true)")[0]:
                    time.sleep(0.1)
                lag = one(conn, "select max(pg_wal_lsn_diff(sent_lsn, replay_lsn)) from pg_stat_replication")[0]
            with postgres_source(ROOMS, there, "row_xid") as opened:
                sync_source(url, opened, Scope("incremental", date(2026, 1, 1)), triggered_by="benchmark")
        return {
            "primary": one(conn, "select count(*) from rooms.messages")[0],
            "standby": one(conn, "select count(*) from raw.rooms_messages")[0],
            "lag": lag,
        }


@contextlib.contextmanager
def _server(found: binaries.Binaries, data: Path, url: str) -> Iterator[str]:
    """A server of a data folder on a port of its own; yields its URL."""
    data.chmod(0o700)
    port = embedded._free_port()
    found.run("pg_ctl", "start", "--pgdata", data, "--wait", "--options", f"-p {port}", "--log", data / "log")
    try:
        yield conninfo.to_url(conninfo.read(url) | {"port": str(port)})
    finally:
        found.run("pg_ctl", "stop", "--pgdata", data, "--mode", "immediate")
        shutil.rmtree(data, ignore_errors=True)


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
