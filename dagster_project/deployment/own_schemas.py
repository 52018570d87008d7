"""The schemas of rooms and calls as the settings ask for them: where they are, and whether the sandbox fills them."""

from dataclasses import dataclass

from pydantic import SecretStr

from dagster_project.deployment import calls, rooms
from dagster_project.settings import IN_WAREHOUSE, Settings, SettingsError
from dagster_project.warehouse import connection, partitions

_KEEP_UP = {"rooms": rooms.keep_up, "calls": calls.keep_up}


def with_schemas(settings: Settings, url: str) -> Settings:
    """The settings, once the schemas stand where they want them in the warehouse.

    Where all is by default and the sandbox stands for B2Chat, its firm has rooms and calls too, up to its clock.

    Args:
        url: the warehouse's.
    """
    for source, keep_up in _KEEP_UP.items():
        setting = f"{source}_database_url"
        if is_filled := is_made(settings, source):
            settings = settings.model_copy(update={setting: SecretStr(IN_WAREHOUSE)})
        if settings.own_database(source, url) == url:
            upgrade(source, url)
            if is_filled:
                keep_up(settings, url)
    return settings


def is_made(settings: Settings, source: str) -> bool:
    """Whether the sandbox makes what a source holds: nothing else is set, here or for the warehouse."""
    return (
        settings.sandbox == "generated"
        and getattr(settings, f"{source}_database_url") is None
        and connection.configured_url(settings) is None
    )


def place_of(settings: Settings, source: str, warehouse_url: str) -> str:
    """The Postgres that has a source's schema, or is to have it. Raises SettingsError."""
    url = settings.own_database(source, warehouse_url)
    if url is None:
        raise SettingsError(f"{source.upper()}_DATABASE_URL is missing: a Postgres URL, or the word {IN_WAREHOUSE}")
    return url


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What came of an upgrade: the revisions before (None: there was none) and now, and the partitions made."""

    before: str | None
    now: str
    partitions_made: int


def bring_up(source: str, url: str) -> Upgraded:
    """Make a source's schema in a database, or bring it up to this version; also its months."""
    before, now = upgrade(source, url)
    with connection.connect(url) as conn:
        made = partitions.keep_source_ahead(conn, source)
    return Upgraded(before, now, made)


def upgrade(source: str, url: str) -> tuple[str | None, str]:
    """The same without months; returns the revisions before and now."""
    from dagster_project.sources.calls.schema import SCHEMA as CALLS  # noqa: PLC0415  Alembic: not for `--help`
    from dagster_project.sources.rooms.schema import SCHEMA as ROOMS  # noqa: PLC0415  likewise

    schema = {"rooms": ROOMS, "calls": CALLS}[source]
    before, now = schema.current(url), schema.newest()
    if before != now:
        schema.upgrade(url)
    return before, now
