"""What `b2chat check` checks at: each result says what is so, or what is wrong and what to do."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import psycopg
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DBAPIError

from dagster_project.alerts.channels import configured
from dagster_project.analysis.classifiers import Unusable, classifier_of, has_key
from dagster_project.deployment.environment import Deployment
from dagster_project.erasure import after_restore
from dagster_project.exports.stores.configured import copies_of, store_of
from dagster_project.exports.stores.contract import StoreFailed, make_private, new_key, reason_of
from dagster_project.ingestion.quota import PostgresQuota
from dagster_project.orchestration import dbt_project, places, storage
from dagster_project.orchestration.builds import seed_files
from dagster_project.settings import Settings, SettingsError, env_file, is_open_to_others
from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.entities import B2CHAT
from dagster_project.sources.calls.entities import CALLS
from dagster_project.sources.contract import SourceError, SourceSpec
from dagster_project.sources.rooms.entities import ROOMS
from dagster_project.warehouse import connection, connection_budget, conninfo, migrations, sla_targets
from dagster_project.warehouse.access import audit_log, bi_access, program_logins, rights
from dagster_project.warehouse.backup import configured as configured_backups
from dagster_project.warehouse.backup.folder import BackupFailed
from dagster_project.warehouse.fitness import UnfitServer

_MAX_SECONDS = 10.0  # that an answer of B2Chat is waited for: somebody sits before the screen


@dataclass(frozen=True)
class CheckResult:
    """What one check found."""

    name: str
    ok: bool
    text: str


def run_checks(deployment: Deployment) -> list[CheckResult]:
    """Run all checks; a fault in one does not hide the others."""
    checks: list[tuple[str, Callable[[Deployment], str]]] = [
        ("settings", _settings),
        ("warehouse", _warehouse),
        ("drivers", _drivers),
        ("tables", _tables),
        ("connections", _connections),
        ("roles", _roles),
        ("parts", _parts),
        ("BI access", _bi_access),
        ("data source", _data_source),
        ("account", _account),
        ("rooms", partial(_database, ROOMS)),
        ("calls", partial(_database, CALLS)),
        ("dbt project", _dbt),
        ("seeds", _seeds),
        ("SLA targets", _sla_targets),
        ("audit log", _audit_log),
        ("categories", _categories),
        ("exports", _exports),
        ("alerts", _alerts),
        ("backups", _backups),
    ]
    return list(_results(deployment, checks))


def unfit(server: UnfitServer) -> list[CheckResult]:
    """The results where the server is unfit, and nothing else can be checked."""
    return [CheckResult("warehouse", False, fault) for fault in server.faults]


def print_results(console: Console, results: list[CheckResult]) -> None:
    """Print the results, a line each."""
    for result in results:
        mark = "[green]ok[/green]   " if result.ok else "[red]wrong[/red]"
        console.print(f"{mark} {result.name:12} {escape(result.text)}", soft_wrap=True)


class _Wrong(Exception):
    pass


def _results(deployment: Deployment, checks: list[tuple[str, Callable[[Deployment], str]]]) -> Iterator[CheckResult]:
    for name, check in checks:
        try:
            yield CheckResult(name, True, check(deployment))
        except (
            _Wrong,
            audit_log.AuditLogOpen,
            bi_access.BiAccessWrong,
            rights.RightsWrong,
            program_logins.LoginsWrong,
            connection_budget.TooFewConnections,
            SourceError,
            SettingsError,
            psycopg.Error,
            dbt_project.DbtParseFailed,
            seed_files.SeedsWrong,
            Unusable,
            StoreFailed,
        ) as fault:
            yield CheckResult(name, False, " ".join(str(fault).split()))


def _settings(deployment: Deployment) -> str:
    settings, file = deployment.settings, env_file()
    # A file that a container is given is often so, and is no fault then.
    is_open = file is not None and is_open_to_others(file)
    note = " (other accounts of this machine can read or change it: chmod 600)" if is_open else ""
    return (
        f"from the environment and {file or 'no .env'}{note}: zone {settings.timezone}, data in {settings.data_path}, "
        f"refresh every {settings.sync_interval} minutes"
    )


def _warehouse(deployment: Deployment) -> str:
    with connection.connect(deployment.url) as conn:
        version, way = conn.info.server_version // 10000, _way(conn)
    place = "named by the settings" if connection.configured_url(deployment.settings) else "embedded"
    return f"Postgres {version}, {place}: {connection.without_password(deployment.url)}{way}"


def _way(conn: psycopg.Connection) -> str:
    """What protects the way to a server on another machine."""
    parameters = conn.info.get_parameters()
    if not conninfo.is_away(parameters):
        return ""
    if not conn.pgconn.ssl_in_use:
        return ", in the clear (B2CHAT_PLAIN_HOSTS)"
    if parameters.get("sslmode") == "verify-full":
        return ", over TLS with its certificate checked"
    return ", over TLS; sslmode=verify-full would also check whose certificate it is"


def _drivers(deployment: Deployment) -> str:
    """Dagster and dbt speak to the warehouse by a driver of their own, which reads its address in another way."""
    faults = []
    for name, connect in (
        ("Dagster", lambda: storage.require_connection(connection.environment(deployment.url)["DAGSTER_PG_URL"])),
        ("dbt", dbt_project.require_connection),
    ):
        try:
            connect()
        except (DBAPIError, dbt_project.DbtCannotConnect) as error:
            reason = getattr(error, "orig", None) or error
            faults.append(f"{name} cannot connect: {conninfo.reason_of(reason, conninfo.read(deployment.url))}")
    if faults:
        raise _Wrong("; ".join(faults))
    return "psycopg, Dagster and dbt connect to it"


def _tables(deployment: Deployment) -> str:
    at = migrations.current(deployment.url)
    if at != migrations.newest():
        raise _Wrong(f"migrations are at {at}, wanted {migrations.newest()}")
    return f"migrations at {at}"


def _connections(deployment: Deployment) -> str:
    with connection.connect(deployment.url) as conn:
        return connection_budget.check(conn)


def _roles(deployment: Deployment) -> str:
    """What each role can do, before anything is put right."""
    with connection.connect(deployment.url) as conn:
        return rights.check(conn)


def _parts(deployment: Deployment) -> str:
    """By which logins the program's own parts work."""
    return program_logins.check(deployment.settings, deployment.url)


def _bi_access(deployment: Deployment) -> str:
    return bi_access.check(deployment.settings, deployment.url)


def _data_source(deployment: Deployment) -> str:
    with connection.connect(deployment.url) as conn:
        row = conn.execute(
            """
            select source.kind, states.last_sync_timestamp
            from ops.data_source as source
            left join ops.sync_states as states on (states.source, states.entity_type) = (source.source, 'chats')
            order by source.kind = 'sandbox' desc, source.first_used_at limit 1
            """
        ).fetchone()
    if not row:
        return "nothing was read yet: run `b2chat sync`"
    kind = "made by the sandbox, not real" if row[0] == "sandbox" else "of a B2Chat account"
    return (
        f"data {kind}; last sync of chats {row[1]:%Y-%m-%d %H:%M} UTC" if row[1] else f"data {kind}; no sync ended yet"
    )


def _account(deployment: Deployment) -> str:
    settings = deployment.settings
    if not settings.client_id or not settings.client_secret:
        return "none: set B2CHAT_CLIENT_ID and B2CHAT_CLIENT_SECRET to read a real account"
    with (
        PostgresQuota(
            deployment.url, B2CHAT.name, settings.client_id, settings.requests_per_day, settings.today
        ) as quota,
        B2ChatClient(
            settings.api_url,
            settings.client_id,
            settings.client_secret,
            quota=quota,
            timeout_seconds=min(settings.timeout_seconds, _MAX_SECONDS),
            max_attempts=2,
            max_connect_attempts=1,
        ) as client,
    ):
        kind = client.origin().kind
    return f"{settings.api_url} gives a token" + (" (the sandbox)" if kind == "sandbox" else "")


def _database(spec: SourceSpec, deployment: Deployment) -> str:
    """Where a source lies that is a database, and how it is read; nothing is read."""
    settings, name = deployment.settings, spec.name.upper()
    with places.opened(settings, spec, deployment.url) as source:
        if not source:
            return f"off: {name}_DATABASE_URL is not set"
        told = [f"{source.origin().address} answers, {source.table_count} tables to read"]
        told += [f"{source.seconds_behind:.0f} s behind its primary"] if source.seconds_behind is not None else []
        told += _erased_but_there(settings, spec, deployment.url)
        mode = getattr(settings, f"{spec.name}_watermark")
        told.append(f"by {mode}" + (", which may miss rows (docs/rooms.md)" if mode == "updated_at" else ""))
    return "; ".join(told)


def _erased_but_there(settings: Settings, spec: SourceSpec, url: str) -> list[str]:
    home = places.home_of(settings, spec.name, url)
    found = after_restore.known_in_rooms(url, home) if home and spec is ROOMS else {}
    return [f"{len(found)} who were erased are there again: the next sync erases them"] if found else []


def _dbt(_: Deployment) -> str:
    path = dbt_project.manifest()
    return f"parses; manifest {path.name} is newer than its models"


def _seeds(_: Deployment) -> str:
    return f"{seed_files.check()} rows of hours, holidays, targets and labels can be loaded"


def _sla_targets(deployment: Deployment) -> str:
    with connection.connect(deployment.url) as conn:
        return sla_targets.summary(conn)


def _audit_log(deployment: Deployment) -> str:
    with connection.connect(deployment.url) as conn:
        return audit_log.check(conn)


def _categories(deployment: Deployment) -> str:
    """Who categorizes chats; Claude is not asked for it."""
    settings = deployment.settings
    if not has_key(settings):
        return f"by rules ({classifier_of('rules-v1', settings).version}): there is no ANTHROPIC_API_KEY"
    version = classifier_of("claude", settings).version
    return f"by Claude ({version}), up to {settings.ai_monthly_usd:.2f} USD a month"


def _exports(deployment: Deployment) -> str:
    """Where exports go; something is put there and deleted again."""
    store, key = store_of(deployment.settings), new_key("check", "check", "check", "txt")
    file = store.scratch / key.rpartition("/")[2]
    try:
        make_private(store.scratch)
        file.write_text("b2chat check\n")
        store.put(key, file, file.name, "text/plain")
        store.delete(key)
    except OSError as error:
        raise _Wrong(reason_of(error, store.scratch)) from None
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
    return f"{store.name} takes files and lets them go"


def _alerts(deployment: Deployment) -> str:
    """Which channels are set up; nothing is sent."""
    settings = deployment.settings
    if faults := list(configured.faults(settings)):
        raise _Wrong("; ".join(faults))
    channels = [channel.name for channel in configured.channels_of(settings)]
    parts = [f"by {' and '.join(channels)}" if channels else "none is sent: no channel is set up (docs/alerts.md)"]
    if settings.alerts_webhook_url and not settings.alerts_webhook_secret:
        parts.append("the webhook's are not signed: B2CHAT_ALERTS_WEBHOOK_SECRET is not set")
    if settings.report_email_to:
        parts.append(f"the weekly report goes to {len(settings.report_email_to)} by e-mail")
    parts.append("a heartbeat is sent" if settings.heartbeat_url else "no heartbeat")
    return "; ".join(parts)


def _backups(deployment: Deployment) -> str:
    """The last good backup and the last good drill."""
    settings = deployment.settings
    # That there is none yet is no fault of a deployment that has just been set up; an alert says so in time.
    if wrong := configured_backups.faults(settings, since=None):
        raise _Wrong("; ".join(wrong.values()))
    try:
        return configured_backups.check(settings, copies_of(settings))
    except BackupFailed as fault:
        raise _Wrong(str(fault)) from None
