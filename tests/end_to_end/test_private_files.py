"""What lies in the data folder may hold what customers said: it is open to its owner alone."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

Run = Callable[..., subprocess.CompletedProcess[str]]


def open_to_others(folder: Path) -> Iterator[tuple[str, str]]:
    """Paths that others can list, read or write, with their modes; the server's own folder is left out."""
    for place, folders, files in os.walk(folder):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name != "pg"]
        for path in (Path(place), *(Path(place, name) for name in files)):
            if not path.is_symlink() and path.lstat().st_mode & 0o067:
                yield str(path.relative_to(folder)), oct(path.lstat().st_mode)


def test_all_that_a_run_leaves_is_its_owners_alone_also_what_an_older_version_left_open(
    b2chat: Run, database_url: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / "dagster" / "storage").mkdir(parents=True)
    (data / "logs").mkdir()
    for path in (data / "logs" / "dbt.log", data / "dagster" / "storage" / "old.out", data / "sandbox.txt"):
        path.write_text("what a customer said")
        path.chmod(0o644)
    for folder in (data, *(path for path in data.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    outside = tmp_path / "outside"
    outside.write_text("somebody else's")
    outside.chmod(0o644)
    (data / "link").symlink_to(outside)

    done = b2chat(
        "refresh", "--json", DATABASE_URL=database_url, B2CHAT_DATA_DIR=str(data), B2CHAT_SANDBOX="generated",
        B2CHAT_SANDBOX_DAYS="2", B2CHAT_SANDBOX_CHATS_PER_DAY="3")  # fmt: skip
    assert done.returncode == 0, done.stderr
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) > 0 from raw.chats").fetchone() == (True,)
    assert (data / "dagster").is_dir() and (data / "sandbox.json").is_file()
    assert list(open_to_others(data)) == []
    assert outside.stat().st_mode & 0o777 == 0o644
