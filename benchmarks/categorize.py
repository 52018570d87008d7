"""How many chats a second the rules categorize: in memory on one core, and from Postgres to Postgres on all cores.

    .venv/bin/python benchmarks/categorize.py [--chats 20000] [--messages 20] [--repeated] [--json]

Chats are made of the training chats' messages, to each an invented word and number added, so that no text comes twice;
`--repeated` leaves them as they are, as greetings and what machines write come again in real chats. The baseline of the
same run is one process; the floor is a COPY of the messages and of what was written. CPU is Python's and Postgres'.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import MIB
from peak_memory import PeakMemory, cpu_of_tree

from dagster_project.analysis import categorize, injection
from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.evaluation.scores import read_labelled
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.warehouse import embedded, migrations
from tests.support.common_shape import VIEWS

TRAINING = Path(__file__).parents[1] / "scripts" / "training"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FEW = 2_000  # chats

Row = dict[str, Any]


def main() -> None:
    """Print chats a second, and what each chat costs of the processor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chats", type=int, default=20_000)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--repeated", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    chats = partial(_chats, messages=given.messages, repeated=given.repeated)
    rows = [_in_memory(chats(2 * FEW))]
    with tempfile.TemporaryDirectory(prefix="b2chat-benchmark-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        with embedded.running(Path(name) / "pg", throwaway=True) as url:
            migrations.upgrade(url)
            with psycopg.connect(url, autocommit=True) as conn:
                _fill(conn, chats(given.chats))
                rows += _end_to_end(conn, given.chats)
    told = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "messages": given.messages, "rows": rows}
    print(json.dumps(told) if given.json else _table(told))


def _table(told: dict[str, Any]) -> str:
    lines = [
        f"| {row['what']} | {row['chats']:,} | {row['seconds']:.1f} | {row['chats_a_second']:,.0f} "
        f"| {row['cpu_ms_a_chat']:.2f} | {row['peak_mib']:.0f} |"
        for row in told["rows"]
    ]
    head = "| what | chats | seconds | chats a second | CPU ms a chat | peak MiB |\n|---|---:|---:|---:|---:|---:|"
    return "\n".join(
        (f"{told['messages']} messages a chat; {told['cores']} cores, load {told['load']:.1f}.\n", head, *lines)
    )


def _in_memory(chats: Iterator[Conversation]) -> Row:
    rules, gone_before, measured = RulesClassifier(), list(islice(chats, FEW)), list(islice(chats, FEW))
    for chat in gone_before:  # who starts meets the words of the language for the first time
        rules.classify(chat)

    def run() -> None:
        for chat in measured:
            rules.classify(chat)
            injection.suspected(chat)

    return _measured("in memory, one core", FEW, run, os.getpid())


def _end_to_end(conn: psycopg.Connection, chats: int) -> Iterator[Row]:
    rules, server, alone = RulesClassifier(), _postmaster(conn), categorize.ALONE
    few = [str(number) for number in range(min(chats, FEW))]
    for what, chat_ids, shared_from in (("one process", few, chats), ("a process a core", None, alone)):
        conn.execute("truncate analysis.classifications, analysis.classification_queue, analysis.progress cascade")
        categorize.ALONE = shared_from
        run = partial(categorize.categorize_by_rules, conn, rules, idle=timedelta(hours=24), chat_ids=chat_ids)
        yield _measured(f"Postgres to Postgres, {what}", len(chat_ids or ()) or chats, run, os.getpid(), server)
    floor = partial(_copied, conn, "core.messages", "analysis.classifications")
    yield _measured("floor: COPY of messages and classifications out", chats, floor, os.getpid(), server)


def _postmaster(conn: psycopg.Connection) -> int:
    stat = Path(f"/proc/{conn.info.backend_pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def _copied(conn: psycopg.Connection, *tables: str) -> None:
    for table in tables:
        with conn.cursor() as cursor, cursor.copy(f"copy {table} to stdout") as copy:
            for _ in copy:
                pass


def _measured(what: str, chats: int, run: Callable[[], object], *processes: int) -> Row:
    began, worked = time.monotonic(), sum(map(cpu_of_tree, processes))
    with PeakMemory(lambda: iter([os.getpid()])) as memory:
        run()
    seconds, worked = time.monotonic() - began, sum(map(cpu_of_tree, processes)) - worked
    return {
        "what": what,
        "chats": chats,
        "seconds": seconds,
        "chats_a_second": chats / seconds,
        "cpu_ms_a_chat": worked / chats * 1000,
        "peak_mib": memory.peak / MIB,
    }


def _fill(conn: psycopg.Connection, chats: Iterable[Conversation]) -> None:
    """What the run reads of core, and no more."""
    conn.execute("create schema core")
    conn.execute("create table core.chats (id text primary key, status text, is_deleted boolean, load_id bigint)")
    conn.execute("""
        create table core.messages (chat_id text, incoming boolean, content_type text, text text, caption text,
                                    timestamp timestamptz, position integer)
    """)
    count = 0
    conn.execute(VIEWS)
    with conn.cursor() as cursor, cursor.copy("copy core.messages from stdin") as copy:
        for count, chat in enumerate(chats, start=1):
            for place, one in enumerate(chat.messages):
                at = NOW + timedelta(minutes=one.minutes or 0)
                copy.write_row((str(count - 1), one.incoming, "text", one.text, None, at, place))
    conn.execute("insert into core.chats select n::text, 'closed', false, 1 from generate_series(0, %s) n", [count - 1])
    conn.execute("create index on core.messages (chat_id, timestamp)")
    conn.execute("insert into ops.build_watermarks select m, 1, 0, now() from unnest(array['chats', 'messages']) m")
    conn.execute("analyze core.messages, core.chats")


def _chats(count: int, messages: int, repeated: bool) -> Iterator[Conversation]:
    """The training chats' messages in a row, each time with a word and a number that never were there."""
    chance = random.Random(0)
    training = (read_labelled(file) for file in sorted(TRAINING.glob("*.jsonl")))
    known = cycle([message for chats in training for one in chats for message in one.conversation.messages])
    for _ in range(count):
        yield Conversation(
            tuple(
                Message(
                    one.incoming,
                    one.text if repeated else f"{one.text} {_invented(chance)} {chance.randrange(10**6)}",
                    minutes * 2.0,
                )
                for minutes, one in enumerate(islice(known, messages))
            )
        )


def _invented(chance: random.Random) -> str:
    return "".join(chance.choice("aeiou" if place % 2 else "bcdfglmnprst") for place in range(chance.randrange(4, 9)))


if __name__ == "__main__":
    main()
