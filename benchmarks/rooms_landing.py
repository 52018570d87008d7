"""What landing two million messages costs beside two bare COPYs of the same rows: `benchmarks/rooms_landing.py`.

On a server of its own. Out: each row's key, row_xid and JSON to a file, by COPY; in: that file into a table without an
index. Both bare, one after the other. Then the sync, from the schema rooms into raw with its two indexes, its log and
checkpoints. Exits with 1 where it takes more than 1.6 times as long as the two COPYs.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import MIB, one, today
from peak_memory import peak_of
from rooms_fill import fill_years

from dagster_project.ingestion.sync import sync_source
from dagster_project.sources.contract import Scope, SourceSpec
from dagster_project.sources.postgres_reader.reader import postgres_source
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.entities import MESSAGES, NAME, ORIGINS
from dagster_project.warehouse import embedded, migrations

MOST = 1.6
MONTHS = 24
OUT = """
    copy (
        select t.id || '|' || t.created_at, t.row_xid, to_jsonb(t) - 'password_hash' from rooms.messages as t
    ) to stdout
"""


def main() -> None:
    """Fill, measure, and print it as JSON."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--messages", type=int, default=2_000_000)
    count = options.parse_args().messages
    os.environ["B2CHAT_ENV_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg") as url:
            source = _database(url, "source")
            schema.upgrade(source)
            with psycopg.connect(source, autocommit=True) as conn:
                with conn.transaction():
                    fill_years(conn, count, round(MONTHS * 30.4), today())
                conn.execute("vacuum (analyze)")
                conn.execute("checkpoint")
                rows = one(conn, "select count(*) from rooms.messages")[0]
                file = Path(folder) / "rows"
                out = _seconds(lambda: _out(conn, file))
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute("create table public.bare (row_key text, row_xid bigint, payload jsonb)")
                into = _seconds(lambda: _in(conn, file))
                conn.execute("drop table public.bare")
                conn.execute("checkpoint")
            file.unlink()
            migrations.upgrade(url)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                landed = pool.apply(_land, (url, source))
            with psycopg.connect(url) as conn:
                (there,) = one(conn, "select count(*) from raw.rooms_messages")
    ratio = landed["seconds"] / (out + into)
    told = {
        "messages": rows,
        "landed": there,
        "copy_out_seconds": round(out, 1),
        "copy_in_seconds": round(into, 1),
        "sync_seconds": round(landed["seconds"], 1),
        "ratio": round(ratio, 2),
        "rows_per_second": round(rows / landed["seconds"]),
        "peak_mib": landed["peak_mib"],
        "mib_before": landed["mib_before"],
    }
    print(json.dumps(told))
    sys.exit(there != rows or ratio > MOST)


def _land(url: str, source: str) -> dict[str, Any]:
    spec = SourceSpec(NAME, (MESSAGES,), ORIGINS)
    before = peak_of(os.getpid())
    began = time.monotonic()
    with postgres_source(spec, source, "row_xid") as opened:
        sync_source(url, opened, Scope("incremental", today()), triggered_by="benchmark")
    seconds = time.monotonic() - began
    return {"seconds": seconds, "peak_mib": peak_of(os.getpid()) // MIB, "mib_before": before // MIB}


def _out(conn: psycopg.Connection, file: Path) -> None:
    with conn.cursor() as cursor, cursor.copy(OUT) as copy, file.open("wb") as out:
        out.writelines(copy)


def _in(conn: psycopg.Connection, file: Path) -> None:
    with conn.cursor() as cursor, cursor.copy("copy public.bare from stdin") as copy, file.open("rb") as source:
        while block := source.read(MIB):
            copy.write(block)


def _seconds(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _database(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"create database {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


if __name__ == "__main__":
    main()
