"""Schemas of operational databases that we own: made, changed and taken down by their own migrations.

Each may lie in the warehouse or in any other Postgres (15 or newer). A source that has one names it (`OwnSchema`) and
has `versions/` and `sql/` beside it; what they share is in `sql/` here: roles, the stamp of each write, monthly
partitions, and where functions look for names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from dagster_project.warehouse import connection

_HERE = Path(__file__).parent
_LOCK = """
    do $$ begin
        if to_regclass('{schema}.alembic_version') is null then
            perform pg_advisory_xact_lock(hashtext('schema {schema}'));
        else
            lock table {schema}.alembic_version in exclusive mode;
        end if;
    end $$
"""


@dataclass(frozen=True, slots=True)
class OwnSchema:
    """A schema, and where its migrations are.

    Attributes:
        roles: all that it needs on the server; the first one owns it.
        folder: holds `versions/` and `sql/`.
    """

    name: str
    roles: tuple[str, ...]
    folder: Path

    def upgrade(self, url: str, revision: str = "head") -> None:
        """Bring the schema in the database at `url` up to a revision; nothing happens where it is there already.

        Args:
            url: of a user who may create roles, or is a member of its roles, and may create schemas.
        """
        self._run(url, lambda config: command.upgrade(config, revision))

    def downgrade(self, url: str, revision: str = "base") -> None:
        """Take the schema down to a revision ("base": none of its tables). Data in dropped tables is lost."""
        self._run(url, lambda config: command.downgrade(config, revision))

    def current(self, url: str) -> str | None:
        """The revision that the schema is at; None where it is not there."""
        with _engine(url).connect() as bind:
            return MigrationContext.configure(bind, opts={"version_table_schema": self.name}).get_current_revision()

    def newest(self) -> str:
        """The revision that this code wants."""
        return str(ScriptDirectory.from_config(self._config()).get_current_head())

    def run_files(self, bind: Connection, *names: str) -> None:
        """Run files of its `sql/` on the connection of a migration, in this order, in its transaction."""
        self._execute(bind, self.folder / "sql", names)

    def run_shared(self, bind: Connection, *names: str) -> None:
        """Run files that all such schemas share, likewise."""
        self._execute(bind, _HERE / "sql", names)

    def _execute(self, bind: Connection, folder: Path, names: tuple[str, ...]) -> None:
        cursor = bind.connection.cursor()
        for name in names:
            statements = (folder / f"{name}.sql").read_text(encoding="utf-8")
            if folder.parent == _HERE:
                roles = ", ".join(f"'{role}'" for role in self.roles)
                statements = statements.replace("{schema}", self.name).replace("{roles}", roles)
            cursor.execute(statements)
        cursor.close()

    def _run(self, url: str, work: Callable[[Config], None]) -> None:
        with _engine(url).begin() as bind:
            bind.execute(text(_LOCK.replace("{schema}", self.name)))
            self.run_shared(bind, "roles")
            bind.execute(text(f"set local role {self.roles[0]}"))
            config = self._config()
            config.attributes["connection"] = bind
            config.attributes["schema"] = self.name
            work(config)
            self.run_shared(bind, "pin")

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(_HERE))
        config.set_main_option("version_locations", str(self.folder / "versions"))
        config.set_main_option("path_separator", "os")
        return config


def _engine(url: str) -> Engine:
    """SQLAlchemy on our own connections: it would read the URL by other rules."""
    return create_engine("postgresql+psycopg://", creator=lambda: connection.connect(url), poolclass=NullPool)
