"""Backups as the settings want them: the way in for commands, jobs and checks."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import audit_log
from dagster_project.warehouse.backup import copies as copying
from dagster_project.warehouse.backup import drill as drills
from dagster_project.warehouse.backup import folder, make, physical, restore
from dagster_project.warehouse.backup.copies import CopyStore
from dagster_project.warehouse.backup.folder import Backup, BackupFailed
from dagster_project.warehouse.backup.make import Made
from dagster_project.warehouse.backup.physical import Physical
from dagster_project.warehouse.backup.restore import Restored, Step

log = logging.getLogger(__name__)

# What the data folder has that a warehouse elsewhere lacks: BI's password, who was erased and the salt of that list,
# how far a demo's clock is.
_BESIDE = ("bi_password", "erased_people", "erasure_salt", "sandbox.json")
_ROOM = 1.1  # of the database's size when it was backed up: what it takes again
_MAX_LENGTH = 150  # characters of a bucket's name in the audit log
MAX_DRILL_AGE = timedelta(days=9)  # it is weekly


def back_up(settings: Settings, url: str, *, user: str, copies: CopyStore | None = None) -> Made:
    """Make a backup, and copy it.

    Args:
        user: who wants it, for the audit log.
        copies: the bucket that has a copy of each.

    Raises:
        BackupFailed: there is none.
        StoreFailed: it is whole, and could not be copied; the next one's copy is tried again.
    """
    with _audited(url, "backup.complete", user) as about:
        made = make.make(
            url,
            settings.backup_path,
            keep_days=settings.backup_keep_days,
            jobs=settings.backup_jobs,
            beside=[settings.data_path / name for name in _BESIDE],
            pg_bin=settings.pg_bin,
        )
        about |= {"backup": made.backup.name} | {name: made.backup.manifest[name] for name in ("rows", "seconds")}
    for name in made.deleted:
        _note(url, "backup.delete", user, {"backup": name})
    if copies:
        with _audited(url, "backup.copy", user) as about:
            about |= {"backup": made.backup.name, "to": copies.name[:_MAX_LENGTH]}
            deleted = copying.copy(copies, made.backup, settings.backup_keep_days)
        for name in deleted:
            _note(url, "backup.delete", user, {"backup": name, "from": copies.name[:_MAX_LENGTH]})
    return made


def back_up_changes(settings: Settings, url: str, *, user: str) -> Physical:
    """Make a physical backup of what changed; our own server is told to note that. Raises BackupFailed."""
    if not connection.configured_url(settings):
        with connection.connect(url, autocommit=True) as conn:
            if conn.info.server_version // 10000 >= physical.SINCE:
                conn.execute("alter system set summarize_wal = on")
                conn.execute("select pg_reload_conf()")
    with _audited(url, "backup.complete", user) as about:
        made = physical.back_up(url, settings.backup_path, keep_days=settings.backup_keep_days, pg_bin=settings.pg_bin)
        about |= {"backup": made.name, "base": made.about["base"]}
    return made


def bring_back(
    settings: Settings, url: str, backup: Backup, *, user: str, replace: bool, then: Sequence[Step] = ()
) -> Restored:
    """Restore a backup in place of the warehouse; `user` is who wants it, for the audit log. Raises BackupFailed."""
    if not connection.configured_url(settings):  # of another server nobody tells us how much room it has
        folder.require_space(settings.data_path, int(backup.manifest["database_bytes"] * _ROOM), "a restore")
    _note(url, "restore.start", user, {"backup": backup.name})
    with _audited(url, "restore.complete", user) as about:
        done = restore.restore(
            url,
            backup,
            jobs=settings.backup_jobs,
            replace=replace,
            pg_bin=settings.pg_bin,
            beside=settings.data_path,
            then=then,
        )
        about |= {"backup": done.backup, "kept_as": done.kept_as}
    return done


def try_out(settings: Settings, url: str, backup: Backup, *, then: Sequence[Step] = ()) -> dict[str, Any]:
    """Restore a backup on a throw-away server: see `drill.py`."""
    return drills.drill(
        backup,
        settings.data_path / "drill",
        live=url,
        jobs=settings.backup_jobs,
        pg_bin=settings.pg_bin,
        then=then,
    )


def faults(settings: Settings, since: datetime | None) -> dict[str, str]:
    """What is wrong with backups (`backup`) and with drills (`drill`), a line each.

    Args:
        since: since when there is something to lose; None: there is nothing.
    """
    if not settings.backup_max_age_hours:
        return {}
    now, found = datetime.now(UTC), folder.listed(settings.backup_path)
    bound = now - timedelta(hours=settings.backup_max_age_hours)
    if not found:
        return {"backup": "No backup was ever made"} if since and since < bound else {}
    wrong = {}
    if found[0].finished_at < bound:
        wrong["backup"] = f"The last good backup is of {found[0].finished_at:%Y-%m-%d %H:%M} UTC"
    drilled = [backup.drill for backup in found if backup.drill]
    newest = max(drilled, key=lambda one: one["at"], default=None)
    oldest = min(backup.finished_at for backup in found)
    if newest and not newest["ok"]:
        wrong["drill"] = f"The last restore drill failed at {newest['at'][:16].replace('T', ' ')} UTC"
    elif (datetime.fromisoformat(newest["at"]) if newest else oldest) < now - MAX_DRILL_AGE:
        wrong["drill"] = "No backup was restored as a drill for over a week"
    return wrong


def check(settings: Settings, copies: CopyStore | None = None) -> str:
    """One line about the last good backup, its copy, and the last good drill.

    Raises:
        BackupFailed: the last one is not in the bucket.
        StoreFailed: the bucket does not answer.
    """
    found = folder.listed(settings.backup_path)
    away = copying.listed(copies) if copies else []
    if found and copies and found[0].name not in away:
        raise BackupFailed(f"{found[0].name} is not in {copies.name}: `b2chat backup` makes and copies a new one")
    if not found:
        note = f"; {len(away)} in {copies.name}, which `b2chat restore` takes" if copies and away else ""
        return f"none in {settings.backup_path}: `b2chat backup` makes one{note}"
    last = found[0]
    text = (
        f"the last one is {last.name}: {folder.shown(last.bytes)}, {last.manifest['rows']:,} rows, "
        f"in {last.manifest['seconds']} s; {len(found)} in {settings.backup_path}"
    )
    text += f", {len(away)} in {copies.name}" if copies else ""
    good = [(backup.name, backup.drill) for backup in found if backup.drill and backup.drill["ok"]]
    if not good:
        return f"{text}; none was restored as a drill yet: `b2chat drill`"
    name, result = max(good, key=lambda one: one[1]["at"] if one[1] else "")
    return f"{text}; the last good drill restored {name} in {result['seconds'] if result else 0} s"


@contextmanager
def _audited(url: str, event: str, user: str) -> Iterator[dict[str, Any]]:
    """Record in the audit log how this ends, with what is put into the dictionary."""
    about: dict[str, Any] = {}
    try:
        yield about
    except BaseException as error:  # also what only its own step can fail with, and Ctrl-C
        _note(url, event, user, about, str(error) if isinstance(error, BackupFailed) else type(error).__name__)
        raise
    _note(url, event, user, about)


def _note(url: str, event: str, user: str, about: dict[str, Any], error: str | None = None) -> None:
    """Record an event, where the database has an audit log: an empty one that is restored into has none yet."""
    try:
        with connection.connect(url) as conn:
            if connection.has_relation(conn, "ops.audit_logs"):
                audit_log.record(
                    conn,
                    event,
                    resource="backup",
                    resource_id=about.get("backup"),
                    user=user,
                    success=error is None,
                    metadata=about,
                    error_message=error,
                )
    except psycopg.Error as fault:
        log.warning("%s is not in the audit log: %s", event, type(fault).__name__)
