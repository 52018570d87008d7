"""The sandbox's firm and its call widget, up to the sandbox's clock."""

import contextlib
from datetime import UTC, datetime

from dagster_project.deployment import sandbox
from dagster_project.settings import Settings
from dagster_project.sources.calls.sandbox import fill
from dagster_project.sources.calls.sandbox.firm import Firm
from dagster_project.warehouse import connection


def keep_up(settings: Settings, url: str) -> None:
    """Let the sandbox's firm have visitors and calls."""
    until, first_day = sandbox.held_at(settings) or datetime.now(UTC), sandbox.SandboxState.of(settings).first_day
    firm = Firm(
        first_day=first_day,
        days=max(1, (until.date() - first_day).days) + 1,
        visits_per_day=settings.sandbox_visits_per_day,
        seed=settings.sandbox_seed,
        zone=settings.timezone,
    )
    with contextlib.closing(connection.connect(url)) as conn:
        fill.keep_up(conn, firm, until)
