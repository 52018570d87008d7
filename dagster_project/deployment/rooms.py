"""The sandbox's firm in its rooms: up to the sandbox's clock, or going on while one looks on."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby

from dagster_project.deployment import sandbox
from dagster_project.settings import Settings, SettingsError
from dagster_project.sources.made import made_until, note_made
from dagster_project.sources.rooms.sandbox import fill
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.sources.rooms.sandbox.live import LivePlayer
from dagster_project.sources.rooms.writing import keep_months
from dagster_project.warehouse import connection

_DAYS_AHEAD = 3


def play(settings: Settings, url: str, speed: float) -> Iterator[tuple[datetime, LivePlayer]]:
    """Let the sandbox's firm go on from where it is, through the functions of the schema, for as long as one looks on.

    Args:
        speed: how many seconds of the firm pass in one of ours.

    Yields:
        after each instant at which something happened at the firm, that instant, and who plays it.

    Raises:
        SettingsError: the rooms are not those of the sandbox.
    """
    with contextlib.closing(connection.connect(url, autocommit=True)) as conn:
        at = made_until(conn, "rooms")
        if at is None:
            raise SettingsError("these rooms are not the sandbox's: it would write among somebody's own")
        player, begun, clock = LivePlayer(conn), at, time.monotonic()
        while True:
            tomorrow = at + timedelta(days=1)
            keep_months(conn, [at, tomorrow])
            events = RoomsSandbox(_firm(settings, at)).events(tomorrow, after=at)
            for instant, together in groupby(events, key=lambda event: event.at):
                time.sleep(max(0.0, (instant - begun).total_seconds() / speed - (time.monotonic() - clock)))
                with conn.transaction():
                    for event in together:
                        player.play(event)
                    note_made(conn, "rooms", instant)
                yield instant, player
            at = tomorrow


def keep_up(settings: Settings, url: str) -> None:
    """Let the sandbox's firm have rooms, up to the sandbox's clock."""
    until = sandbox.held_at(settings) or datetime.now(UTC)
    with contextlib.closing(connection.connect(url)) as conn:
        fill.keep_up(conn, _firm(settings, until), until)


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
