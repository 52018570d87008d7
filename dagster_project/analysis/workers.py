"""Batches of chats shared among processes, one a core: each reads, classifies and writes over a connection of its own.

A worker is told what to do line by line, as JSON, and says what it did. It ends when its input does: also when the
process that started it was killed. A batch that it was at is then done wholly or not at all, as Postgres has it.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import psycopg

from dagster_project.analysis.batch import Done, categorize_batch
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.work import LoadWindow

MAX_WORKERS = 4  # and as many connections, in place of those of dbt in the same run (docs/operations.md)


class WorkerFailed(Exception):
    """A process could not do its batch; the text says why, without anything of a chat."""


def share(
    conn: psycopg.Connection,
    classifier: RulesClassifier,
    batches: Sequence[Sequence[str]],
    loads: LoadWindow,
    idle: timedelta,
) -> Generator[Done, None, None]:
    """Do the batches, and say what became of each, in their order.

    Args:
        conn: says which Postgres; nothing is done over it.

    Raises:
        WorkerFailed: a batch was not done, nor all that come after it.
    """
    task = {
        "conninfo": psycopg.conninfo.make_conninfo(**conn.info.get_parameters(), password=conn.info.password or None),
        "files": [str(file) for file in classifier.files],
        "version": classifier.version,
        "low_watermark": loads.low_watermark,
        "high_watermark": loads.high_watermark,
        "as_of": loads.as_of and loads.as_of.isoformat(),
        "idle": idle.total_seconds(),
    }
    count = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MAX_WORKERS)
    waiting: SimpleQueue[_Worker] = SimpleQueue()

    def do(chat_ids: Sequence[str]) -> Done:
        worker = waiting.get()
        try:
            return worker.do(chat_ids)
        finally:
            waiting.put(worker)

    with ThreadPoolExecutor(count) as threads, ExitStack() as processes:
        for _ in range(min(count, len(batches))):
            waiting.put(processes.enter_context(_Worker(task)))
        yield from threads.map(do, batches)


class _Worker:
    """A process that categorizes batches."""

    def __init__(self, task: dict[str, Any]) -> None:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._tell(task)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._process.kill()
        with suppress(BrokenPipeError), self._process:  # closes the pipes, and waits for its end
            pass

    def do(self, chat_ids: Sequence[str]) -> Done:
        self._tell(chat_ids)
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline() or "null")
        if said is None:
            raise WorkerFailed("a process that classifies by rules has ended")
        if "error" in said:
            raise WorkerFailed(f"a process that classifies by rules: {said['error']}")
        return Done(said["chats"], Counter(said["counts"]), Counter(said["intents"]))

    def _tell(self, what: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise WorkerFailed("a process that classifies by rules has ended") from None


def main() -> None:
    """Be a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    task = json.loads(sys.stdin.readline())
    classifier = RulesClassifier(*map(Path, task["files"]))
    loads = LoadWindow(
        task["low_watermark"], task["high_watermark"], task["as_of"] and datetime.fromisoformat(task["as_of"])
    )
    gc.disable()  # nothing here goes in circles, and what is known of words would be walked through again and again
    with psycopg.connect(task["conninfo"], autocommit=True) as conn:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(_done(conn, classifier, task, loads, json.loads(line))) + "\n")
            sys.stdout.flush()


def _done(
    conn: psycopg.Connection, classifier: RulesClassifier, task: dict[str, Any], loads: LoadWindow, chat_ids: list[str]
) -> dict[str, Any]:
    if classifier.version != task["version"]:
        return {"error": "the lexicon was changed meanwhile; run again"}
    try:
        done = categorize_batch(conn, classifier, chat_ids, loads, timedelta(seconds=task["idle"]))
        return {"chats": done.chats, "counts": done.counts, "intents": done.intents}
    except psycopg.Error as error:
        return {"error": f"{type(error).__name__} {error.sqlstate or ''}".strip()}


if __name__ == "__main__":
    main()
