"""Where a source lies that is a schema of a Postgres, and how it is read there."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster_project.settings import IN_WAREHOUSE, Settings
from dagster_project.sources.contract import SourceSpec
from dagster_project.sources.postgres_reader.reader import PostgresSource, postgres_source
from dagster_project.warehouse import conninfo
from dagster_project.warehouse.access import program_logins


def address_of(settings: Settings, source: str, warehouse_url: str) -> str | None:
    """The URL of the Postgres that a source is read from; None where the source is off.

    Raises:
        SettingsError: the setting leads nowhere.
    """
    given = {name: getattr(settings, f"{source}_{name}") for name in ("database_url", "read_url")}
    if not given["database_url"]:
        return None
    name = "read_url" if given["read_url"] else "database_url"
    text, setting = given[name].get_secret_value(), f"{source}_{name}".upper()
    if text == IN_WAREHOUSE:
        return program_logins.reader_url(settings, warehouse_url, f"{source}_reader")
    return _protected(text, setting, settings)


def home_of(settings: Settings, source: str, warehouse_url: str) -> str | None:
    """The URL of the Postgres in which a source's own schema is kept; None where the source is off.

    Raises:
        SettingsError: the setting leads nowhere.
    """
    url = settings.own_database(source, warehouse_url)
    if url is None or url == warehouse_url:
        return url
    return _protected(url, f"{source}_database_url".upper(), settings)


def _protected(text: str, setting: str, settings: Settings) -> str:
    parameters = conninfo.complete(conninfo.read(text, setting), setting)
    return conninfo.to_url(conninfo.protected(parameters, settings.plain_hosts, setting))


@contextmanager
def opened(settings: Settings, spec: SourceSpec, warehouse_url: str) -> Iterator[PostgresSource | None]:
    """A source as it is at this moment; None where it is off. Raises SettingsError, SourceError."""
    url = address_of(settings, spec.name, warehouse_url)
    if url is None:
        yield None
        return
    with postgres_source(spec, url, getattr(settings, f"{spec.name}_watermark")) as source:
        yield source
