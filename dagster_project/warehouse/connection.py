"""The way to the warehouse: which Postgres, under which names the tools want it, and connections to it."""

import contextlib
import os
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import embedded

APPLICATION = "b2chat"


@contextlib.contextmanager
def warehouse(settings: Settings) -> Iterator[str]:
    """The warehouse's URL: the Postgres that the settings name, else the embedded one, leased while this lasts.

    Raises:
        SettingsError: the named Postgres cannot be reached.
        PostgresMissing: the embedded one cannot be started.
    """
    url = configured_url(settings)
    if url:
        _require_answer(url)
        yield url
    else:
        with embedded.running(settings.data_path / "pg", port=settings.pg_port, pg_bin=settings.pg_bin) as url:
            yield url


def configured_url(settings: Settings) -> str | None:
    """The URL of the Postgres that the settings name; None means the embedded one."""
    if settings.database_url:
        return settings.database_url.get_secret_value()
    if not settings.postgres_host:
        return None
    password = settings.postgres_password.get_secret_value() if settings.postgres_password else ""
    return (
        f"postgresql://{quote(settings.postgres_user or '', '')}:{quote(password, '')}"
        f"@{settings.postgres_host}:{settings.postgres_port}/{quote(settings.postgres_db or '', '')}"
    )


def environment(url: str) -> dict[str, str]:
    """The warehouse under the names that each tool reads.

    Returns:
        DATABASE_URL (ours), PG* (dbt, psql) and DAGSTER_PG_URL (Dagster's storage, in the schema `dagster`).
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    credentials = f"{quote(parts.get('user', ''), '')}:{quote(parts.get('password', ''), '')}"
    place = f"{parts.get('host', '127.0.0.1')}:{parts.get('port', '5432')}/{quote(parts.get('dbname', ''), '')}"
    query = {name: parts[name] for name in ("sslmode", "sslrootcert") if name in parts}
    storage = urlencode(query | {"options": "-csearch_path=dagster"})
    return {
        "DATABASE_URL": url,
        "PGHOST": parts.get("host", "127.0.0.1"),
        "PGPORT": parts.get("port", "5432"),
        "PGUSER": parts.get("user", ""),
        "PGPASSWORD": parts.get("password", ""),
        "PGDATABASE": parts.get("dbname", ""),
        "PGSSLMODE": parts.get("sslmode", "prefer"),
        # The driver is named because SQLAlchemy 2.1 takes a bare postgresql:// for psycopg 3, which
        # dagster-postgres does not speak.
        "DAGSTER_PG_URL": f"postgresql+psycopg2://{credentials}@{place}?{storage}",
    }


def connect(url: str | None = None, *, autocommit: bool = False) -> psycopg.Connection:
    """A connection to the warehouse, in UTC, that a dead network cannot hold for ever.

    Args:
        url: its URL; by default the one in the environment (`DATABASE_URL`).
    """
    return psycopg.connect(
        url or os.environ["DATABASE_URL"],
        autocommit=autocommit,
        application_name=APPLICATION,
        options="-c timezone=UTC",
        connect_timeout=15,
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
    )


def has_relation(conn: psycopg.Connection, name: str) -> bool:
    """Whether there is a table or view of this name, schema.name."""
    return conn.execute("select to_regclass(%s) is not null", [name]).fetchone() == (True,)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    password = conninfo_to_dict(url).get("password")
    return url.replace(f":{quote(str(password), '')}@", ":***@") if password else url


def _require_answer(url: str) -> None:
    try:
        connect(url).close()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        password = str(conninfo_to_dict(url).get("password") or "")
        raise SettingsError(
            f"DATABASE_URL: no answer from {without_password(url)}: "
            f"{reason.replace(password, '***') if password else reason}"
        ) from None
