"""Measures the landing of records, against a plain COPY and against dlt: `python benchmarks/ingest --dlt PYTHON`.

README.md one folder up says what is measured, and against what.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

import psycopg  # noqa: E402  after the path that leads to what is imported with it
from common import (  # noqa: E402
    DAYS,
    FIRST_DAY,
    ROOT,
    Sandbox,
    copy_payloads,
    environment,
    one,
    sandbox,
    today,
    write_payloads,
)
from peak_memory import cpu_of_tree  # noqa: E402

from dagster_project.warehouse import connection, embedded, migrations  # noqa: E402

REPEATS = 3
DAYS_APART = DAYS  # from one copy of the history to the next


@dataclass
class Run:
    """What one run of the benchmark found out; seconds of whole processes where nothing else is said.

    Work (`cpu`) is that of the program and of Postgres together: on a machine that is shared it says more than seconds.

    Attributes:
        landing: of a first sync fed with answers that are on disk, by whether they are kept (see our_sync.py).
        copies, copy_cpu: seconds of the plain COPYs right after each of them, and work of one of them.
        first: of the first sync that asks the source, by whether answers are kept.
        unchanged: by chats in the warehouse: syncs that found nothing changed.
        dlt: seconds, those of its steps, and its rows.
    """

    load_before: tuple[float, ...]
    load_after: tuple[float, ...] = ()
    records: int = 0
    chats: int = 0
    messages: int = 0
    payload_mib: int = 0
    landing: dict[str, dict[str, float]] = field(default_factory=dict)
    first: dict[str, dict[str, float]] = field(default_factory=dict)
    copies: dict[str, list[float]] = field(default_factory=dict)
    copy_cpu: dict[str, float] = field(default_factory=dict)
    build: float = 0
    build_cpu: float = 0
    unchanged: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    dlt: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Run all and print a table; exit code 1 when rows are missing."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="b2chat-ingest-", dir="/tmp"))
    folder.chmod(0o755)  # Postgres runs as another user where we are root
    run = Run(os.getloadavg())
    try:
        with sandbox(options.chats, today()) as source, embedded.running(folder / "pg") as server:
            _measure(run, options, Bench(folder, source, server))
    finally:
        run.load_after = os.getloadavg()
        shutil.rmtree(folder)
        print(json.dumps(vars(run), indent=2), file=sys.stderr)
    print(_markdown(run))
    if run.wrong:
        sys.exit("; ".join(run.wrong))


@dataclass
class Bench:
    """Where it all happens: a scratch folder, the source, and one Postgres for all databases."""

    folder: Path
    source: Sandbox
    server: str

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A database of its own, dropped at the end."""
        with psycopg.connect(self.server, autocommit=True) as conn:
            conn.execute(f"create database {name}")
        yield self.server.rpartition("/")[0] + f"/{name}"
        with psycopg.connect(self.server, autocommit=True) as conn:
            conn.execute(f"drop database {name} with (force)")

    def cpu(self) -> float:
        """Seconds that this process, its children that have ended, and all of Postgres have worked."""
        own = sum(os.times()[:4])
        return own + cpu_of_tree(int(next(self.folder.glob("pg/*/postmaster.pid")).read_text().split()[0]))

    def python(self, program: str, file: Path, **variables: str) -> dict[str, Any]:
        """Run a file and return the JSON it prints, with the seconds of the whole process as `process`."""
        began, began_cpu, began_own = time.monotonic(), self.cpu(), sum(os.times()[2:4])
        done = subprocess.run(
            [program, str(file)],
            env=environment(self.source) | variables,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            cwd=self.folder,
        )
        answer = json.loads(done.stdout.splitlines()[-1]) | {
            "process": time.monotonic() - began,
            "all_cpu": self.cpu() - began_cpu,
            "process_cpu": sum(os.times()[2:4]) - began_own,
        }
        print(f"{file.stem} {answer}", file=sys.stderr, flush=True)
        return answer


def _measure(run: Run, options: argparse.Namespace, bench: Bench) -> None:
    answers = {"BENCHMARK_ANSWERS": str(bench.folder / "answers")}
    bench.python(sys.executable, HERE / "answers.py", **answers)
    for kept, keep in (("not kept", {"B2CHAT_KEEP_RESPONSES": "false"}), ("kept", {})):
        with bench.database("landing") as url:
            run.landing[kept] = _sync(bench, url, **answers, **keep)
            _copies(run, kept, bench, url)
    shutil.rmtree(bench.folder / "answers")
    if options.landing:
        return
    with bench.database("warehouse_without_answers") as url:
        run.first["not kept"] = _sync(bench, url, B2CHAT_KEEP_RESPONSES="false")
    with bench.database("warehouse") as url:
        run.first["kept"] = _sync(bench, url)
        _build(run, bench, url)
        _count(run, url)
        run.unchanged[f"{run.chats:,}"] = [_sync(bench, url) for _ in range(REPEATS)]
        if options.dlt:
            _dlt(run, options.dlt, bench)
        if options.times > 1:
            chats = _multiply(url, options.times)
            first = FIRST_DAY - timedelta(days=(options.times - 1) * DAYS_APART)
            run.unchanged[f"{chats:,}"] = [
                _sync(bench, url, B2CHAT_START_DATE=first.isoformat()) for _ in range(REPEATS)
            ]


def _sync(bench: Bench, url: str, **variables: str) -> dict[str, float]:
    migrations.upgrade(url)
    return bench.python(sys.executable, HERE / "our_sync.py", DATABASE_URL=url, **variables)


def _copies(run: Run, kept: str, bench: Bench, url: str) -> None:
    file = bench.folder / "payloads.copy"
    with psycopg.connect(url) as conn:
        write_payloads(conn, file)
        began_cpu = bench.cpu()
        copies = [copy_payloads(conn, file) for _ in range(REPEATS)]
    run.copy_cpu[kept] = (bench.cpu() - began_cpu) / REPEATS
    run.copies[kept] = [seconds for _, seconds in copies]
    run.records = copies[0][0]
    run.payload_mib = file.stat().st_size >> 20
    file.unlink()
    print(f"copies {run.copies[kept]}, work {run.copy_cpu[kept]}", file=sys.stderr, flush=True)


def _build(run: Run, bench: Bench, url: str) -> None:
    """From raw to core.messages, with the data tests of all models on the way, as the job has it."""
    target = bench.folder / "dbt"
    began, began_cpu = time.monotonic(), bench.cpu()
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            "build",
            "--select",
            "+messages",
            "--exclude-resource-type",
            "unit_test",
            "--indirect-selection",
            "cautious",
            "--project-dir",
            str(ROOT / "dbt"),
            "--profiles-dir",
            str(ROOT / "dbt"),
            "--target-path",
            str(target),
            "--log-path",
            str(target),
        ],
        env=environment(bench.source) | connection.environment(url),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    run.build, run.build_cpu = time.monotonic() - began, bench.cpu() - began_cpu
    print(f"build {run.build:.1f}, work {run.build_cpu:.1f}", file=sys.stderr, flush=True)
    if done.returncode:
        sys.exit(f"dbt failed:\n{done.stdout[-3000:]}")


def _count(run: Run, url: str) -> None:
    with psycopg.connect(url) as conn:
        run.chats, landed = one(
            conn,
            """
            select count(*), sum(jsonb_array_length(payload -> 'messages'))
                filter (where jsonb_typeof(payload -> 'messages') = 'array')
            from raw.b2chat_chats
        """,
        )
        run.messages = one(conn, "select count(*) from core.messages")[0]
    if run.messages != landed:
        run.wrong.append(f"{run.messages:,} rows in core.messages, but {landed:,} messages in raw.b2chat_chats")


def _dlt(run: Run, program: str, bench: Bench) -> None:
    days = [(FIRST_DAY + timedelta(days=day)).isoformat() for day in range(DAYS + 1)]
    with bench.database("dlt") as url:
        run.dlt = bench.python(
            program,
            HERE / "with_dlt.py",
            BENCHMARK_URL=url,
            BENCHMARK_DAYS=json.dumps(days),
            BENCHMARK_FOLDER=str(bench.folder / "dlt"),
            PYTHONPATH="",
        )
        with psycopg.connect(url) as conn:
            rows = one(
                conn,
                """
                select (select count(*) from dlt_raw.chats), (select count(*) from dlt_raw.chats__messages)
            """,
            )
    if rows != (run.chats, run.messages):
        run.wrong.append(f"dlt holds {rows[0]:,} chats and {rows[1]:,} messages")


def _multiply(url: str, times: int) -> int:
    """Give the warehouse a longer past: copies of all its rows of raw, each `DAYS_APART` days before the last."""
    began = time.monotonic()
    with psycopg.connect(url) as conn:
        loads = one(conn, "select max(load_id) from ops.page_loads")[0]
        for copy in range(1, times):
            shift = {
                "days": copy * DAYS_APART,
                "loads": copy * loads,
                "suffix": f"~{copy}",
                "last_load": loads,
                "first_day": FIRST_DAY,
            }
            for statement in _COPY_HISTORY:
                conn.execute(statement, shift)
        conn.execute(
            "select setval(pg_get_serial_sequence('ops.page_loads', 'load_id'), max(load_id)) from ops.page_loads"
        )
        conn.commit()
        conn.autocommit = True
        for table in ("raw.b2chat_chats", "raw.b2chat_contacts", "ops.page_loads", "ops.sync_windows"):
            conn.execute(f"vacuum analyze {table}")
        conn.execute("checkpoint")
        chats = one(conn, "select count(*) from raw.b2chat_chats")[0]
        size = (
            one(conn, "select sum(pg_total_relation_size(relid)) from pg_partition_tree('raw.b2chat_chats')")[0] >> 20
        )
    print(f"multiplied {chats:,} chats, {size:,} MiB, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return int(chats)


_COPY_HISTORY = (
    """
    insert into ops.page_loads overriding system value
    select (jsonb_populate_record(p, jsonb_build_object(
        'load_id', load_id + %(loads)s, 'window_from', window_from - %(days)s, 'window_to', window_to - %(days)s))).*
    from ops.page_loads p
    where load_id <= %(last_load)s
    """,
    """
    select ops.keep_month('raw.b2chat_chats', month) from (
        select distinct
            date_trunc('month', (payload ->> 'created_at')::timestamp - make_interval(days => %(days)s))::date as month
        from raw.b2chat_chats
        where chat_id not like '%%~%%'
    ) as months
    """,
    """
    insert into raw.b2chat_chats (
        chat_id, content_hash, payload, payload_bytes, cleaned, version, load_id, first_load_id, loaded_at,
        created_month)
    select chat_id || %(suffix)s, content_hash,
        payload || jsonb_build_object(
            'chat_id', chat_id || %(suffix)s,
            'created_at', (payload ->> 'created_at')::timestamp - make_interval(days => %(days)s)),
        payload_bytes, cleaned, version, load_id + %(loads)s, first_load_id + %(loads)s, loaded_at,
        date_trunc('month', (payload ->> 'created_at')::timestamp - make_interval(days => %(days)s))
    from raw.b2chat_chats
    where chat_id not like '%%~%%'
    """,
    """
    insert into raw.b2chat_contacts (
        contact_id, content_hash, payload, payload_bytes, cleaned, version, load_id, first_load_id, loaded_at)
    select contact_id || %(suffix)s, content_hash, payload, payload_bytes, cleaned, version,
        load_id + %(loads)s, first_load_id + %(loads)s, loaded_at
    from raw.b2chat_contacts
    where contact_id not like '%%~%%'
    """,
    """
    insert into ops.sync_windows (
        source, entity_type, window_name, window_day, read_at, sync_id, record_count, total)
    select source, entity_type, (window_day - %(days)s)::text, window_day - %(days)s, read_at,
        sync_id, record_count, total
    from ops.sync_windows
    where entity_type = 'chats' and window_day >= %(first_day)s
    """,
)


def _markdown(run: Run) -> str:
    lines = [
        f"{run.chats:,} chats, {run.messages:,} messages, {run.records:,} records with the contacts, "
        f"{run.payload_mib:,} MiB of payloads; {os.cpu_count()} cores, load {run.load_before[0]:.1f} before and "
        f"{run.load_after[0]:.1f} after.",
        "",
        "| what | seconds | records a second | ratio | work, CPU seconds | ratio |",
        "|---|---:|---:|---|---:|---|",
    ]
    for kept, landing in run.landing.items():
        copy, copy_cpu = statistics.median(run.copies[kept]), run.copy_cpu[kept]
        work = landing["all_cpu"] - landing["process_cpu"] + landing["cpu"]  # without Python's start: COPY has none
        lines += [
            _row(
                f"landing, answers {kept}",
                landing["seconds"],
                run.records,
                f"{copy / landing['seconds']:.2f} of COPY",
                work,
                f"{copy_cpu / work:.2f} of COPY",
            ),
            _row(f"plain COPY right after it (median of {REPEATS})", copy, run.records, "", copy_cpu),
        ]
    for kept, first in run.first.items():
        lines.append(_row(f"sync from the source, answers {kept}", first["seconds"], run.records, "", first["all_cpu"]))
    if not run.first:
        return "\n".join(lines)
    lines.append(_row("`dbt build --select +messages`, with data tests", run.build, run.records, "", run.build_cpu))
    for kept, first in run.first.items():
        whole, work = first["process"] + run.build, first["all_cpu"] + run.build_cpu
        ratios = ("", "")
        if run.dlt:
            ratios = f"{run.dlt['process'] / whole:.2f} × dlt", f"{run.dlt['all_cpu'] / work:.2f} × dlt"
        lines.append(_row(f"whole, answers {kept}", whole, run.records, ratios[0], work, ratios[1]))
    if run.dlt:
        steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in run.dlt["steps"].items())
        lines.append(_row(f"dlt ({steps})", run.dlt["process"], run.records, "", run.dlt["all_cpu"]))
    lines += [
        "",
        "| nothing changed: chats held | windows | records read | sync | of it requests | beyond |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for chats, syncs in run.unchanged.items():
        for one_sync in syncs:
            lines.append(
                f"| {chats} | {one_sync['windows']:.0f} | {one_sync['records']:,.0f} | {one_sync['seconds']:.2f} s "
                f"| {one_sync['waiting']:.2f} s | {one_sync['seconds'] - one_sync['waiting']:.2f} s |"
            )
    return "\n".join([*lines, *(f"**Wrong:** {line}" for line in run.wrong)])


def _row(
    name: str, seconds: float, records: int, ratio: str = "", work: float | None = None, ratio_of_work: str = ""
) -> str:
    worked = "" if work is None else f"{work:.1f}"
    return f"| {name} | {seconds:.1f} | {records / seconds:,.0f} | {ratio} | {worked} | {ratio_of_work} |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/ingest", description="Measure the landing of records.")
    parser.add_argument("--chats", type=int, default=100_000, help="chats in 100 days (default: 100000)")
    parser.add_argument("--dlt", metavar="PYTHON", help="Python of dlt's environment; without it, dlt is left out")
    parser.add_argument("--landing", action="store_true", help="measure the landing of answers on disk alone")
    parser.add_argument("--times", type=int, default=10, help="how much longer a past to try, at last (default: 10)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
