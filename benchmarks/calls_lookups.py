"""The two questions that the seed of calls has no index for, among two million calls, as its application asks them.

    .venv/bin/python benchmarks/calls_lookups.py [--calls 2000000] [--runs 300] [--json]

Postgres and data are its own: 24 months of calls, one in ten thousand of them live; half as many invitations, one in a
hundred of them expired. Each time is a whole statement at the client; each statement is asked with its values in its
text, and prepared under plan_cache_mode = force_generic_plan. Exits with 1 where a gate is missed: p95 under 5 ms, and
no table that holds rows is read from end to end. What the index that the seed advises does is printed beside it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg

from dagster_project.sources.calls import invites, schema
from dagster_project.warehouse import embedded
from dagster_project.warehouse.connection import connect
from tests.support.calls import A_LIVE_CALL, ADVISED_INDEX, LIVE_CALL, fill, plan_of, read_whole

TARGET_MS = 5.0
EXPIRED = invites.CLEAN_UP


def main() -> None:
    """Fill, ask, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b2chat-calls-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg", throwaway=True) as url:
            schema.upgrade(url)
            began = time.monotonic()
            with connect(url) as conn:
                fill(conn, given.calls, given.calls // 2)
                filled = time.monotonic() - began
                found = _asked(conn, given.runs)
    gates = [each for each in found if each["index"] == "ours"]
    held = all(each["p95"] < TARGET_MS and not each["read whole"] for each in gates)
    if given.json:
        print(json.dumps({"filled_seconds": round(filled, 1), "lookups": found, "held": held}, indent=2))
    else:
        print(f"{given.calls:,} calls filled in {filled:.0f} s; load {os.getloadavg()[0]:.1f}\n")
        print(
            "| lookup | index | plan | runs | p50 ms | p95 ms | months read whole |\n|---|---|---|---:|---:|---:|---:|"
        )
        for each in found:
            print("| {lookup} | {index} | {plan} | {runs} | {p50:.2f} | {p95:.2f} | {read whole} |".format(**each))
        print(f"\n{'holds' if held else 'MISSED'}: p95 under {TARGET_MS:.0f} ms, nothing read whole")
    sys.exit(not held)


def _asked(conn: psycopg.Connection, runs: int) -> list[dict[str, Any]]:
    tokens = [A_LIVE_CALL | {"token": f"reconnect-live-{n * 10_000 + 7}"} for n in range(runs)]
    row = conn.execute("select now()").fetchone()
    assert row
    expired: list[dict[str, Any]] = [{"at": row[0], "batch": 10}] * runs
    found = []
    for is_generic in (False, True):
        found.append(_timed(conn, "call by its token", "ours", LIVE_CALL, tokens, is_generic))
        found.append(_timed(conn, "ten expired invitations deleted", "ours", EXPIRED, expired, is_generic))
    conn.execute("drop index calls.idx_call_logs_reconnect_token")
    conn.execute(ADVISED_INDEX)
    conn.execute("analyze calls.call_logs")
    for is_generic in (False, True):
        found.append(_timed(conn, "call by its token", "as advised", LIVE_CALL, tokens[:20], is_generic))
    return found


def _timed(
    conn: psycopg.Connection, lookup: str, index: str, statement: str, asked: list[dict[str, Any]], is_generic: bool
) -> dict[str, Any]:
    plan = plan_of(conn, statement, asked[0], is_generic=is_generic)
    times = []
    if is_generic:
        conn.execute("set plan_cache_mode = force_generic_plan")
    cursor = conn.cursor() if is_generic else psycopg.ClientCursor(conn)
    for values in asked:
        began = time.perf_counter()
        cursor.execute(statement, values, prepare=is_generic)
        times.append((time.perf_counter() - began) * 1000)
    conn.execute("reset plan_cache_mode")
    cuts = quantiles(times, n=100, method="inclusive")
    shape = "generic plan" if is_generic else "literals"
    told = {"lookup": lookup, "index": index, "plan": shape, "runs": len(times), "p50": cuts[49], "p95": cuts[94]}
    return told | {"read whole": len(read_whole(conn, plan))}


if __name__ == "__main__":
    main()
