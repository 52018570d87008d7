"""Measures the main job at scale: `python benchmarks/main_job.py [--chats 100000] [--json] [--keep]`.

README.md beside it says what is measured, and against what.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import common
import httpx
import psycopg
from common import (
    CLIENT_ID,
    CLIENT_SECRET,
    FIRST_DAY,
    MIB,
    PAGE_SIZE,
    ROOT,
    Sandbox,
    copy_payloads,
    environment,
    one,
    today,
    write_payloads,
)
from peak_memory import PeakMemory, peak_of


def main() -> None:
    """Run all phases and print what they took; exit code 1 when rows are missing at the end."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="b2chat-benchmark-", dir="/tmp"))
    folder.chmod(0o755)  # Postgres runs as another user where we are root
    try:
        report = _measure(options.chats, folder)
    finally:
        if options.keep:
            print(f"kept: B2CHAT_DATA_DIR={folder / 'data'}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    print(json.dumps(asdict(report), indent=2) if options.json else _markdown(report))
    if report.missing:
        sys.exit("; ".join(report.missing))


@dataclass
class Counts:
    """Rows of a source, of a warehouse, or those that one sync brought."""

    chats: int
    messages: int
    contacts: int


@dataclass
class Phase:
    """What one command took.

    Attributes:
        read: records that the source was asked for.
        landed: what of it was new or changed; for a build, what it had to build.
        waiting: seconds of `seconds` that passed until the source had answered.
        peak_mib: memory of the command and of Postgres together.
    """

    name: str
    seconds: float
    read: int
    landed: Counts
    waiting: float = 0
    peak_mib: int = 0


@dataclass
class Report:
    """All that one run of the benchmark found out."""

    held: Counts
    cores: int
    load_before: float
    load_after: float = 0
    phases: list[Phase] = field(default_factory=list)
    baselines: list[Phase] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    sandbox_peak_mib: int = 0
    database_mib: int = 0


def _measure(chats: int, folder: Path) -> Report:
    first, second = today(), today() + timedelta(days=1)
    load = os.getloadavg()[0]
    with common.sandbox(chats, first) as sandbox:
        download = _download(sandbox)
    report = Report(download.landed, os.cpu_count() or 1, round(load, 1), baselines=[download])
    with common.sandbox(chats, first) as sandbox:
        report.phases.append(_sync("first sync", folder, sandbox))
        report.baselines.append(_copy(folder))
        report.phases.append(_build("first build", folder, sandbox, report.phases[-1]))
        report.missing += _missing("after the first build", report.held, folder)
        report.phases.append(_sync("sync, nothing changed", folder, sandbox))
        report.phases.append(_build("build, nothing changed", folder, sandbox, report.phases[-1]))
        report.sandbox_peak_mib = peak_of(sandbox.process) // MIB
    with common.sandbox(chats, second) as sandbox:
        report.phases.append(_sync("sync, a day later", folder, sandbox))
        report.phases.append(_build("build, a day later", folder, sandbox, report.phases[-1]))
        # Old days with a chat that never ended are read again less and less often, so only now all must be there.
        report.phases.append(_sync("full sync, a day later", folder, sandbox, "--full"))
        report.phases.append(_build("build after it", folder, sandbox, report.phases[-1]))
        report.missing += _missing("after the full sync", _download(sandbox).landed, folder)
    with _warehouse(folder) as conn:
        report.database_mib = one(conn, "select pg_database_size(current_database())")[0] // MIB
    report.load_after = round(os.getloadavg()[0], 1)
    return report


def _sync(name: str, folder: Path, sandbox: Sandbox, *options: str) -> Phase:
    with _warehouse(folder) as conn:
        known = one(conn, "select to_regclass('ops.page_loads')")[0]
        last_load = one(conn, "select coalesce(max(load_id), 0) from ops.page_loads")[0] if known else 0
    phase = _b2chat(name, "sync", folder, sandbox, *options)
    with _warehouse(folder) as conn:
        phase.landed = Counts(
            *one(
                conn,
                """
            select (select count(*) from raw.b2chat_chats where load_id > %(last)s),
                   (select coalesce(sum(jsonb_array_length(payload -> 'messages')), 0) from raw.b2chat_chats
                    where load_id > %(last)s and jsonb_typeof(payload -> 'messages') = 'array'),
                   (select count(*) from raw.b2chat_contacts where load_id > %(last)s)
            """,
                last=last_load,
            )
        )
        phase.read, waiting = one(
            conn,
            "select sum(record_count), sum(request_ms) / 1000.0 from ops.page_loads where load_id > %(last)s",
            last=last_load,
        )
    phase.waiting = float(waiting)
    return phase


def _build(name: str, folder: Path, sandbox: Sandbox, sync: Phase) -> Phase:
    phase = _b2chat(name, "build", folder, sandbox)
    phase.landed = sync.landed
    return phase


def _b2chat(name: str, command: str, folder: Path, sandbox: Sandbox, *options: str) -> Phase:
    """Run the command as a user would, and watch it and Postgres."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", "from dagster_project.cli.main import main; main()", command, *options, "--json"],
        cwd=folder,
        env=environment(sandbox) | {"B2CHAT_DATA_DIR": str(_data(folder))},
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    )
    with PeakMemory(lambda: iter([process.pid, *_postmaster(folder)])) as memory:
        answer = process.communicate()[0]
    seconds = time.monotonic() - began
    if process.returncode:
        sys.exit(f"{name} failed with exit code {process.returncode}: {answer}")
    print(f"{name}: {seconds:.1f} s", file=sys.stderr)
    return Phase(name, seconds, 0, Counts(0, 0, 0), peak_mib=memory.peak // MIB)


def _download(sandbox: Sandbox) -> Phase:
    """The floor of a first sync: ask for the same pages, read their JSON, keep nothing."""
    counts, read, began, waiting = Counts(0, 0, 0), 0, time.monotonic(), 0.0
    with httpx.Client(base_url=sandbox.base_url, timeout=60) as http:
        token = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(CLIENT_ID, CLIENT_SECRET))
        http.headers["authorization"] = f"Bearer {token.json()['access_token']}"
        for path, query in _questions(sandbox.today):
            offset, size = 0, PAGE_SIZE
            while size == PAGE_SIZE:
                asked = time.monotonic()
                answer = http.get(path, params={**query, "limit": PAGE_SIZE, "offset": offset, "order_dir": "asc"})
                waiting += time.monotonic() - asked
                records = json.loads(answer.content)[path.split("/")[1]]
                size, offset, read = len(records), offset + len(records), read + len(records)
                if path == "/chats/export":
                    counts.chats += size
                    counts.messages += sum(len(chat["messages"] or ()) for chat in records)
                else:
                    counts.contacts += size
    return Phase("plain download and json.loads", time.monotonic() - began, read, counts, waiting)


def _questions(today: date) -> Iterator[tuple[str, dict[str, str]]]:
    for day in range((today - FIRST_DAY).days + 1):
        text = (FIRST_DAY + timedelta(days=day)).isoformat()
        yield "/chats/export", {"date_range_from": text, "date_range_to": text}
    yield "/contacts/export", {"skip_tags": "FALSE", "skip_custom_attributes": "FALSE"}


def _copy(folder: Path) -> Phase:
    file = folder / "payloads.copy"
    with _warehouse(folder) as conn:
        write_payloads(conn, file)
        rows, seconds = copy_payloads(conn, file)
    file.unlink()
    return Phase("plain COPY of the payloads", seconds, rows, Counts(0, 0, 0))


def _missing(when: str, held: Counts, folder: Path) -> list[str]:
    """Where a table does not hold as many rows as the source."""
    wanted = {
        "raw.b2chat_chats": held.chats,
        "core.chats": held.chats,
        "marts.chat_response_times": held.chats,
        "core.messages": held.messages,
        "raw.b2chat_contacts": held.contacts,
    }
    with _warehouse(folder) as conn:
        found = {table: one(conn, f"select count(*) from {table}")[0] for table in wanted}
    return [
        f"{when}: {found[table]:,} rows in {table}, but {wanted[table]:,} at the source"
        for table in wanted
        if found[table] != wanted[table]
    ]


@contextlib.contextmanager
def _warehouse(folder: Path) -> Iterator[psycopg.Connection]:
    from dagster_project.warehouse import embedded  # noqa: PLC0415  the project's folder is on the path by now

    with embedded.running(_data(folder) / "pg") as url, psycopg.connect(url) as conn:
        yield conn


def _postmaster(folder: Path) -> Iterator[int]:
    for file in _data(folder).glob("pg/*/postmaster.pid"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            yield int(file.read_text().split()[0])


def _data(folder: Path) -> Path:
    return folder / "data"


def _markdown(report: Report) -> str:
    first_build = next(phase for phase in report.phases if phase.name == "first build")
    lines = [
        f"{report.held.chats:,} chats, {report.held.messages:,} messages, {report.held.contacts:,} contacts; "
        f"{report.cores} cores, load {report.load_before} before and {report.load_after} after; "
        f"database {report.database_mib:,} MiB at the end; sandbox apart, {report.sandbox_peak_mib:,} MiB.",
        "",
        "| phase | seconds | of it waiting for the source | records read | records read a second | chats landed "
        "| messages landed | messages a second | peak MiB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(_row(phase) for phase in [*report.phases, *report.baselines]),
        "",
        *(
            f"{phase.name}: {phase.seconds / first_build.seconds:.2f} of the first build."
            for phase in report.phases
            if phase.name.startswith("build,")
        ),
        *(f"**Missing:** {line}" for line in report.missing),
    ]
    return "\n".join(lines)


def _row(phase: Phase) -> str:
    landed = phase.landed
    cells = [
        phase.name,
        f"{phase.seconds:.1f}",
        f"{phase.waiting:.1f}" if phase.waiting else "",
        f"{phase.read:,}" if phase.read else "",
        f"{phase.read / phase.seconds:,.0f}" if phase.read else "",
        f"{landed.chats:,}",
        f"{landed.messages:,}",
        f"{landed.messages / phase.seconds:,.0f}" if landed.messages else "",
        f"{phase.peak_mib:,}" if phase.peak_mib else "",
    ]
    return f"| {' | '.join(cells)} |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the main job at scale.")
    parser.add_argument("--chats", type=int, default=100_000, help="chats in 100 days (default: 100000)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a Markdown table")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
