"""The schema `rooms` as the settings ask for it: where it is, and whether the sandbox fills it."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from dagster_project.deployment import sandbox
from dagster_project.settings import Settings, SettingsError
from dagster_project.sources.rooms.sandbox.fill import keep_up, made_until, note_made
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.sources.rooms.sandbox.live import LivePlayer
from dagster_project.warehouse import connection

IN_WAREHOUSE = "warehouse"
_DAYS_AHEAD = 3


def standing(settings: Settings, url: str) -> Settings:
    """The settings, once the schema stands where they want it in the warehouse.

    Where all is by default and the sandbox stands for B2Chat, its firm has rooms too, up to the sandbox's clock.

    Args:
        url: the warehouse's.
    """
    is_made = (
        settings.sandbox == "generated"
        and settings.rooms_database_url is None
        and connection.configured_url(settings) is None
    )
    if is_made:
        settings = settings.model_copy(update={"rooms_database_url": SecretStr(IN_WAREHOUSE)})
    if url_of(settings, url) == url:
        upgrade(url)
        if is_made:
            _keep_up(settings, url)
    return settings


def upgrade(url: str) -> None:
    """Make the schema in a database, or bring it up to this version."""
    from dagster_project.sources.rooms import schema  # noqa: PLC0415  Alembic: nothing that `--help` waits for

    if schema.current(url) != schema.newest():
        schema.upgrade(url)


def play(settings: Settings, url: str, speed: float) -> Iterator[tuple[datetime, LivePlayer]]:
    """Let the sandbox's firm go on from where it is, through the functions of the schema, for as long as one looks on.

    Args:
        speed: how many seconds of the firm pass in one of ours.

    Yields:
        after each event, when it happened at the firm, and who plays it.

    Raises:
        SettingsError: the rooms are not those of the sandbox.
    """
    with contextlib.closing(connection.connect(url, autocommit=True)) as conn:
        at = made_until(conn)
        if at is None:
            raise SettingsError("these rooms are not the sandbox's: it would write among somebody's own")
        player, begun, clock = LivePlayer(conn), at, time.monotonic()
        while True:
            for event in RoomsSandbox(_firm(settings, at)).events(at + timedelta(days=1), after=at):
                time.sleep(max(0.0, (event.at - begun).total_seconds() / speed - (time.monotonic() - clock)))
                player.play(event)
                note_made(conn, event.at)
                yield event.at, player
            at += timedelta(days=1)


def url_of(settings: Settings, url: str) -> str | None:
    """The URL of the Postgres that has the schema; None where rooms are not read. `url` is the warehouse's."""
    if settings.rooms_database_url is None:
        return None
    named = settings.rooms_database_url.get_secret_value()
    return url if named == IN_WAREHOUSE else named


def _keep_up(settings: Settings, url: str) -> None:
    until = sandbox.held_at(settings) or datetime.now(UTC)
    with contextlib.closing(connection.connect(url)) as conn:
        keep_up(conn, _firm(settings, until), until)


def _firm(settings: Settings, until: datetime) -> Firm:
    """The sandbox's firm, with some days after an instant."""
    first_day = sandbox.SandboxState.of(settings).first_day
    return Firm(
        first_day=first_day,
        days=max(1, (until.date() - first_day).days) + _DAYS_AHEAD,
        rooms_per_day=settings.sandbox_rooms_per_day,
        seed=settings.sandbox_seed,
        zone=settings.timezone,
    )
