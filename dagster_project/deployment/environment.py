"""What must stand before anything runs: warehouse, tables, data source, and the environment that the tools read."""

import contextlib
import logging
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pydantic import SecretStr

from dagster_project.deployment import own_schemas, sandbox
from dagster_project.settings import (
    ENV_FILE,
    PROJECT_ROOT,
    Settings,
    SettingsError,
    env_file,
    is_open_to_others,
    secret_variables,
    variable_name,
)
from dagster_project.warehouse import connection, fitness, system_settings
from dagster_project.warehouse.access import program_logins

log = logging.getLogger(__name__)

_EXPORTED = (
    "api_url",
    "timezone",
    "activity_minutes",
    "stale_days",
    "citus",
    "separate_roles",
    "data_dir",
    "start_date",
    "lookback_days",
    "requests_per_second",
    "requests_per_day",
    "timeout_seconds",
    "max_attempts",
    "page_size",
    "sync_interval",
    "client_id",
    "sandbox_clock",
    "code_server_host",
    "code_server_port",
)
# What leads out of this machine, or to somebody's own data: the demo has no use for it.
_OUTSIDE = frozenset(
    name
    for name in Settings.model_fields
    if name.startswith(("postgres_", "database_url", "anthropic_", "exports_s3_", "rooms_", "calls_"))
    or name in ("bi_password", "api_url", "client_id", "client_secret", "start_date", "audit_folder")
    or name in ("exports_bucket", "exports_dir")
)


@dataclass(frozen=True)
class Deployment:
    """A warehouse that stands, with its tables, and the settings that lead to it and to the data source."""

    settings: Settings
    url: str


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Deployment]:
    """Start what the settings ask for and put its addresses into this process's environment, for all children too.

    Raises:
        SettingsError: a setting leads nowhere; one line that names it.
        UnfitServer: the named Postgres cannot hold the warehouse; nothing was written to it.
        PostgresMissing: the embedded Postgres cannot be started.
    """
    from dagster_project.warehouse import migrations  # noqa: PLC0415  Alembic: nothing that `--help` waits for

    if (file := env_file()) and is_open_to_others(file):
        log.warning("other accounts of this machine can read or change %s, with its secrets: chmod 600 %s", file, file)
    _make_private(settings.data_path)
    with connection.warehouse(settings) as url, _source(settings) as settings:
        if connection.configured_url(settings):
            fitness.require(url)
        migrations.upgrade(url)
        with connection.connect(url) as conn:
            settings = system_settings.effective(conn, settings)
        settings = program_logins.with_logins(own_schemas.with_schemas(settings, url), url)
        os.environ.update(environment(settings, url))
        yield Deployment(settings, url)


def environment(settings: Settings, url: str) -> dict[str, str]:
    """All that Dagster, dbt and psql read from the environment."""
    local = settings.data_path / "dagster"
    local.mkdir(parents=True, exist_ok=True)
    ours = {variable_name(name): str(value) for name in _EXPORTED if (value := getattr(settings, name)) is not None}
    for name in ("client_secret", "rooms_database_url", "calls_database_url", *program_logins.SETTINGS.values()):
        if secret := getattr(settings, name):
            ours[variable_name(name)] = secret.get_secret_value()
    programs = str(Path(sys.executable).parent)
    places = [place for place in os.environ.get("PATH", "").split(os.pathsep) if place != programs]
    ours |= connection.environment(url)
    return (
        ours
        # A file named beside what we say ourselves would be another word on the same thing.
        | {f"{name}_FILE": "" for name in secret_variables() if name in ours}
        | {
            ENV_FILE: str(env_file() or ""),
            "DAGSTER_HOME": str(PROJECT_ROOT),
            "DAGSTER_LOCAL_DIR": str(local),
            "DAGSTER_EVENT_BATCH_SIZE": "1000",  # what a run is to make is noted at once: `orchestration/storage.py`
            "PATH": os.pathsep.join([programs, *places]),
        }
    )


def left_out_of_demo(settings: Settings) -> list[str]:
    """The variables that are set and that the demo does not heed."""
    return [variable_name(name) for name in Settings.model_fields if name in settings.model_fields_set & _OUTSIDE]


def demo_has_own_folder(settings: Settings) -> bool:
    """Whether the data folder may hold somebody's own data: then the demo has one of its own in it."""
    return settings.has_account or connection.configured_url(settings) is not None


def for_demo(settings: Settings, *, advance: timedelta = timedelta(0)) -> Settings:
    """The demo's settings: the embedded Postgres and the sandbox, its clock held where the first demo started it.

    What leads outside is taken out of this process's environment, for all that reads settings after this.

    Args:
        advance: how far to move that clock on, so that open chats go on living.
    """
    kept = {name: getattr(settings, name) for name in settings.model_fields_set - _OUTSIDE}
    if demo_has_own_folder(settings):
        kept["data_dir"] = settings.data_path / "demo"
        kept.pop("pg_port", None)
    ours = {name.upper() for field in Settings.model_fields for name in (variable_name(field), f"b2chat_{field}")}
    ours |= {f"{name}_FILE" for name in secret_variables()}
    # libpq's own variables say what an address does not: PGHOSTADDR would lead to another server.
    for name in [name for name in os.environ if name.upper() in ours or name.startswith("PG")]:
        del os.environ[name]
    os.environ |= {variable_name(name): _written(value) for name, value in kept.items()} | {ENV_FILE: os.devnull}
    chosen = Settings.load()
    if chosen.sandbox == "off":
        chosen = chosen.model_copy(update={"sandbox": "generated"})
    if chosen.sandbox == "replay":
        return chosen
    return chosen.model_copy(update={"sandbox_clock": sandbox.hold_clock(chosen, advance)})


def for_work(settings: Settings) -> Settings:
    """The settings as they are; where neither an account nor a Postgres is set, but a demo was run with this data
    folder, those of the demo."""
    unset = settings.sandbox == "off" and not demo_has_own_folder(settings)
    if unset and sandbox.SandboxState.exists(settings):
        return settings.model_copy(update={"sandbox": "generated"})
    return settings


def today(settings: Settings) -> date:
    """The current day in the account's zone; on a sandbox whose clock is held, that clock's day."""
    if settings.sandbox == "off":
        return settings.today()
    return settings.model_copy(update={"sandbox_clock": sandbox.held_at(settings)}).today()


def require_source(settings: Settings) -> None:
    """Raises SettingsError where there is neither an account nor the sandbox to read from."""
    if settings.sandbox == "off" and not settings.has_account:
        raise SettingsError(
            "B2CHAT_CLIENT_ID and B2CHAT_CLIENT_SECRET are missing: set them, "
            "or set B2CHAT_SANDBOX=generated to try without an account"
        )


def _make_private(data: Path) -> None:
    """Close the data folder to others, and what an earlier version, or another program, left open in it.

    Below a closed folder nobody gets, so it is not looked through at each start. `pg` is the server's own, and its
    account may be let through the data folder.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if data.stat().st_mode & 0o067:
        data.chmod(0o700)
    for entry in data.iterdir():
        if entry.name != "pg" and entry.lstat().st_mode & 0o077 and not entry.is_symlink():
            _close(entry)
            for folder, folders, files in os.walk(entry):
                for name in (*folders, *files):
                    _close(Path(folder, name))


def _close(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISLNK(found.st_mode) and found.st_uid == os.geteuid():
        path.chmod(found.st_mode & 0o700)


def _written(value: object) -> str:
    """A setting as the environment has it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@contextlib.contextmanager
def _source(settings: Settings) -> Iterator[Settings]:
    """The data source: an account stays as it is, the sandbox is started and takes an account's place."""
    if settings.sandbox == "off":
        yield settings
        return
    from dagster_project.sources.b2chat.sandbox import server  # noqa: PLC0415  a web server, which only the sandbox needs

    records, first_day = sandbox.source(settings)
    clock, secret = sandbox.clock(settings), sandbox.secret(settings)
    with server.running(records, client_id=sandbox.CLIENT_ID, client_secret=secret, clock=clock) as running_server:
        log.info("the B2Chat sandbox answers at %s: its data is not an account's", running_server.base_url)
        yield settings.model_copy(
            update={
                "api_url": running_server.base_url,
                "client_id": sandbox.CLIENT_ID,
                "client_secret": SecretStr(secret),
                "sandbox_clock": sandbox.held_at(settings),
                "start_date": settings.start_date or first_day,
                # Our own machine has no quota.
                "requests_per_second": 1000.0,
                "requests_per_day": max(settings.requests_per_day, 100_000),
            }
        )
