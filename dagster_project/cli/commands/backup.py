"""`b2chat backup`, `backups`, `restore`, `drill`: copies of the warehouse, and the way back from them."""

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg.sql import Identifier

from dagster_project.cli.command_line import FAILED, JsonOption, console, print_answer
from dagster_project.cli.run_log import log_on_terminal
from dagster_project.deployment import environment
from dagster_project.erasure import after_restore, calls, requests
from dagster_project.erasure import run as erasures
from dagster_project.exports.stores.configured import copies_of, store_of
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.orchestration import places
from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import users
from dagster_project.warehouse.backup import configured, folder, physical
from dagster_project.warehouse.backup import copies as copying
from dagster_project.warehouse.backup.folder import Backup, BackupFailed
from dagster_project.warehouse.backup.physical import Physical

FAULTS = (BackupFailed, StoreFailed)

NameArgument = Annotated[str | None, typer.Argument(help="Its name, or the beginning of it. Default: the newest.")]


def backup(
    incremental: Annotated[
        bool, typer.Option("--incremental", help="The server's files that changed since the last such backup (17+).")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a backup of the warehouse now, and delete those that are older than B2CHAT_BACKUP_KEEP_DAYS."""
    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment, log_on_terminal(quiet=as_json):
        _require_admin(deployment.url, "make a backup")
        if incremental:
            physical_one = configured.back_up_changes(settings, deployment.url, user=users.account())
            print_answer(as_json, _told(physical_one), lambda: _print_physical([physical_one]))
            return
        copies = copies_of(settings)
        made = configured.back_up(settings, deployment.url, user=users.account(), copies=copies)
    answer = _shown(made.backup) | {"deleted": made.deleted}
    print_answer(as_json, answer, lambda: _print([made.backup]))


def list_backups(as_json: JsonOption = False) -> None:
    """List the backups, newest first, with how the last drill of each went."""
    settings = environment.for_work(Settings.load())
    found, files = folder.listed(settings.backup_path), physical.listed(settings.backup_path)
    store = copies_of(settings)
    away = copying.listed(store) if store else []

    def tell() -> None:
        _print(found)
        for name in away:
            console.print(f"{name}  in {store.name if store else ''}", markup=False, soft_wrap=True)
        _print_physical(files)

    answer = {"backups": [_shown(one) for one in found], "in_bucket": away, "physical": [_told(one) for one in files]}
    print_answer(as_json, answer, tell)


def restore(
    name: NameArgument = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where the database holds data: it is kept under another name.")
    ] = False,
    data_folder: Annotated[
        Path | None,
        typer.Option(help="Of an incremental backup: the folder to make, on which a server of its version starts."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup: into a new database, which takes the warehouse's name when all of it is there and is the same.

    Stop the services first. A restore that was killed is run again.
    """
    settings = environment.for_work(Settings.load())
    if data_folder:
        target = data_folder.expanduser().absolute()
        one = physical.chosen(settings.backup_path, name)
        physical.put_together(settings.backup_path, one, target, settings.pg_bin)
        print_answer(as_json, _told(one) | {"data_folder": str(target)}, lambda: console.print(f"{one.name}: {target}"))
        return

    in_sources = 0

    def forget_again(new: str, _: str) -> None:
        nonlocal in_sources
        erasures.reapply(new, settings, store_of(settings), users.account())
        with connection.connect(new) as conn:
            own = new if connection.has_relation(conn, "rooms.users") else None
        if home := places.home_of(settings, "rooms", new) or own:
            in_sources = after_restore.forget_in_rooms(
                new, home, settings, store_of(settings), users.account(), by_name=False
            )
        home = places.home_of(settings, "calls", new)
        home = home if home and calls.may_write(home) else None
        in_sources += calls.erase_again(new, home, settings, store_of(settings), users.account())

    # Without migrations: what is there may be damaged, and is not what is wanted.
    with connection.warehouse(settings) as url, log_on_terminal(quiet=as_json):
        _require_admin(url, "restore a backup")
        chosen = copying.chosen(copies_of(settings), settings.backup_path, name)
        done = configured.bring_back(settings, url, chosen, user=users.account(), replace=replace, then=[forget_again])
    with environment.running(settings) as deployment:
        with connection.connect(deployment.url) as conn:
            to_forget = requests.unfinished(conn)
        if to_forget or in_sources:
            from dagster_project.cli import run_job  # noqa: PLC0415  imports Dagster

            # The models are built without them, and what is left of them is looked for.
            run_job.run(deployment, "erase_people" if to_forget else "build_marts", quiet=as_json)
    seconds = sum(done.seconds.values())

    def tell() -> None:
        console.print(f"restored {done.backup} as {done.database} in {seconds:.1f} s: {_parts(done.seconds)}")
        if to_forget or in_sources:
            console.print(f"{len(to_forget) + in_sources} people who were erased since are erased again")
        if done.kept_as:
            drop = shlex.quote(f"drop database {Identifier(done.kept_as).as_string()}")
            console.print(f"what was there is kept: b2chat db psql -c {drop} deletes it", markup=False, soft_wrap=True)

    print_answer(as_json, vars(done), tell)


def drill(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Restore a backup on a throw-away server and compare every table: whether it is worth anything."""
    settings = environment.for_work(Settings.load())
    chosen = folder.chosen(settings.backup_path, name)
    with environment.running(settings) as deployment, log_on_terminal(quiet=as_json):
        result = configured.try_out(settings, deployment.url, chosen)
    how = f"{result['tables']} tables with {result['rows']:,} rows are the same" if result["ok"] else result["fault"]
    print_answer(
        as_json,
        result,
        lambda: console.print(f"{result['name']}: {how}; {result['seconds']} s: {_parts(result['parts'])}"),
    )
    if not result["ok"]:
        raise typer.Exit(FAILED)


def _require_admin(url: str, doing: str) -> None:
    """Raises NotAllowed where a user may not do it. A database that cannot say who there is, as an empty or a damaged
    one, is restored all the same."""
    with suppress(psycopg.Error), connection.connect(url) as conn:
        if connection.has_relation(conn, "ops.users"):
            users.require(conn, users.account(), doing, role="Admin")


def _shown(one: Backup) -> dict[str, Any]:
    manifest = {name: one.manifest[name] for name in ("finished_at", "seconds", "rows", "revision")}
    return {"name": one.name, "path": str(one.path), "bytes": one.bytes, **manifest, "drill": one.drill}


def _print(found: list[Backup]) -> None:
    for one in found:
        drilled = one.drill
        how = "no drill" if not drilled else f"drill {drilled['at'][:16]}: {drilled['fault'] or 'the same'}"
        rows, seconds = one.manifest["rows"], one.manifest["seconds"]
        console.print(f"{one.name}  {folder.shown(one.bytes):>9}  {rows:>13,} rows  {seconds:>7} s  {how}")
    if not found:
        console.print("there are no backups: `b2chat backup` makes one")


def _told(one: Physical) -> dict[str, Any]:
    return {"name": one.name, "path": str(one.path), **one.about}


def _print_physical(found: list[Physical]) -> None:
    for one in found:
        about = one.about
        how = f"changes since {about['base']}" if about["base"] else "all of the server"
        console.print(f"{one.name}  {folder.shown(about['bytes']):>9}  {about['seconds']:>7} s  {how}")


def _parts(seconds: dict[str, float]) -> str:
    return ", ".join(f"{part} {value} s" for part, value in seconds.items())
