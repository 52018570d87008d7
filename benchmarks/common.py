"""What the benchmarks share: the account that is read, its sandbox in a process of its own, and the plain COPY.

As a program (`common.py CHATS DAY`) it is that sandbox.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

ROOT = Path(__file__).resolve().parent.parent
ZONE = ZoneInfo("America/Bogota")
FIRST_DAY, DAYS = date(2026, 1, 5), 100  # from a Monday on
CLIENT_ID, CLIENT_SECRET = "benchmark", "benchmark"
PAGE_SIZE = 1000
MIB = 1024 * 1024


def today() -> date:
    """The day on which the account has `DAYS` whole days."""
    return FIRST_DAY + timedelta(days=DAYS)


@dataclass
class Sandbox:
    """A sandbox that runs in a process of its own, and the local day that it takes for today."""

    base_url: str
    today: date
    process: int


@contextlib.contextmanager
def sandbox(chats: int, today: date) -> Iterator[Sandbox]:
    """Run an account of so many chats in `DAYS` days; its clock stands at the beginning of a local day."""
    command = [sys.executable, __file__, str(chats), today.isoformat()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=with_project(os.environ))
    assert process.stdout is not None
    try:
        yield Sandbox(process.stdout.readline().strip(), today, process.pid)
    finally:
        process.terminate()
        process.wait()


def environment(sandbox: Sandbox) -> dict[str, str]:
    """The settings that lead to a sandbox, in an environment without any other of the project's."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("B2CHAT_", "PG", "DATABASE_"))}
    return with_project(ours) | {
        "B2CHAT_API_URL": sandbox.base_url,
        "B2CHAT_CLIENT_ID": CLIENT_ID,
        "B2CHAT_CLIENT_SECRET": CLIENT_SECRET,
        "B2CHAT_START_DATE": FIRST_DAY.isoformat(),
        "B2CHAT_SANDBOX_CLOCK": start_of(sandbox.today).isoformat(),
        "B2CHAT_REQUESTS_PER_SECOND": "1000",
        "B2CHAT_REQUESTS_PER_DAY": "1000000",
    }


def with_project(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which Python takes this project, whichever is installed."""
    return {**environment, "PYTHONPATH": str(ROOT)}


def start_of(day: date) -> datetime:
    """The instant in which a local day begins."""
    return datetime.combine(day, time_of_day(), ZONE)


def one(conn: psycopg.Connection, query: str, **values: Any) -> tuple[Any, ...]:
    """The one row of a query."""
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return row


def write_payloads(conn: psycopg.Connection, file: Path) -> None:
    """Write all payloads of raw to a file, as COPY takes them."""
    payloads = "select payload from raw.b2chat_chats union all select payload from raw.b2chat_contacts"
    with conn.cursor() as cursor, cursor.copy(f"copy ({payloads}) to stdout") as copy, file.open("wb") as out:
        out.writelines(copy)


def copy_payloads(conn: psycopg.Connection, file: Path) -> tuple[int, float]:
    """The floor of landing: the same payloads, from a file, into a table without an index. Returns rows and seconds."""
    with conn.cursor() as cursor:
        conn.execute("create table public.benchmark_payloads (payload jsonb)")
        conn.commit()
        began = time.monotonic()
        with cursor.copy("copy public.benchmark_payloads from stdin") as copy, file.open("rb") as source:
            while block := source.read(MIB):
                copy.write(block)
        conn.commit()
        seconds = time.monotonic() - began
        rows = one(conn, "select count(*) from public.benchmark_payloads")[0]
        conn.execute("drop table public.benchmark_payloads")
        conn.commit()
    return rows, seconds


def _serve(chats: int, today: str) -> None:
    from dagster_project.sources.b2chat.sandbox import server  # noqa: PLC0415  for the process of the sandbox alone
    from dagster_project.sources.b2chat.sandbox.account import Account  # noqa: PLC0415
    from dagster_project.sources.b2chat.sandbox.clock import FrozenClock  # noqa: PLC0415
    from dagster_project.sources.b2chat.sandbox.generator import GeneratedSource  # noqa: PLC0415

    account = Account(
        first_day=FIRST_DAY,
        days=DAYS + 2,
        chats_per_day=chats / DAYS,
        messages_per_chat=20,
        silent_share=0,
    )
    server.serve(
        GeneratedSource(account),
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        port=0,
        clock=FrozenClock(start_of(date.fromisoformat(today))),
        on_listening=lambda base_url: print(base_url, flush=True),
    )


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2])
