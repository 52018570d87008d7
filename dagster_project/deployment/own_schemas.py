"""The schemas of rooms and calls as the settings ask for them: where they are, and whether the sandbox fills them."""

from pydantic import SecretStr

from dagster_project.deployment import calls, rooms
from dagster_project.settings import IN_WAREHOUSE, Settings
from dagster_project.warehouse import connection

_KEEP_UP = {"rooms": rooms.keep_up, "calls": calls.keep_up}


def standing(settings: Settings, url: str) -> Settings:
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


def upgrade(source: str, url: str) -> None:
    """Make a source's schema in a database, or bring it up to this version."""
    from dagster_project.sources.calls.schema import SCHEMA as CALLS  # noqa: PLC0415  Alembic: not for `--help`
    from dagster_project.sources.rooms.schema import SCHEMA as ROOMS  # noqa: PLC0415  likewise

    schema = {"rooms": ROOMS, "calls": CALLS}[source]
    if schema.current(url) != schema.newest():
        schema.upgrade(url)
