"""pg_dump and pg_restore: which of them serve a server, and how they are run, with no secret in what others can see."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dagster_project.warehouse import binaries, conninfo, session
from dagster_project.warehouse.backup.folder import BackupFailed

_LOOK = 5  # seconds between two looks at how far a program is
_OF_THE_SYSTEM = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PGREQUIREAUTH")
_STRICT_SINCE = 17  # from this version on pg_restore says `set transaction_timeout`, which older servers refuse


@dataclass(frozen=True)
class Programs:
    """The programs of one version."""

    folder: Path
    major: int

    @property
    def compression(self) -> str:
        """The quicker way to compress that this build knows."""
        return "zstd:3" if self.major >= 16 and "zstd" in _built_with(self.folder) else "1"

    def run(
        self,
        program: str,
        arguments: list[str],
        url: str,
        scratch: Path,
        name: str,
        on_look: Callable[[], None] = lambda: None,
    ) -> None:
        """Run one of them on a database, to its end.

        Args:
            url: the database; its password goes by a file of `scratch` that is gone at the end.
            scratch: a folder that is open to us alone.
            name: by which the server knows its sessions.
            on_look: called every few seconds while it runs.

        Raises:
            BackupFailed: it failed; its own first reason.
        """
        # Not in the scratch folder: where its disk is full, the reason would not fit in either.
        with _environment(url, scratch, name) as variables, tempfile.TemporaryFile("w+", errors="replace") as output:
            child = subprocess.Popen(
                [self.folder / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=variables,
                umask=0o077,
            )
            try:
                while True:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        child.wait(_LOOK)
                        break
                    on_look()
            finally:
                _end(child)
            output.seek(0)
            reason = _reason(output.read())
        if child.returncode:
            raise BackupFailed(f"{program}: {reason or f'it ended with {child.returncode}'}")


def of_server(conn: psycopg.Connection, chosen: Path | None, *, to_restore: bool = False) -> Programs:
    """The programs of the server's own version, else of the next newer one that there is.

    Args:
        chosen: a folder with them, instead of the packaged ones.

    Raises:
        BackupFailed: there are none that serve it; the text says what to install.
    """
    wanted, needs_tls = conn.info.server_version // 10000, conn.pgconn.ssl_in_use
    found: dict[int, Path] = {}
    on_path = shutil.which("pg_dump")
    for folder in [*binaries.candidates(chosen), *([Path(on_path).parent] if on_path and not chosen else [])]:
        if (folder / "pg_dump").exists() and not (needs_tls and _speaks_no_tls(folder)):
            found.setdefault(_major(folder), folder)
    serving = sorted(major for major in found if major >= wanted)
    if to_restore and wanted < _STRICT_SINCE:
        serving = [major for major in serving if major < _STRICT_SINCE]
    if not serving:
        which = "pg_restore" if to_restore else "pg_dump"
        tls = " with TLS" if needs_tls else ""
        raise BackupFailed(
            f"there is no {which} for Postgres {wanted}{tls} here: install postgresql-client-{wanted}, "
            "or name its folder in B2CHAT_PG_BIN"
        )
    return Programs(found[serving[0]], serving[0])


@contextlib.contextmanager
def _environment(url: str, scratch: Path, name: str) -> Iterator[dict[str, str]]:
    """Variables of one database and nothing else of ours; the password is in a file, where it can be."""
    parameters = conninfo.read(url)
    password = parameters.pop("password", None)
    system = {variable: os.environ[variable] for variable in _OF_THE_SYSTEM if variable in os.environ}
    ours = {"LC_ALL": "C", "PGCLIENTENCODING": "UTF8", "PGOPTIONS": session.OPTIONS, "PGAPPNAME": name}
    variables = system | conninfo.to_environment(parameters) | ours
    if password is None or "\n" in password:
        yield variables | ({"PGPASSWORD": password} if password else {})
        return
    file = scratch / ".password"
    escaped = re.sub(r"([\\:])", r"\\\1", password)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(f"*:*:*:*:{escaped}\n")
    try:
        yield variables | {"PGPASSFILE": str(file)}
    finally:
        file.unlink(missing_ok=True)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        child.kill()
        child.wait()


def _reason(said: str) -> str | None:
    """The first error, as one line; what the server quotes of rows is left out."""
    found = re.search(r"error: (.*)", said)
    return re.sub(r"(ERROR:[^\"]*: )\".*", r"\1…", found[1]).strip() if found else None


def _major(folder: Path) -> int:
    answer = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=True)
    return int(re.sub(r".*?(\d+).*", r"\1", answer.stdout.strip(), count=1))


def _speaks_no_tls(folder: Path) -> bool:
    built = _built_with(folder)
    return bool(built) and "openssl" not in built and "with-ssl" not in built


def _built_with(folder: Path) -> str:
    if not (folder / "pg_config").exists():
        return ""
    return subprocess.run([folder / "pg_config", "--configure"], capture_output=True, text=True, check=False).stdout
