"""What all tests share: one throw-away Postgres, and a fresh migrated database for each test that asks for one."""

import itertools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from dagster_project.warehouse import embedded, migrations

CARE = Path(__file__).resolve().parents[2] / "shared" / "data" / "care_dev.json"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_url(new_folder: Callable[[], str]) -> Iterator[str]:
    with embedded.running(Path(new_folder()) / "pg", throwaway=True) as url:
        yield url


@pytest.fixture(scope="session")
def template_database(server_url: str) -> str:
    """A migrated database that each test's own is copied from."""
    migrations.upgrade(_create_database(server_url, "template_migrated"))
    return "template_migrated"


@pytest.fixture(scope="session")
def new_database(server_url: str, template_database: str) -> Callable[[], str]:
    """Makes fresh, migrated databases; returns the URL of each."""
    return lambda: _create_database(server_url, f"test_{next(_numbers)}", template_database)


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of a fresh, migrated database."""
    return new_database()


@pytest.fixture(scope="session")
def care_file() -> Path:
    """The real conversations, read where they lie."""
    if not CARE.is_file():
        pytest.skip("THE REAL CONVERSATIONS ARE ABSENT: ../shared/data/care_dev.json is not beside this project")
    return CARE


def _create_database(server_url: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"')  # type: ignore[arg-type]
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def new_folder() -> Iterator[Callable[[], str]]:
    """Makes folders that any account can reach: as root, Postgres runs as another one."""
    with tempfile.TemporaryDirectory(prefix="b2chat-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)

        def make() -> str:
            made = Path(tempfile.mkdtemp(dir=folder))
            made.chmod(0o755)
            return str(made)

        yield make


@pytest.fixture(scope="session")
def b2chat(new_folder: Callable[[], str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line as a user does: `b2chat("demo", "--json", DATABASE_URL=…)`, in a data folder of its own."""
    program = Path(sys.executable).parent / "b2chat"
    own = {name: value for name, value in os.environ.items() if not name.startswith(("B2CHAT", "PG", "POSTGRES"))}

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        folder = variables.pop("B2CHAT_DATA_DIR", "") or new_folder()
        return subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            cwd=folder,
            env=own | {"B2CHAT_DATA_DIR": folder, "COLUMNS": "120"} | variables,
        )

    return run


@pytest.fixture
def unused_port() -> int:
    """A TCP port on which nothing answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
