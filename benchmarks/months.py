"""What monthly partitions cost, on a filled and built warehouse: `b2chat exec .venv/bin/python benchmarks/months.py`.

Deletes and inserts are rolled back; the month that is archived is restored. README.md beside it says what is measured.
"""

import argparse
import json
import os
import re
import resource
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import MIB, one
from reads import SEARCH_INDEX

from dagster_project.exports.stores.folder import Folder
from dagster_project.warehouse.archive import restore, states, steps
from dagster_project.warehouse.archive.contract import TABLES
from dagster_project.warehouse.partitions import months_after, partitions_of

CHOSEN = (
    "create temporary table chosen on commit drop as select id as chat_id from core.chats order by md5(id) limit {}"
)
DELETE = "delete from core.messages where (chat_id) in (select chat_id from chosen)"
TAKEN = "create temporary table taken on commit drop as select * from core.messages where chat_id in (table chosen)"


@dataclass
class Report:
    """Milliseconds, and the plans: `looked_up` and `read_whole` count the months of each kind of reading."""

    messages: int
    months: int
    load: float
    deletes: list[dict[str, float]] = field(default_factory=list)
    inserts: list[dict[str, float]] = field(default_factory=list)
    archive: dict[str, float] = field(default_factory=dict)
    plans: dict[str, list[str]] = field(default_factory=dict)


def main() -> None:
    """Run all and print it as JSON."""
    options = _options()
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url) as conn:
        counted = one(
            conn,
            "select sum(reltuples)::bigint, count(*) from pg_partition_tree('core.messages') as part "
            "inner join pg_class on oid = relid where isleaf",
        )
        report = Report(*counted, round(os.getloadavg()[0], 1))
        conn.rollback()
        for chats in options.chats:
            _delete(conn, report, chats)
        _insert(conn, report, options.chats[-1], "without the index of words")
        if options.search:
            with conn.transaction():
                conn.execute(SEARCH_INDEX)
            _insert(conn, report, options.chats[-1], "with the index of words")
            with conn.transaction():
                conn.execute("drop index core.messages_words_idx")
    if options.archive:
        with tempfile.TemporaryDirectory(prefix="b2chat-months-") as folder:
            _archive(url, report, Folder(Path(folder)))
    print(json.dumps(asdict(report), indent=2, default=float))


def _delete(conn: psycopg.Connection, report: Report, chats: int) -> None:
    """Delete the messages of chats of any age, twice: the second time their pages are in memory."""
    for turn in ("first", "again"):
        conn.execute(CHOSEN.format(chats))
        conn.execute("analyze chosen")
        plan, took = _explained(conn, DELETE)
        conn.rollback()
        text = "\n".join(plan)
        whole = len(re.findall(r"Seq Scan on messages\S* messages_\d+ .*loops=[1-9]", text))
        found = len(re.findall(r"Index (?:Only )?Scan .*loops=[1-9]|Bitmap Heap Scan .*loops=[1-9]", text))
        report.deletes.append({"chats": chats, "turn": turn, "looked_up": found, "read_whole": whole, **took})  # type: ignore[dict-item]
        report.plans[f"delete of {chats} chats, {turn}"] = plan


def _insert(conn: psycopg.Connection, report: Report, chats: int, what: str) -> None:
    """Put the messages of chats back, as the insert of a refresh does."""
    conn.execute(CHOSEN.format(chats))
    conn.execute(TAKEN)
    conn.execute(DELETE)
    plan, took = _explained(conn, "insert into core.messages table taken")
    rows = one(conn, "select count(*) from taken")[0]
    conn.rollback()
    report.inserts.append({"what": what, "chats": chats, "messages": rows, **took})  # type: ignore[dict-item]
    report.plans[f"insert of {chats} chats, {what}"] = plan


def _explained(conn: psycopg.Connection, statement: str) -> tuple[list[str], dict[str, float]]:
    plan = [row[0] for row in conn.execute(f"explain (analyze, buffers) {statement}")]
    text = "\n".join(plan)
    took = {
        f"{name.lower()}_ms": float(found[1])
        for name in ("Planning", "Execution")
        if (found := re.search(rf"{name} Time: ([\d.]+) ms", text))
    }
    return plan, took


def _archive(url: str, report: Report, store: Folder) -> None:
    """Archive the oldest month of all tables, and bring it back."""
    with psycopg.connect(url) as conn:
        oldest = min(part.month for table in TABLES for part in partitions_of(conn, table) if part.month)
    began = time.monotonic()
    done = steps.run(url, store, 24, months_after(oldest, 25))
    report.archive = {
        "month": f"{oldest:%Y-%m}",  # type: ignore[dict-item]
        "tables": len(done),
        "rows": sum(one_.row_count or 0 for one_ in done),
        "file_mib": round(sum(one_.bytes or 0 for one_ in done) / MIB, 1),
        "seconds": round(time.monotonic() - began, 1),
    }
    began = time.monotonic()
    with psycopg.connect(url) as conn:
        away = {(one_.table_name, one_.month) for one_ in states.archives(conn, states.AWAY)}
    back = [each for table, month in sorted(away) for each in restore.restore(url, store, table, month)]
    report.archive["restored_rows"] = sum(rows for _, rows in back)
    report.archive["restore_seconds"] = round(time.monotonic() - began, 1)
    report.archive["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what monthly partitions cost.")
    parser.add_argument("--chats", type=int, nargs="+", default=[10, 2000], help="chats of a delete (default: 10 2000)")
    parser.add_argument("--search", action="store_true", help="also an insert with the index of words")
    parser.add_argument("--archive", action="store_true", help="also archive the oldest month and restore it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
