"""The schema `rooms`, an operational database of chat rooms: made, changed and taken down by its own migrations.

It may lie in the warehouse or in any other Postgres (15 or newer). Its files of SQL are in `sql/`, by subject; what the
schema is, and who may do what in it, is in docs/rooms.md.
"""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from dagster_project.sources.rooms.schema.run import run_files
from dagster_project.warehouse import connection

OWNER, APP, READER, SUPERVISOR = ROLES = ("rooms_owner", "rooms_app", "rooms_reader", "rooms_supervisor")
_LOCK = """
    do $$ begin
        if to_regclass('rooms.alembic_version') is null then
            perform pg_advisory_xact_lock(7237111);
        else
            lock table rooms.alembic_version in exclusive mode;
        end if;
    end $$
"""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema `rooms` of the database at `url` up to a revision; nothing happens where it is there already.

    Args:
        url: of a user who may create roles, or is a member of the four, and may create schemas.
    """
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str = "base") -> None:
    """Take the schema down to a revision ("base": none of its tables). Data in dropped tables is lost."""
    _run(url, lambda config: command.downgrade(config, revision))


def current(url: str) -> str | None:
    """The revision that the schema is at; None where it is not there."""
    with _engine(url).connect() as bind:
        return MigrationContext.configure(bind, opts={"version_table_schema": "rooms"}).get_current_revision()


def newest() -> str:
    """The revision that this code wants."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _run(url: str, work: Callable[[Config], None]) -> None:
    with _engine(url).begin() as bind:
        bind.execute(text(_LOCK))
        run_files(bind, "roles")
        bind.execute(text("set local role rooms_owner"))
        config = _config()
        config.attributes["connection"] = bind
        work(config)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _engine(url: str) -> Engine:
    """SQLAlchemy on our own connections: it would read the URL by other rules."""
    return create_engine("postgresql+psycopg://", creator=lambda: connection.connect(url), poolclass=NullPool)
