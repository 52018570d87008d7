"""Measures the served dashboard: `b2chat exec .venv/bin/python benchmarks/dashboard.py [--seconds 20] [--json]`.

The warehouse must be filled and built; `b2chat demo` will do. README.md beside it says what is measured.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg

from dagster_project.dashboard.pages.catalogue import PAGES

CLIENTS, WEEKS, MEMBERS, CALM_SECONDS = 50, 3, 12, 0.5


def main() -> None:
    """Print how long pages take: made for the first time, in a closed loop, and with a pause between two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    paths = _paths()
    with _serving() as (port, process):
        before = _cpu_seconds(process)
        told = {
            "pages": len(paths),
            "first": _summary(asyncio.run(_each_once(port, paths))),
            "first_cpu_ms_a_page": round((_cpu_seconds(process) - before) * 1000 / len(paths), 1),
        }
        for name, pause in (("closed_loop", 0.0), ("with_pauses", CALM_SECONDS)):
            before = _cpu_seconds(process)
            times = asyncio.run(_clients(port, paths, arguments.seconds, pause))
            told[name] = _summary(times) | {
                "requests_a_second": round(len(times) / arguments.seconds),
                "server_cpu_ms_a_request": round((_cpu_seconds(process) - before) * 1000 / len(times), 2),
            }
        told["server_rss_mib"] = _rss_mib(process)
    print(json.dumps(told, indent=None if arguments.json else 2))


def _paths() -> list[str]:
    """Every page of the last weeks, of all chats and of some agents, departments and channels; and some cells."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as conn:
        [week] = conn.execute("select last_full_week_start from marts.data_span").fetchone() or [None]
        members = conn.execute(
            """
            select scope, scope_id from marts.scope_members
            where scope <> 'all'
            order by md5(scope || scope_id)
            limit %s
            """,
            [MEMBERS],
        ).fetchall()
    chosen = ["all", *(f"{scope}:{key}" for scope, key in members)]
    weeks = [week - timedelta(days=7 * back) for back in range(WEEKS)]
    pages = [f"/es/{name}?week={day}&who={quote(who)}" for name in PAGES for day in weeks for who in chosen]
    cells = [
        f"/es/heatmap/cell?week={week}&direction=all&day={day}&hour={hour}" for day in (1, 3) for hour in range(8, 19)
    ]
    return pages + cells


@contextlib.contextmanager
def _serving() -> Iterator[tuple[int, int]]:
    """A dashboard in a process of its own: its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    program = Path(sys.executable).with_name("b2chat")
    process = subprocess.Popen([program, "dashboard", "serve", "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


async def _each_once(port: int, paths: list[str]) -> list[float]:
    """One client that asks for each page once."""
    client = await _Client.connected(port)
    return [await client.get(path) for path in paths]


async def _clients(port: int, paths: list[str], seconds: float, pause: float) -> list[float]:
    """So many clients at once, each asking for a page at random as soon as it has the last one, or after a pause."""
    until = time.monotonic() + seconds
    times: list[float] = []

    async def work(number: int) -> None:
        chance, client = random.Random(number), await _Client.connected(port)
        await asyncio.sleep(chance.random() * pause)
        while time.monotonic() < until:
            times.append(await client.get(chance.choice(paths)))
            await asyncio.sleep(pause)

    await asyncio.gather(*(work(number) for number in range(CLIENTS)))
    return times


class _Client:
    """A connection that stays; as little work as a client can have, so that the server is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connected(cls, port: int) -> "_Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def get(self, path: str) -> float:
        """Seconds from the question to the last byte of the answer, which must be a page."""
        began = time.perf_counter()
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), (path, head[:60])
        [length] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await self._reader.readexactly(int(length.partition(b":")[2]))
        return time.perf_counter() - began


def _summary(times: list[float]) -> dict[str, Any]:
    ordered = sorted(times)
    return {
        f"p{share}_ms": round(ordered[min(len(ordered) * share // 100, len(ordered) - 1)] * 1000, 1)
        for share in (50, 95, 99)
    }


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(process: int) -> int:
    [line] = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
