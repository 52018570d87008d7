"""Tables that dbt does not own (schemas `raw` and `ops`), made and taken down by Alembic."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from dagster_project.warehouse import connection as warehouse
from dagster_project.warehouse.access import roles
from dagster_project.warehouse.migrations import monthly
from dagster_project.warehouse.migrations.months import MOVES

VERSION_SCHEMA = "ops"
# One migration at a time. Any role may take an advisory lock, BI's too, so that one only stands in for the first
# migration, which makes the table to lock.
_LOCK = f"""
    do $$ begin
        if to_regclass('{VERSION_SCHEMA}.alembic_version') is null then
            perform pg_advisory_xact_lock({0x62326D69});
        else
            lock table {VERSION_SCHEMA}.alembic_version in exclusive mode;
        end if;
    end $$
"""


class NewerWarehouse(Exception):
    """The warehouse was migrated by a newer version of this program than the one that runs."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to a revision; nothing happens where it is there already.

    Raises:
        NewerWarehouse: it is at a revision that this program does not know.
    """
    at = current(url)
    if at and at not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise NewerWarehouse(f"the warehouse is at revision {at}, of a newer version: update this program")
    for move in MOVES:
        if at and at < move.after <= (newest() if revision == "head" else revision):
            _run(url, partial(command.upgrade, revision=move.before))
            monthly.copy_ahead(move.tables, partial(_at, url, move.before))
    _run(url, lambda config: command.upgrade(config, revision))
    if at != current(url):
        with warehouse.connect(url, autocommit=True) as conn:
            roles.restore(conn)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` down to a revision ("base": none of our tables). Data in dropped tables is lost."""
    _run(url, lambda config: command.downgrade(config, revision))


def current(url: str) -> str | None:
    """The revision that the database is at."""
    engine = _engine(url)
    with engine.connect() as connection:
        return MigrationContext.configure(
            connection, opts={"version_table_schema": VERSION_SCHEMA}
        ).get_current_revision()


def newest() -> str:
    """The revision that this code wants."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _run(url: str, work: Callable[[Config], None]) -> None:
    engine = _engine(url)
    with engine.begin() as connection:
        connection.execute(text(_LOCK))
        connection.execute(text(f"create schema if not exists {VERSION_SCHEMA}"))
        config = _config()
        config.attributes["connection"] = connection
        work(config)


@contextmanager
def _at(url: str, before: str) -> Iterator[monthly.Run | None]:
    """A transaction of the copy into months, at the revision before it; None where another process has finished it."""
    with _engine(url).begin() as connection:
        connection.execute(text(_LOCK))
        [at] = run(connection, "select version_num from ops.alembic_version") or [None]
        yield partial(run, connection) if at == before else None


def run(connection: Connection, statement: str) -> Sequence[Any] | None:
    """Run a statement that has no parameters. Returns its first row, where it has rows."""
    found = connection.execute(text(statement.replace(":", "\\:")))
    return found.first() if found.returns_rows else None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _engine(url: str) -> Engine:
    """SQLAlchemy on our own connections: it would read the URL by other rules."""
    return create_engine("postgresql+psycopg://", creator=lambda: warehouse.connect(url), poolclass=NullPool)
