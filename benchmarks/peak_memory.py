"""What process trees use, from /proc: peak memory, each page counted once however many share it, and CPU time."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

SECONDS_BETWEEN_SAMPLES = 0.5


class PeakMemory:
    """While it lasts, watches the processes of some roots and all their descendants, together.

    `peak` is the largest sum of their PSS seen, in bytes.

    Args:
        roots: tells the roots' ids anew for each sample; those that do not run are passed over.
    """

    def __init__(self, roots: Callable[[], Iterator[int]]) -> None:
        self.peak = 0
        self._roots = roots
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SECONDS_BETWEEN_SAMPLES):
            self.peak = max(self.peak, sum(_pss(process) for process in _with_descendants(set(self._roots()))))


def peak_of(process: int) -> int:
    """The largest resident memory that one process ever had, in bytes, as the kernel keeps it."""
    return _kib(Path(f"/proc/{process}/status"), "VmHWM:")


def cpu_of_tree(process: int) -> float:
    """Seconds that a process, its children and those of them that have ended have worked."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == process:
            ticks += sum(map(int, fields[11:15]))  # its own, and those of the children that it has waited for
        elif int(fields[1]) == process:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _with_descendants(roots: set[int]) -> set[int]:
    children = defaultdict(set)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold blanks and brackets; the parent comes second after it.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children[parent].add(int(stat.parent.name))
    found: set[int] = set()
    while roots:
        found |= roots
        roots = {child for process in roots for child in children[process]} - found
    return found


def _pss(process: int) -> int:
    return _kib(Path(f"/proc/{process}/smaps_rollup"), "Pss:")


def _kib(file: Path, name: str) -> int:
    try:
        line = next(line for line in file.read_text().splitlines() if line.startswith(name))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) * 1024
