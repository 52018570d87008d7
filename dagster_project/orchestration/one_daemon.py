"""One daemon at a time works on a warehouse: two would start each schedule's run twice. A second one stands by.

Whoever opens the UI beside the services, or starts the daemon on two machines, has a second one. It takes over when the
first is gone.
"""

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import dagster as dg
import psycopg

from dagster_project.warehouse import connection, locks

_LOCK = ("daemon", "warehouse")
_PAUSE = 1.0  # seconds between two tries
_LOOK = 5.0  # seconds between two looks whether the lock is still ours

_held: list[psycopg.Connection] = []


def wait_for_turn() -> None:
    """Where this process is Dagster's daemon: wait until no other works on this warehouse, then keep others waiting.

    Raises:
        KeyboardInterrupt: the process got SIGINT or SIGTERM while it waited.
    """
    program, *arguments = sys.argv
    is_daemon = Path(program).name == "dagster-daemon" or Path(program).parent.name == "_daemon"
    if _held or not (is_daemon and arguments[:1] == ["run"]):
        return
    conn = _connect()
    told = False
    try:
        # Dagster has its signals captured by now, for a loop that has not begun.
        with dg.raise_execution_interrupts():
            while not locks.try_take(conn, *_LOCK):
                if not told and (holder := locks.holder(conn, *_LOCK)):
                    _say(f"stands by, because {holder[0]} is at work since {holder[1]:%F %T} UTC: one at a time")
                    told = True
                time.sleep(_PAUSE)
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    if told:
        _say("takes over")
    _held.append(conn)
    threading.Thread(target=_keep, daemon=True).start()


def _keep() -> None:
    """Hold the lock as long as this process lives; end it where another one got the lock while Postgres was away."""
    while True:
        time.sleep(_LOOK)
        try:
            _held[0].execute("select 1")
        except psycopg.Error:
            try:
                _held[0] = _connect()
                if locks.try_take(_held[0], *_LOCK):
                    continue
            except psycopg.Error:
                continue  # nothing works without the warehouse, so nobody else is at work
            _say("lost the warehouse, and another one has taken over: this one ends")
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _connect() -> psycopg.Connection:
    conn = connection.connect(autocommit=True)
    name = f"dagster-daemon, process {os.getpid()} on {socket.gethostname()[:24]}"
    conn.execute("select set_config('application_name', %s, false)", [name])
    return conn


def _say(what: str) -> None:
    # Dagster configures its loggers later.
    print(f"b2chat: this dagster-daemon {what}", file=sys.stderr, flush=True)  # noqa: T201
