"""The way to the warehouse: which Postgres, under which names the tools want it, and connections to it."""

import contextlib
import os
from collections.abc import Iterator

import psycopg

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import conninfo, embedded, session
from dagster_project.warehouse.conninfo import Parameters

APPLICATION = "b2chat"

# A dead network cannot hold a connection for ever.
_TIMEOUTS = {"connect_timeout": "15", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}


@contextlib.contextmanager
def warehouse(settings: Settings) -> Iterator[str]:
    """The warehouse's URL: the Postgres that the settings name, else the embedded one, leased while this lasts.

    The URL says all: libpq's variables leave this process's environment, after the named server's address has taken
    from them what it lacks, so that each driver, here and in child processes, meets the same server in the same way.

    Raises:
        SettingsError: the named Postgres cannot be reached.
        PostgresMissing: the embedded one cannot be started.
    """
    named = _named(settings)
    if named:
        setting, parameters = named
        parameters = conninfo.protected(conninfo.complete(parameters, setting), settings.plain_hosts, setting)
        parameters = _answering(parameters, setting)
        conninfo.clear_environment()
        yield conninfo.to_url(parameters)
    else:
        conninfo.clear_environment()
        os.environ["PGREQUIREAUTH"] = embedded.AUTHENTICATION
        with embedded.running(settings.data_path / "pg", port=settings.pg_port, pg_bin=settings.pg_bin) as url:
            yield url


def configured_url(settings: Settings) -> str | None:
    """The URL of the Postgres that the settings name; None means the embedded one."""
    named = _named(settings)
    return conninfo.to_url(named[1]) if named else None


def environment(url: str) -> dict[str, str]:
    """The warehouse under the names that each tool reads.

    Returns:
        DATABASE_URL (ours), PG* (whatever speaks by libpq: Dagster, dbt, psql) and DAGSTER_PG_URL: Dagster's storage is
        in the schema `dagster`, on the connection that PG* describe.
    """
    from sqlalchemy.engine import URL  # noqa: PLC0415  nothing that `b2chat --help` waits for

    parameters = conninfo.read(url)
    options = _options(parameters)
    # The driver is named because SQLAlchemy 2.1 takes a bare postgresql:// for psycopg 3, which dagster-postgres does
    # not speak.
    storage = URL.create("postgresql+psycopg2", query={"options": f"{options} -csearch_path=dagster"})
    return conninfo.to_environment(parameters) | {
        "DATABASE_URL": url,
        "PGCLIENTENCODING": "UTF8",
        "PGOPTIONS": options,
        "DAGSTER_PG_URL": storage.render_as_string(),
    }


def connect(url: str | None = None, *, autocommit: bool = False) -> psycopg.Connection:
    """A connection to the warehouse, with the values of `session.py`, that a dead network cannot hold for ever.

    Args:
        url: its URL; by default the one in the environment (`DATABASE_URL`).
    """
    return _connect(conninfo.read(url or os.environ["DATABASE_URL"]), autocommit)


def opens(url: str) -> bool:
    """Whether an address lets its login in."""
    with contextlib.suppress(psycopg.OperationalError):
        connect(url).close()
        return True
    return False


def as_role(url: str, role: str) -> str:
    """The URL with which a session works as a role that its login is a member of, from its first statement on."""
    parameters = conninfo.read(url)
    options = f"{parameters.get('options', '')} -c role={role}".strip()
    return conninfo.to_url(parameters | {"options": options})


def has_relation(conn: psycopg.Connection, name: str) -> bool:
    """Whether there is a table or view of this name, schema.name."""
    return conn.execute("select to_regclass(%s) is not null", [name]).fetchone() == (True,)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return conninfo.masked(url)


def _named(settings: Settings) -> tuple[str, Parameters] | None:
    """The setting that names a Postgres, and the parameters that it gives."""
    if settings.database_url:
        return "DATABASE_URL", conninfo.read(settings.database_url.get_secret_value())
    if not settings.postgres_host:
        return None
    password = settings.postgres_password.get_secret_value() if settings.postgres_password else None
    given = {
        "host": settings.postgres_host,
        "port": str(settings.postgres_port),
        "user": settings.postgres_user,
        "password": password,
        "dbname": settings.postgres_db,
    }
    return "POSTGRES_HOST", conninfo.checked({name: value for name, value in given.items() if value}, "POSTGRES_HOST")


def _answering(parameters: Parameters, setting: str) -> Parameters:
    """The parameters, once the server has answered; the folder of its socket is among them where no host was named."""
    try:
        with contextlib.closing(_connect(parameters)) as conn:
            return {"host": conn.info.host, "port": str(conn.info.port)} | parameters
    except (psycopg.Error, OSError, UnicodeError) as error:
        shown = conninfo.masked(conninfo.to_url(parameters))
        raise SettingsError(f"{setting}: no answer from {shown}: {conninfo.reason_of(error, parameters)}") from None


def _options(parameters: Parameters) -> str:
    """What the address itself asks of a session, then ours: the last one counts."""
    given = parameters.get("options", "")
    return given if given.endswith(session.OPTIONS) else f"{given} {session.OPTIONS}".strip()


def _connect(parameters: Parameters, autocommit: bool = False) -> psycopg.Connection:
    ours = {
        "application_name": APPLICATION,
        "client_encoding": "UTF8",
        "options": _options(parameters),
    }
    return psycopg.connect(**(_TIMEOUTS | parameters | ours), autocommit=autocommit)  # type: ignore[arg-type]
