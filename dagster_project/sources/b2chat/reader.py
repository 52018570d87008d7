"""Answers read and validated in a process of their own: one core reads a page while another lands the one before.

The process is told through its input what to read, and says through its output what it read. It ends when its input
does: also when the process that started it was killed. It knows no account and asks nobody.
"""

import gc
import logging
import os
import pickle
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from dagster_project.sources.b2chat.answers import UnreadableAnswer, keys_digest, read_envelope
from dagster_project.sources.b2chat.records import KEY_FIELD, Entity, read_record
from dagster_project.sources.contract import Record, Rejected

log = logging.getLogger(__name__)

# A sync of few pages is over before the process has started; one page of a thousand chats has 4 MiB.
FIRST_ANSWERS = 2
MIN_BYTES = 2**18
# Two answers may be in memory at once, one in each process: a larger one is not sent away.
MAX_BYTES = 2**23
_HEADER = struct.Struct("!8sQ")


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What an answer holds: its records, each validated, in their order.

    Attributes:
        exported: how many the answer says it holds.
        total: how many match in all, says the answer.
        keys_digest: as `answers.keys_digest` makes it of the records as they came.
    """

    records: list[Record | Rejected]
    exported: int | None
    total: int
    keys_digest: str


class AnswerReader:
    """Reads answers in a process, from the third large one on. Close it at the end; not for several threads at once."""

    def __init__(self) -> None:
        self._large_answers = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._is_useful = len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else True

    def read(self, body: bytes, entity: Entity) -> ReadAnswer | None:
        """What an answer holds; None where the caller had better read it: it is small, far too large, among the first,
        unreadable, or the process has ended."""
        if not self._is_useful or not MIN_BYTES <= len(body) <= MAX_BYTES:
            return None
        self._large_answers += 1
        if self._large_answers <= FIRST_ANSWERS:
            return None
        try:
            return self._ask(body, entity)
        except (OSError, EOFError, pickle.UnpicklingError):
            log.warning("The process that reads answers has ended; they are read without it")
            self.close()
            return None

    def close(self) -> None:
        """End the process."""
        self._is_useful = False
        process, self._process = self._process, None
        if process:
            process.kill()
            with suppress(BrokenPipeError), process:  # closes the pipes, and waits for its end
                pass

    def _ask(self, body: bytes, entity: Entity) -> ReadAnswer | None:
        if self._process is None:
            command = [sys.executable, "-m", __name__]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        asked, said = self._process.stdin, self._process.stdout
        assert asked
        assert said
        asked.write(_HEADER.pack(entity.encode(), len(body)))
        asked.write(body)
        asked.flush()
        answer = pickle.load(said)
        return ReadAnswer(*answer) if answer else None


def _serve(asked: BinaryIO, said: BinaryIO) -> None:
    while header := asked.read(_HEADER.size):
        name, size = _HEADER.unpack(header)
        entity: Entity = "chats" if name.rstrip(b"\0") == b"chats" else "contacts"
        said.write(pickle.dumps(_read(asked.read(size), entity), pickle.HIGHEST_PROTOCOL))
        said.flush()


def _read(body: bytes, entity: Entity) -> tuple[list[Record | Rejected], int | None, int, str] | None:
    """The fields of a `ReadAnswer`; None where the answer cannot be read."""
    try:
        envelope = read_envelope(body, entity)
    except UnreadableAnswer:
        return None
    records = [read_record(entity, item) for item in envelope.items]
    return records, envelope.exported, envelope.total, keys_digest(envelope.items, KEY_FIELD[entity])


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    gc.disable()  # nothing that is parsed goes in circles, and the collector would walk through all of it
    _serve(sys.stdin.buffer, sys.stdout.buffer)
