"""Backups: what comes back is what was there, whoever is killed when, and nothing that stands is touched before."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg import sql
from pydantic import SecretStr

from dagster_project.alerts.troubles import look
from dagster_project.cli.commands import backup as commands
from dagster_project.erasure import requests
from dagster_project.erasure import run as erasures
from dagster_project.exports.stores.bucket import Bucket
from dagster_project.exports.stores.configured import store_of
from dagster_project.settings import Settings
from dagster_project.sources.catalog import SOURCES
from dagster_project.warehouse import binaries, connection, conninfo, embedded, migrations
from dagster_project.warehouse.archive.files import sha256_of
from dagster_project.warehouse.backup import configured, contents, copies, folder, make, physical
from dagster_project.warehouse.backup.folder import Backup, BackupFailed
from dagster_project.warehouse.backup.make import Made
from dagster_project.warehouse.backup.restore import Restored
from tests.support import listed, s3
from tests.support.syncing import sync_b2chat
from tests.support.world import FIRST_DAY, TODAY

PASSWORD = "kan%2f:@/' \\#$ñ"
SAID = "zbtext-canary"


@pytest.fixture(scope="module")
def owner(server_url: str) -> Iterator[str]:
    """A user whose password has all that goes wrong in a file or a URL."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(sql.SQL("create role zoe superuser login password {}").format(PASSWORD))
        yield f"postgresql://zoe:{quote(PASSWORD, safe='')}@{urlsplit(server_url).netloc.rpartition('@')[2]}/"
        conn.execute("reassign owned by zoe to current_user")
        conn.execute("drop role zoe")


@pytest.fixture
def settings(database_url: str, owner: str, new_folder: Callable[[], str]) -> Iterator[Settings]:
    """A warehouse with chats, a role that reads, and Dagster's tables, such as they are; and a folder of backups."""
    place = Path(new_folder())
    (place / "bi_password").write_text("bi")
    settings = Settings.load(
        database_url=owner + database_url.rpartition("/")[2], data_dir=place, backup_dir=place / "backups"
    )
    sync(settings, 30)
    with connection.connect(url_of(settings), autocommit=True) as conn:
        conn.execute("create table dagster.things (id bigserial primary key, body text)")
        conn.execute("insert into dagster.things (body) select 'r' from generate_series(1, 10)")
        conn.execute(
            "create schema if not exists marts; create view marts.one as select 1 as one; "
            "grant usage on schema marts to bi_reader"
        )
        conn.execute(sql.SQL("grant connect on database {} to bi_reader").format(sql.Identifier(conn.info.dbname)))
    yield settings
    name = conninfo.read(url_of(settings))["dbname"]
    for (kept,) in ask(settings, f"select datname from pg_database where datname ~ '^{name}_'"):
        ask(settings, f'drop database "{kept}" with (force)')


def url_of(settings: Settings) -> str:
    assert settings.database_url
    return settings.database_url.get_secret_value()


def back_up(settings: Settings) -> Made:
    return configured.back_up(settings, url_of(settings), user="zoe")


def bring_back(settings: Settings, backup: Backup, **how: Any) -> Restored:
    return configured.bring_back(settings, url_of(settings), backup, user="zoe", **how)


def sync(settings: Settings, chats: int, **fields: Any) -> None:
    said = [listed.message("2025-10-01 09:00:00", body=SAID)]
    people = [listed.contact(7, fullname=fields["contact"]["name"])] if fields else []
    source = listed.ListedSource([listed.chat(f"c{n}", messages=said, **fields) for n in range(chats)], people)
    with listed.serving(source) as sandbox, listed.client_of(sandbox) as client:
        if people:
            sync_b2chat(url_of(settings), client, entity="contacts", start_date=FIRST_DAY, today=TODAY)
        sync_b2chat(url_of(settings), client, entity="chats", start_date=FIRST_DAY, today=TODAY, lookback_days=30)


def held(settings: Settings) -> contents.Contents:
    with connection.connect(url_of(settings)) as conn:
        return contents.read(conn)


def ask(settings: Settings, query: str) -> Any:
    with connection.connect(url_of(settings), autocommit=True) as conn:
        cursor = conn.execute(query.encode())
        return cursor.fetchall() if cursor.description else None


def test_what_is_restored_is_what_was_backed_up_and_the_next_sync_goes_on(settings: Settings) -> None:
    before = held(settings)
    made = back_up(settings).backup
    assert folder.listed(settings.backup_path) == [made] and made.faults() == []
    assert made.manifest["rows"] == sum(rows for rows, _ in before.values()) > 60
    modes = {path.stat().st_mode & 0o777 for path in settings.backup_path.rglob("*") if path.is_file()}
    assert modes == {0o600} and settings.backup_path.stat().st_mode & 0o777 == 0o700
    ask(settings, "delete from raw.b2chat_chats; drop table dagster.things")
    (settings.data_path / "bi_password").unlink()
    with pytest.raises(BackupFailed, match="--replace"):
        bring_back(settings, made, replace=False)
    done = bring_back(settings, made, replace=True)
    assert without_log(held(settings)) == without_log(before)
    events = "select event_type, success from ops.audit_logs where event_type ~ '^(backup|restore)' order by timestamp"
    assert ask(settings, events) == [
        ("backup.complete", True),
        ("restore.start", True),
        ("restore.complete", False),
        ("restore.start", True),
        ("restore.complete", True),
    ]
    assert (settings.data_path / "bi_password").read_text() == "bi"
    assert ask(settings, "select has_database_privilege('bi_reader', current_database(), 'connect')") == [(True,)]
    assert ask(settings, "select has_schema_privilege('bi_reader', 'marts', 'usage')") == [(True,)]
    sync(settings, 32)
    assert ask(settings, "select count(*), count(distinct load_id) > 1 from raw.b2chat_chats") == [(32, True)]
    assert ask(settings, "insert into dagster.things default values returning id") == [(11,)]
    assert ask(settings, f"select count(*) from pg_database where datname = '{done.kept_as}'") == [(1,)]


def test_a_copy_in_the_bucket_is_restored_where_all_disks_are_lost_and_goes_when_it_is_old(
    settings: Settings, new_folder: Callable[[], str]
) -> None:
    with s3.running() as address:
        asked = {"endpoint": address, "access_key_id": "id", "secret_access_key": "key", "region": "us-east-1"}
        bucket = Bucket(s3.BUCKET, "b2chat", dict(asked))
        before = held(settings)
        made = configured.back_up(settings, url_of(settings), user="zoe", copies=bucket).backup
        assert copies.listed(bucket) == [made.name] and f"1 in {bucket.name}" in configured.check(settings, bucket)
        kept = settings.model_copy(update={"backup_dir": Path(new_folder()) / "elsewhere"})
        assert "1 in s3://exports/b2chat, which `b2chat restore` takes" in configured.check(kept, bucket)
        ask(settings, "delete from raw.b2chat_chats; drop table dagster.things")
        fetched = copies.chosen(bucket, kept.backup_path, None)
        assert fetched.path.parent == kept.backup_path and fetched.manifest == made.manifest
        assert {file.stat().st_mode & 0o777 for file in fetched.path.rglob("*") if file.is_file()} == {0o600}
        bring_back(kept, fetched, replace=True)
        assert without_log(held(settings)) == without_log(before)

        # Three are old, of which one was interrupted; a fourth is being copied by another machine.
        now, text = datetime.now(UTC), Path(new_folder()) / "sums.txt"
        text.write_text("")
        names = [f"{now - timedelta(days=days):%Y%m%d-%H%M%S}-0001" for days in (40, 50, 2, 0)]
        for name, file in zip(names, ("sums.txt", "sums.txt", "000000.part", "000000.part"), strict=True):
            bucket.put(f"backups/{name}/{file}", text, file, "text/plain")
        assert copies.copy(bucket, made, keep_days=45) == [names[1]]
        assert copies.listed(bucket) == [made.name, names[0]]
        left = {key.split("/")[1] for key in bucket.sizes("backups/")}
        assert left == {made.name, names[0], names[3]}

        shutil.copytree(made.path, made.path.with_name("99990101-000000-0000"))
        with pytest.raises(BackupFailed, match="is not in s3://exports/b2chat"):
            configured.check(settings, bucket)
        bucket.delete(key := f"backups/{made.name}/000003.part")
        bucket.put(key, text, "part", "text/plain")
        folder.delete(kept.backup_path, fetched.path)
        with pytest.raises(BackupFailed, match="is not what was written"):
            copies.chosen(bucket, kept.backup_path, made.name)
        assert folder.listed(kept.backup_path) == []
        copied = "select count(*) from ops.audit_logs where event_type = 'backup.copy' and success"
        assert ask(settings, copied) == [(1,)]


def test_an_empty_warehouse_takes_an_older_backup_migrates_it_and_is_gone(
    settings: Settings, new_database: Callable[[], str], owner: str
) -> None:
    script = ScriptDirectory.from_config(migrations._config()).get_revision("head")
    assert script and script.down_revision
    migrations.downgrade(url_of(settings), str(script.down_revision))
    made = back_up(settings).backup
    assert made.manifest["revision"] == script.down_revision
    name, template = conninfo.read(url_of(settings))["dbname"], new_database().rpartition("/")[2]
    odd = f"{name}_host=x y'%"  # which pg_restore would read as an address
    ask(settings, f'create database "{odd}" template "{template}"')
    empty = settings.model_copy(update={"database_url": SecretStr(owner + quote(odd, safe=""))})
    steps: list[tuple[str, str]] = []
    done = bring_back(empty, made, replace=False, then=[lambda new, old: steps.append((new, old))])
    assert done.kept_as is None
    assert ask(empty, "select count(*) from raw.b2chat_chats") == [(30,)]
    assert [old for _, old in steps] == [url_of(empty)]
    assert migrations.current(url_of(empty)) == migrations.newest()


def test_a_killed_backup_is_no_backup_shows_no_password_and_the_next_one_clears_it_away(settings: Settings) -> None:
    with connection.connect(url_of(settings)) as other:
        other.execute("lock table dagster.things in access exclusive mode")  # pg_dump waits for it
        child = forked(lambda: back_up(settings))
        dumping = until(lambda: processes("pg_dump", settings.backup_path))
        seen = b"".join(Path(f"/proc/{pid}/{what}").read_bytes() for pid in dumping for what in ("cmdline", "environ"))
        assert b"PGPASSFILE" in seen and b"kan" not in seen.replace(b"b2chat", b"")
        with pytest.raises(BackupFailed, match="another backup or drill is at work"):
            back_up(settings)
        kill(child)
        assert folder.listed(settings.backup_path) == [] and list(settings.backup_path.glob(".unfinished-*"))
    made = back_up(settings).backup
    assert [path.name for path in settings.backup_path.iterdir() if path.name != ".lock"] == [made.name]
    assert made.faults() == []


def test_a_killed_restore_leaves_the_warehouse_as_it_was_and_is_taken_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = back_up(settings).backup
    sync(settings, 31)
    before = held(settings)
    name = conninfo.read(url_of(settings))["dbname"]
    loading = f"select count(*) > 0 from pg_stat_activity where datname = '{name}_restoring' and usename = 'zoe'"
    child = forked(lambda: bring_back(settings, made, replace=True))
    until(lambda: ask(settings, loading) == [(True,)], pause=0.005)
    kill(child)
    assert without_log(held(settings)) == without_log(before)
    monkeypatch.setattr(migrations, "upgrade", lambda url: os.kill(os.getpid(), signal.SIGKILL))
    child = forked(lambda: bring_back(settings, made, replace=True))
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert without_log(held(settings)) == without_log(before)
    monkeypatch.undo()
    done = bring_back(settings, made, replace=True)
    assert "load" not in done.seconds  # it had been loaded whole
    assert ask(settings, "select count(*) from raw.b2chat_chats") == [(30,)]
    assert ask(settings, f"select count(*) from pg_database where datname = '{name}_restoring'") == [(0,)]


def test_what_users_and_logins_may_do_is_as_before_the_restore_not_as_of_the_backup(settings: Settings) -> None:
    ask(
        settings,
        "insert into ops.users (id, email, role) values ('ana', 'ana@x.co', 'Admin'), ('leo', 'leo@x.co', 'Admin')",
    )
    ask(
        settings,
        "insert into ops.logins (login, role, valid_until, made_by) values ('ana_bi', 'manager', 'infinity', 'zoe')",
    )
    ask(settings, "insert into ops.login_scopes values ('ana_bi', 'department', '1'), ('ana_bi', 'department', '2')")
    made = back_up(settings).backup
    ask(settings, "update ops.users set disabled_at = '2026-01-02', role = 'Manager' where id = 'ana'")
    ask(settings, "insert into ops.users (id, email, role) values ('new', 'new@x.co', 'Manager')")
    ask(settings, "update ops.logins set disabled_at = '2026-01-02'")
    ask(settings, "delete from ops.login_scopes where scope_id = '2'")
    bring_back(settings, made, replace=True)
    people = "select id, role, disabled_at is null from ops.users where kind = 'person' order by id"
    assert ask(settings, people) == [("ana", "Manager", False), ("leo", "Admin", True), ("new", "Manager", True)]
    assert ask(settings, "select disabled_at is null from ops.logins") == [(False,)]
    assert ask(settings, "select scope_id from ops.login_scopes") == [("1",)]
    changes = (
        "select resource from ops.audit_logs where event_type = 'data.update' and resource ~ '^user' order by timestamp"
    )
    assert ask(settings, changes) == [("user:ana",), ("user:ana",)]  # by whoever did it, and by the restore


def test_who_was_erased_after_the_backup_is_gone_again_after_the_restore(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    name, person = "Zulma Kanaria", {"id": 7, "name": "Zulma Kanaria", "mobile_number": "+573991234567"}
    sync(settings, 1, contact=person)
    back_up(settings)
    known = "select (select count(*) from raw.b2chat_chats where payload::text like '%Kanaria%') + "
    known += "(select count(*) from raw.b2chat_contacts where payload::text like '%Kanaria%')"
    assert ask(settings, known) == [(2,)]
    monkeypatch.setenv("DATABASE_URL", url_of(settings))
    monkeypatch.setenv("B2CHAT_DATA_DIR", str(settings.data_path))
    with connection.connect(url_of(settings), autocommit=True) as conn:
        request = requests.ask(conn, "7", "zoe")
    erasures.erase(url_of(settings), settings, store_of(settings), request)
    assert ask(settings, known) == [(0,)]
    (settings.data_path / "erased_people").unlink()  # killed before the list was copied: the database has it
    commands.restore(name=None, replace=True, data_folder=None, as_json=True)
    assert ask(settings, known) == [(0,)] and ask(settings, "select state from ops.erasure_requests") == [("done",)]
    assert name not in capfd.readouterr().out


def test_a_file_that_changed_is_named_and_nothing_is_touched(settings: Settings) -> None:
    made = back_up(settings).backup
    before = held(settings)
    largest = max((made.path / "dump").iterdir(), key=lambda file: file.stat().st_size)
    bad = bytearray(largest.read_bytes())
    bad[len(bad) // 2] ^= 1
    largest.write_bytes(bad)
    with pytest.raises(BackupFailed, match=f"dump/{largest.name} is not what was written"):
        bring_back(settings, made, replace=True)
    assert without_log(held(settings)) == without_log(before)


def test_a_drill_restores_on_a_server_of_its_own_and_fails_where_a_table_differs(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    made = back_up(settings).backup
    result = configured.try_out(settings, url_of(settings), made)
    assert result["ok"], result
    assert made.drill == result and result["rows"] == made.manifest["rows"] and result["seconds"] > 0
    assert not (settings.data_path / "drill").exists()
    assert "the last good drill" in configured.check(settings)
    manifest = json.loads((made.path / "manifest.json").read_text())
    rows, total = manifest["tables"]["dagster.things"]
    manifest["tables"]["dagster.things"] = [rows, str(int(total) + 1)]
    retold(made, manifest)
    result = configured.try_out(settings, url_of(settings), Backup(made.path))
    assert not result["ok"] and "dagster.things has as many rows, but not the same" in result["fault"]
    assert SAID not in json.dumps(result) + caplog.text and "kan%" not in caplog.text


def test_a_disk_without_room_is_said_before_and_a_full_one_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))  # type: ignore[attr-defined]
        with pytest.raises(BackupFailed, match=r"^a backup needs about .* has 0 bytes left$"):
            back_up(settings)
    with monkeypatch.context() as full:
        full.setattr(make.shutil, "copyfile", raise_full)
        with pytest.raises(BackupFailed, match="no space left on device"):
            back_up(settings)
    assert [path.name for path in settings.backup_path.iterdir()] == [".lock"]


def test_old_backups_go_the_newest_stays_and_an_alert_says_when_there_is_no_fresh_one(settings: Settings) -> None:
    made = [back_up(settings).backup for _ in range(2)]
    for one, day in zip(made, ("01", "02"), strict=True):
        retold(one, one.manifest | {"finished_at": f"2026-01-{day}T07:00:00+00:00"})
    with connection.connect(url_of(settings)) as conn:
        kinds = {(one.kind, one.subject) for one in look(conn, settings, SOURCES).troubles}
        quiet = look(conn, settings.model_copy(update={"backup_max_age_hours": 0}), SOURCES).troubles
    assert {("backup_too_old", "backup"), ("backup_too_old", "drill")} <= kinds
    assert "backup_too_old" not in {one.kind for one in quiet}
    fresh = back_up(settings)
    assert fresh.deleted == sorted((one.name for one in made), reverse=True)
    assert folder.listed(settings.backup_path) == [fresh.backup]


@pytest.mark.skipif("LONG_TESTS" not in os.environ, reason="all files of the server, put on the disk: LONG_TESTS=1")
def test_an_incremental_backup_holds_what_came_since_and_starts_as_a_server(settings: Settings) -> None:
    url = url_of(settings)
    with pytest.raises(BackupFailed, match="alter system set summarize_wal = on"):
        configured.back_up_changes(settings, url, user="zoe")
    ask(settings, "alter system set summarize_wal = on")
    ask(settings, "select pg_reload_conf()")
    whole = configured.back_up_changes(settings, url, user="zoe")
    sync(settings, 40)
    changes = configured.back_up_changes(settings, url, user="zoe")
    assert (whole.about["base"], changes.about["base"]) == (None, whole.name)
    assert changes.about["bytes"] < whole.about["bytes"]
    target = settings.data_path.parent / f"{settings.data_path.name}-server"
    physical.put_together(settings.backup_path, changes, target)
    found, port = binaries.find(), embedded._free_port()
    found.run("pg_ctl", "start", "--pgdata", target, "--wait", "--options", f"-p {port}", "--log", target / "log")
    try:
        parameters = conninfo.read(url) | {"port": str(port)}
        with connection.connect(conninfo.to_url(parameters)) as conn:
            assert without_log(contents.read(conn)) == without_log(held(settings))
    finally:
        found.run("pg_ctl", "stop", "--pgdata", target, "--mode", "immediate")
        ask(settings, "alter system reset summarize_wal")
        ask(settings, "select pg_reload_conf()")
    bad = next(path for path in (whole.path / "base").rglob("*") if path.is_file() and path.stat().st_size > 8192)
    bad.write_bytes(bad.read_bytes()[:-1])
    with pytest.raises(BackupFailed, match=f"pg_verifybackup: .*{bad.name}"):
        physical.put_together(settings.backup_path, changes, target.with_name("bad"))


def without_log(held: contents.Contents) -> contents.Contents:
    """Without the audit log, which a restore adds to and takes nothing from."""
    return {table: what for table, what in held.items() if not table.startswith("ops.audit_logs")}


def retold(backup: Backup, manifest: dict[str, Any]) -> None:
    """Write another manifest into a backup, with its checksum."""
    file, sums = backup.path / "manifest.json", backup.path / "SHA256SUMS"
    old = sha256_of(file)
    file.write_text(json.dumps(manifest))
    sums.write_text(sums.read_text().replace(old, sha256_of(file)))


def raise_full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def forked(work: Callable[[], Any]) -> Any:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def kill(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)


def processes(program: str, folder: Path) -> list[int]:
    """The ids of the processes of a program whose arguments name a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].endswith(program) and str(folder) in " ".join(words):
            found.append(int(entry.name))
    return found


def until(condition: Callable[[], Any], pause: float = 0.05) -> Any:
    deadline = time.monotonic() + 30
    while not (met := condition()):
        assert time.monotonic() < deadline
        time.sleep(pause)
    return met
