"""The restore drill at scale: `python benchmarks/restore_drill.py [--chats 100000] [--build] [--keep]`.

Fills a warehouse of its own (fill.py), makes a backup with `kill -9` in the middle of the first try, restores it with
`kill -9` in the middle of the first try, drills it, and lets a day's records come after it. Prints seconds as JSON.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import ROOT

from dagster_project.settings import Settings
from dagster_project.warehouse import connection, embedded
from dagster_project.warehouse.backup import contents, folder

PROGRAM = str(Path(sys.executable).parent / "b2chat")


def main() -> None:
    """Run the drill and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=100_000)
    parser.add_argument("--build", action="store_true", help="build core and marts first, which takes longer than all")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    parser.add_argument("--folder", type=Path, help="that of an earlier run with --keep: it is not filled again")
    options = parser.parse_args()
    place = options.folder or Path(tempfile.mkdtemp(prefix="b2chat-drill-", dir="/tmp"))
    place.chmod(0o755)
    os.environ |= {"B2CHAT_DATA_DIR": str(place), "B2CHAT_ENV_FILE": os.devnull}
    settings = Settings.load()
    try:
        embedded.keep(settings.data_path / "pg", True)
        with connection.warehouse(settings) as url:
            print(
                json.dumps(
                    measure(settings, url, options.chats, fill=not options.folder, build=options.build), indent=1
                )
            )
    finally:
        embedded.keep(settings.data_path / "pg", False)
        with connection.warehouse(settings):
            pass
        if not options.keep:
            shutil.rmtree(place, ignore_errors=True)


def measure(settings: Settings, url: str, chats: int, *, fill: bool, build: bool) -> dict[str, Any]:
    took: dict[str, Any] = {"chats": chats}
    if fill:
        took["fill"], _ = timed([sys.executable, str(ROOT / "benchmarks" / "fill.py"), "--chats", str(chats)])
    if build:
        took["build"], _ = timed([PROGRAM, "build"])
    with connection.connect(url) as conn:
        took["database_MB"] = conn.execute("select pg_database_size(current_database()) / 1000000").fetchall()[0][0]
    expected = took["database_MB"] * 1_000_000 * 0.03
    took["backup_killed_at_MB"] = killed(
        ["backup"], lambda: max((folder.size_of(one) for one in left(settings)), default=0) > expected, settings
    )
    assert all(one.faults() == [] for one in folder.listed(settings.backup_path)), "a killed backup is listed"
    before = time.monotonic()
    with connection.connect(url) as conn:
        held = contents.read(conn)
    took["sums_alone"] = round(time.monotonic() - before, 1)
    took["backup"], made = timed([PROGRAM, "backup", "--json"])
    assert not left(settings), "the next backup leaves what the killed one left"
    took["backup_MB"], took["rows"] = round(made["bytes"] / 1e6, 1), made["rows"]

    def is_half_restored() -> bool:
        with connection.connect(url) as conn:
            name = "(select oid from pg_database where datname = current_database() || '_restoring')"
            size = conn.execute(f"select coalesce(pg_database_size({name}), 0)".encode()).fetchall()[0][0]
        return bool(size > took["database_MB"] * 1_000_000 * 0.3)

    killed(["restore", "--replace"], is_half_restored, settings)
    with connection.connect(url) as conn:
        now = contents.read(conn)
    moved = [line for line in contents.differences(held, now) if not line.startswith(("ops.locks ", "ops.audit_logs"))]
    assert not moved, moved
    took["restore"], restored = timed([PROGRAM, "restore", "--replace", "--json"])
    took["restore_parts"] = restored["seconds"]
    took["drill"], drilled = timed([PROGRAM, "drill", "--json"])
    took["drill_parts"], took["drill_ok"] = drilled["parts"], drilled["ok"]
    took["append_day"], came = timed([sys.executable, str(ROOT / "benchmarks" / "fill.py"), "--append-day"])
    took["came_after"] = came
    return took


def left(settings: Settings) -> list[Path]:
    return list(settings.backup_path.glob(f"{folder.UNFINISHED}*"))


def killed(words: list[str], is_time: Callable[[], bool], settings: Settings) -> float:
    """Kill a command with SIGKILL at a moment; how much of a backup was written by then, in MB."""
    child = subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not is_time():
        assert child.poll() is None, f"{words} ended before it was killed"
        time.sleep(0.02)
    size = sum(folder.size_of(one) for one in left(settings))
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    return round(size / 1e6, 1)


def timed(command: list[str]) -> tuple[float, Any]:
    """Seconds of a command, and what it printed as JSON, where it did."""
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    last = (done.stdout.strip().splitlines() or [""])[-1]
    return round(time.monotonic() - began, 1), json.loads(last) if last.startswith("{") else None


if __name__ == "__main__":
    main()
