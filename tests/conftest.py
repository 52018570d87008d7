"""What all tests share: one throw-away Postgres, and a fresh migrated database for each test that asks for one."""

import gc
import itertools
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from dagster_project.warehouse import embedded, migrations
from tests.support.command_host import PROGRAM

# Nobody's own settings are read by tests.
os.environ["B2CHAT_ENV_FILE"] = os.devnull
SHARED = Path(__file__).resolve().parents[2] / "shared"
CARE = SHARED / "data" / "care_dev.json"
INVENTED = Path(__file__).parent / "data" / "conversations.json"


def pytest_configure(config: pytest.Config) -> None:
    """Parse the dbt project once, before workers that would do it at the same time, in the same folder."""
    # What Dagster and dbt import stays, and the collector walked it again and again: a quarter of the time.
    gc.set_threshold(50_000)
    if not hasattr(config, "workerinput"):
        from dagster_project.orchestration.dbt_project import manifest  # seconds, and workers need it for themselves

        manifest()


def pytest_report_header() -> str:
    return f"conversations: {'the real ones' if CARE.is_file() else 'thirty of our own making, as ../shared is absent'}"


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    """What a module's tests put into the environment is gone after it: the next one may be any other."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


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
def _names_in_use() -> set[str]:
    return set()


@pytest.fixture(scope="module")
def new_database(server_url: str, template_database: str, _names_in_use: set[str]) -> Iterator[Callable[[], str]]:
    """Makes fresh, migrated databases, which stand as long as the module's tests; returns the URL of each."""
    with ExitStack() as databases:
        yield lambda: databases.enter_context(_database(server_url, template_database, _names_in_use))


@pytest.fixture
def database_url(server_url: str, template_database: str, _names_in_use: set[str]) -> Iterator[str]:
    """The URL of a fresh, migrated database, for one test."""
    with _database(server_url, template_database, _names_in_use) as url:
        yield url


@pytest.fixture(scope="session")
def conversations_file() -> Path:
    """The real conversations where they are, else thirty of our own making."""
    return CARE if CARE.is_file() else INVENTED


@contextmanager
def _database(server_url: str, template: str, names_in_use: set[str]) -> Iterator[str]:
    """A database by the lowest free name: dbt parses the project anew for each name that it has not met."""
    name = next(name for name in (f"test_{number}" for number in itertools.count(1)) if name not in names_in_use)
    names_in_use.add(name)
    yield _create_database(server_url, name, template)
    _execute(server_url, f'drop database "{name}" with (force)')
    names_in_use.remove(name)


def _create_database(server_url: str, name: str, template: str = "template1") -> str:
    _execute(server_url, f'create database "{name}" template "{template}"')
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def _execute(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


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
    """Runs the command line as a user does: `b2chat("sync", "--json", DATABASE_URL=…)`, in a data folder of its own."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments],
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
            **_as_a_user(variables, new_folder),
        )

    return run


@pytest.fixture(scope="session")
def b2chat_process(new_folder: Callable[[], str]) -> Callable[..., AbstractContextManager[subprocess.Popen[bytes]]]:
    """Starts the command line, and stops it as a terminal does at the end."""

    @contextmanager
    def start(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_as_a_user(variables, new_folder),
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    return start


def _as_a_user(variables: dict[str, str], new_folder: Callable[[], str]) -> dict[str, Any]:
    """Folder and environment of a program that a user starts: nothing of ours but what is given."""
    folder = variables.get("B2CHAT_DATA_DIR") or new_folder()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("B2CHAT", "PG", "POSTGRES"))}
    ours = {"COLUMNS": "120", "B2CHAT_ENV_FILE": os.devnull}
    return {"cwd": folder, "env": own | ours | variables | {"B2CHAT_DATA_DIR": folder}}


@pytest.fixture(scope="session")
def unused_ports() -> Callable[[], int]:
    """Finds TCP ports on which nothing answers."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(scope="module")
def unused_port(unused_ports: Callable[[], int]) -> int:
    """A TCP port on which nothing answers."""
    return unused_ports()
