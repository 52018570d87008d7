"""What a refresh of ten chats costs, on warehouses of several sizes: `benchmarks/refresh.py --chats 3000 30000`.

For each size: a made-up account straight into raw (fill.py), a first build, a build that brings ten chats and is not
counted, and then as many more as `--rounds` says. With `--day` a refresh brings a day, to five years of each size and
to the last month of the same account. The last line is the last warehouse's figures over the first one's; below it
stand the statements that read more of the last warehouse than of the first: they follow what it holds, not what came.
README.md beside it says what the phases are.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from common import ROOT, with_project

_TEN_CHATS, _DAY = ("--append-chats", "10"), ("--append-day",)  # what is brought to each refresh
_FIVE_YEARS, _MONTH = 1826, 30  # days
_TICKS = os.sysconf("SC_CLK_TCK")
_GROWN, _SMALL = 3, 2_000  # a statement has grown that reads so many times the blocks, and more than so many
_STATEMENTS = """
    select query, shared_blks_hit + shared_blks_read from ops.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
"""
_TEST = re.compile(r"^select count\(\*\) as failures, .* as should_error from \( (-- )?")
_NODE = re.compile(r"\d+ of \d+ (OK created|PASS|WARN|FAIL) .*\[.* in (\d+\.\d+)s\]")


@dataclass(frozen=True)
class Refresh:
    """One `b2chat build` after ten chats, or a day; seconds.

    Attributes:
        wall: of the command.
        cpu: of the processor, for the command, dbt and Postgres.
        server: of it Postgres.
        start: until Dagster's job begins, and what comes after it.
        dbt: of dbt's run, without its start.
        rest: of the job without dbt's run: dbt's start and parsing, the Python assets, Dagster's log.
        nodes: that dbt ran.
        models, tests: seconds of dbt's nodes, added up: four are at work at once.
    """

    wall: float
    cpu: float
    server: float
    start: float
    dbt: float
    rest: float
    nodes: int
    models: float
    tests: float


def main() -> None:
    """Measure, and print JSON or tables."""
    options = _options()
    brings = _DAY if options.day else _TEN_CHATS
    measured = {name: _measure(name, filled, brings, options.rounds) for name, filled in _warehouses(options)}
    found = {name: refreshes for name, (refreshes, _) in measured.items()}
    blocks = [blocks for _, blocks in measured.values()]
    grown = _grown(blocks[0], blocks[-1])
    load = round(os.getloadavg()[0], 1)
    if options.json:
        refreshes = {name: [*map(asdict, all_)] for name, all_ in found.items()}
        print(json.dumps({"load": load, "refreshes": refreshes, "grown": grown}))
        return
    names = list(Refresh.__annotations__)
    print(f"{os.cpu_count()} cores, load {load}; the median of {options.rounds}\n")
    print(f"| chats held | {' | '.join(names)} |\n|---:|{'---:|' * len(names)}")
    middles = [
        [statistics.median(getattr(one, name) for one in refreshes) for name in names] for refreshes in found.values()
    ]
    for name, middle in zip(found, middles, strict=True):
        print(f"| {name} | {' | '.join(f'{value:.1f}' for value in middle)} |")
    ratios = [last / first if first else float("nan") for first, last in zip(middles[0], middles[-1], strict=True)]
    print(f"| last / first | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")
    if len(blocks) > 1:
        print("\n| blocks of the first | of the last | a statement that has grown |\n|---:|---:|---|")
        for before, after, statement in grown:
            print(f"| {before:,} | {after:,} | `{statement}` |")


def _grown(first: dict[str, int], last: dict[str, int]) -> list[tuple[int, int, str]]:
    """Blocks of the first warehouse, of the last and the statement, the largest first."""
    both = [(first[statement], last[statement], statement) for statement in first.keys() & last.keys()]
    return sorted((one for one in both if one[1] > max(_SMALL, _GROWN * one[0])), key=lambda one: -one[1])


def _warehouses(options: argparse.Namespace) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What each warehouse is called, and how it is filled."""
    for chats in options.chats:
        if options.day:
            of_month = round(chats * _MONTH / _FIVE_YEARS)
            yield f"{of_month:,}, a month", ("--chats", str(of_month), "--days", str(_MONTH))
        yield f"{chats:,}", ("--chats", str(chats), "--days", str(_FIVE_YEARS))


def _measure(
    name: str, filled: Sequence[str], brings: Sequence[str], rounds: int
) -> tuple[list[Refresh], dict[str, int]]:
    """The refreshes, and the blocks that the statements of the last one read."""
    folder = Path(tempfile.mkdtemp(prefix="b2chat-refresh-"))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("B2CHAT_", "PG", "DATABASE_"))}
    environment = with_project(ours) | {"B2CHAT_DATA_DIR": str(folder), "B2CHAT_ENV_FILE": os.devnull}
    try:
        _b2chat(environment, "db", "up")
        _fill(environment, *filled)
        for _ in range(2):
            _b2chat(environment, "build", "--json")
            _fill(environment, *brings)
        refreshes = []
        for _ in range(rounds):
            with _connected(environment) as conn:
                conn.execute("select ops.pg_stat_statements_reset()")
            refreshes.append(_refresh(environment, folder))
            print(f"{name} chats: {refreshes[-1]}", file=sys.stderr)
            with _connected(environment) as conn:
                blocks = _blocks(conn)
            _fill(environment, *brings)
        return refreshes, blocks
    finally:
        _b2chat(environment, "db", "down")
        shutil.rmtree(folder, ignore_errors=True)


def _connected(environment: dict[str, str]) -> psycopg.Connection:
    return psycopg.connect(_b2chat(environment, "db", "url").strip())


def _blocks(conn: psycopg.Connection) -> dict[str, int]:
    """Blocks that each statement read since the counters began, by its beginning, which is the same in each build."""
    blocks: dict[str, int] = {}
    for query, read in conn.execute(_STATEMENTS):
        statement = re.sub(r"__dbt_tmp\d+", "", " ".join(query.split()))
        beginning = _TEST.sub("test: ", statement).replace("`", "")[:90]
        blocks[beginning] = blocks.get(beginning, 0) + read
    return blocks


def _refresh(environment: dict[str, str], folder: Path) -> Refresh:
    began, before, server_before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN), _server_cpu(folder)
    answer = json.loads(_b2chat(environment, "build", "--json"))
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    server = _server_cpu(folder) - server_before
    said = (folder / "logs" / "dbt.log").read_text()
    nodes = [
        ("models" if match[1] == "OK created" else "tests", float(match[2]))
        for line in said.splitlines()
        if (match := _NODE.search(line))
    ]
    total = re.search(r"Finished running .* in .*\((\d+\.\d+)s\)", said)
    assert total, "dbt did not finish"
    dbt = float(total[1])
    return Refresh(
        wall,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + server,
        server,
        wall - answer["seconds"],
        dbt,
        answer["seconds"] - dbt,
        len(nodes),
        *(sum(seconds for kind, seconds in nodes if kind == wanted) for wanted in ("models", "tests")),
    )


def _server_cpu(folder: Path) -> float:
    """Seconds of the processor that the embedded server has used: its sessions, those that ended, and itself."""
    (file,) = (folder / "pg").glob("**/postmaster.pid")
    server, used = file.read_text().split()[0], 0
    for process in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            fields = process.read_text().rpartition(")")[2].split()
            if process.parent.name == server:
                used += sum(map(int, fields[11:15]))
            elif fields[1] == server:
                used += sum(map(int, fields[11:13]))
    return used / _TICKS


def _fill(environment: dict[str, str], *options: str) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "fill.py"), *options],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _b2chat(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-c", "from dagster_project.cli.main import main; main()", *arguments]
    done = subprocess.run(command, env=environment, cwd=environment["B2CHAT_DATA_DIR"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"b2chat {' '.join(arguments)} failed: {done.stderr[-2000:]}{done.stdout[-2000:]}")
    return done.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a refresh that brings ten chats, or a day.")
    parser.add_argument("--chats", type=int, nargs="+", default=[3000, 30_000], help="sizes (default: 3000 30000)")
    parser.add_argument("--rounds", type=int, default=3, help="refreshes of each (default: 3)")
    parser.add_argument("--day", action="store_true", help="bring a day, to five years and to their last month")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a Markdown table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
