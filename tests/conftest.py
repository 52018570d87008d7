"""What all tests share: one throw-away Postgres, and a fresh migrated database for each test that asks for one."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from dagster_project.warehouse import embedded, migrations

CARE = Path(__file__).resolve().parents[2] / "shared" / "data" / "care_dev.json"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="b2chat-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg", throwaway=True) as url:
            yield url


@pytest.fixture(scope="session")
def template_database(server_url: str) -> str:
    """A migrated database that each test's own is copied from."""
    migrations.upgrade(_create_database(server_url, "template_migrated"))
    return "template_migrated"


@pytest.fixture
def database_url(server_url: str, template_database: str) -> str:
    """The URL of a fresh, migrated database."""
    return _create_database(server_url, f"test_{next(_numbers)}", template_database)


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
