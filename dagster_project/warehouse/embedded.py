"""The embedded Postgres: packaged programs, a data folder of the user's choice, TCP and a password.

Every process that needs the server holds a lease (a shared file lock) for as long as it runs. The first one starts the
server, the last one to leave stops it. A killed process loses its lease with its life, so nothing is left to clean up.
"""

import contextlib
import fcntl
import logging
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from dagster_project.warehouse import binaries, private_files
from dagster_project.warehouse.binaries import Binaries, PostgresMissing
from dagster_project.warehouse.private_files import NotOurs, PrivateFolder

log = logging.getLogger(__name__)

USER = DATABASE = "b2chat"
START_SECONDS = 60
SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "max_connections": "100",
    "max_locks_per_transaction": "256",  # a table of many months takes a lock for each of them and of their indexes
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "log_min_messages": "warning",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
# Whoever listens on our port while the server is down must not be sent the password: only a proof of it.
AUTHENTICATION = "scram-sha-256"
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgresFailed(PostgresMissing):
    """The embedded server could not be started; the text says why and where its log is."""


@contextlib.contextmanager
def running(folder: Path, *, port: int = 0, pg_bin: Path | None = None, throwaway: bool = False) -> Iterator[str]:
    """Lease the embedded server that lives in a folder; start it where it does not run yet.

    Args:
        folder: its home; made where missing. Deleting it, with the server stopped, deletes all data.
        port: TCP port on 127.0.0.1; 0 keeps the one of the last start, or picks a free one.
        pg_bin: folder with Postgres' programs, instead of the packaged ones.
        throwaway: trade durability for speed; for tests.

    Yields:
        its URL, postgresql://user:password@127.0.0.1:port/database.

    Raises:
        PostgresMissing: there are no programs, or the server does not start.
    """
    programs = binaries.find(pg_bin)
    with _home(folder) as home, home.open("lease.lock") as lease:
        if home.path != folder:
            log.warning("%s cannot be reached by the account that runs Postgres: data is in %s", folder, home.path)
        with _locked(home):
            fcntl.flock(lease, fcntl.LOCK_SH)
            url = _start(programs, home, port, throwaway)
        try:
            yield url
        finally:
            with _locked(home):
                fcntl.flock(lease, fcntl.LOCK_UN)
                if _is_last(lease) and home.read("keep") is None:
                    _stop(programs, home.path / programs.major, "immediate" if throwaway else "fast")


def keep(folder: Path, wanted: bool) -> None:
    """Let the server of a folder go on when its last user leaves (`b2chat db up`), or not any more (`db down`)."""
    with _home(folder) as home:
        if wanted:
            home.write("keep", "")
        else:
            home.remove("keep")


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[PrivateFolder]:
    try:
        with binaries.home_of(folder) as home:
            yield home
    except NotOurs as error:
        raise EmbeddedPostgresFailed(str(error)) from None


def _start(programs: Binaries, home: PrivateFolder, port: int, throwaway: bool) -> str:
    data = home.path / programs.major
    if not (data / "PG_VERSION").exists():
        _create(programs, home, throwaway)
    password = home.read("password")
    if password is None:
        raise EmbeddedPostgresFailed(f"{home.path} has data, but no password to it: the file `password` is gone")
    kept = int(home.read("port") or 0)
    if kept and _answers(_url(password, kept), data):
        return _url(password, kept)
    port = port or (kept if kept and _is_free(kept) else _free_port())
    _start_server(programs, data, port, password)
    home.write("port", str(port))
    return _url(password, port)


def _create(programs: Binaries, home: PrivateFolder, throwaway: bool) -> None:
    data = home.path / programs.major
    log.info("creating the embedded Postgres %s in %s", programs.major, data)
    password = secrets.token_urlsafe(24)
    home.write("password", password)
    home.give_folder(data.name, *programs.owner)
    with _readable_by(programs, password) as password_file:
        _run(
            programs,
            data,
            "initdb",
            "--pgdata",
            data,
            "--username",
            USER,
            "--pwfile",
            password_file,
            "--auth",
            AUTHENTICATION,
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            *(["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"] if int(programs.major) >= 17 else []),
        )
    settings = SETTINGS | (THROWAWAY if throwaway else {})
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    private_files.append(data / "postgresql.conf", lines, owner=programs.owner[0])


@contextlib.contextmanager
def _readable_by(programs: Binaries, text: str) -> Iterator[Path]:
    """A file that the server's account alone can read, besides us, for as long as this lasts."""
    fd, path = tempfile.mkstemp(dir="/tmp")  # the account cannot reach every folder that TMPDIR might name
    try:
        with os.fdopen(fd, "w") as file:
            file.write(text)
            os.fchown(fd, *programs.owner)
        yield Path(path)
    finally:
        Path(path).unlink(missing_ok=True)


def _start_server(programs: Binaries, data: Path, port: int, password: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _run(
                programs,
                data,
                "pg_ctl",
                "start",
                "--pgdata",
                data,
                "--wait",
                "--timeout",
                str(START_SECONDS),
                "--log",
                data / "server.log",
                "--options",
                # An error's details are rows of the data; the database audit judges statements by their counters.
                f"-p {port} -c log_error_verbosity=terse -c shared_preload_libraries=pg_stat_statements",
            )
            break
        except EmbeddedPostgresFailed:
            # After a kill -9 the dead server's lock file stands until the system has reaped it.
            if time.monotonic() > deadline or not (data / "postmaster.pid").exists():
                raise
            time.sleep(0.3)
    with psycopg.connect(_url(password, port, "postgres"), autocommit=True, require_auth=AUTHENTICATION) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f"create database {DATABASE}")
            _make_logins_cheap(connection, password)
        # Nobody but the server's owner has anything to do there; any role may fill the disk in what it may enter.
        connection.execute("revoke all on database postgres, template1 from public")


def _make_logins_cheap(connection: psycopg.Connection, password: str) -> None:
    """Hash our password once, not 4,096 times in each of a build's 400 logins: nobody guesses 24 random bytes."""
    if connection.info.server_version >= 160000:
        connection.execute("set scram_iterations = 1")
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(USER), password))


def _stop(programs: Binaries, data: Path, mode: str) -> None:
    with contextlib.suppress(EmbeddedPostgresFailed):
        _run(programs, data, "pg_ctl", "stop", "--pgdata", data, "--mode", mode, "--wait", "--timeout", "60")


def _run(programs: Binaries, data: Path, program: str, *arguments: str | Path) -> None:
    try:
        programs.run(program, *arguments)
    except subprocess.CalledProcessError as error:
        tail = " | ".join(error.output.strip().splitlines()[-3:])
        raise EmbeddedPostgresFailed(
            f"the embedded Postgres failed ({program}): {tail}; its log: {data / 'server.log'}"
        ) from None


def _answers(url: str, data: Path) -> bool:
    """Whether this very data folder's server answers: another program may have taken the port meanwhile."""
    try:
        with psycopg.connect(url, connect_timeout=5, require_auth=AUTHENTICATION) as connection:
            return connection.execute("show data_directory").fetchone() == (str(data),)
    except psycopg.Error:
        return False


def _is_last(lease: IO[str]) -> bool:
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _locked(home: PrivateFolder) -> Iterator[None]:
    with home.open("start.lock") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _url(password: str, port: int, database: str = DATABASE) -> str:
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{database}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
