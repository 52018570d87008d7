"""A PgBouncer of transactions before a server, as docs/bi_access.md sets it up."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from dagster_project.warehouse import conninfo

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextlib.contextmanager
def pool_before(url: str, folder: Path, *, size: int, clients: int = 100) -> Iterator[str]:
    """Run it before the server of a login's URL; yields the URL through it.

    Args:
        size: sessions of the server that it shares out.
        clients: most connections to it.
    """
    assert PROGRAM, "pgbouncer is not installed"
    login = conninfo.read(url)
    port = _free_port()
    (folder / "users.txt").write_text(f'"{login["user"]}" "{login["password"]}"\n')
    (folder / "pgbouncer.ini").write_text(f"""
[databases]
{login["dbname"]} = host={login["host"]} port={login["port"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder / "users.txt"}
pool_mode = transaction
default_pool_size = {size}
max_client_conn = {clients}
""")
    as_another = ["-u", "postgres"] if os.geteuid() == 0 else []  # it does not run as root
    command = [PROGRAM, "-q", *as_another, str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield conninfo.to_url(login | {"host": "127.0.0.1", "port": str(port)})
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "pgbouncer has ended"
        time.sleep(0.05)
    raise AssertionError("pgbouncer does not listen")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
