"""Where exports are kept, and the books of them: against a real folder, a local S3 and a Postgres."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest

from dagster_project.cli import health_checks
from dagster_project.deployment.environment import Deployment
from dagster_project.exports import export_log, service
from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.export_log import LogEntry
from dagster_project.exports.formats.format import WriteResult
from dagster_project.exports.stores.bucket import Bucket
from dagster_project.exports.stores.configured import store_of
from dagster_project.exports.stores.contract import ExportStore, StoreFailed, manifest_key, new_key
from dagster_project.exports.stores.folder import Folder
from dagster_project.exports.stores.own_file import OwnFile
from dagster_project.settings import Settings
from tests.support import s3

KEEP = timedelta(days=7)


@pytest.fixture(scope="module")
def warehouse(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def books(warehouse: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(warehouse, autocommit=True) as conn:
        conn.execute("truncate ops.export_logs, analysis.customer_analyses cascade")
        yield conn


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with s3.running() as address:
        yield address


@pytest.fixture
def bucket(address: str, tmp_path: Path) -> Bucket:
    return store_of(
        Settings.load(
            exports_bucket="exports",
            exports_s3_prefix="b2chat",
            exports_s3_endpoint=address,
            exports_s3_region="us-east-1",
            exports_s3_access_key_id="canary-id",
            exports_s3_secret_access_key="canary-secret",
            exports_dir=tmp_path,
        )
    )


def writes(text: bytes) -> service.Writer:
    """A writer of two rows."""

    def write(conn: psycopg.Connection, out: BinaryIO) -> WriteResult:
        out.write(text)
        return WriteResult(2, [("chat_id", "text")])

    return write


def make(url: str, store: ExportStore, writer: service.Writer | None = None, **asked: Any) -> Any:
    writer = writer or writes(b"chat_id\r\n1\r\n2\r\n")
    entry = LogEntry(**({"kind": "chats", "format": "csv", "user": "ana", "filters": {"from": "2026-01-05"}} | asked))
    return service.export(url, store, entry, writer, label="2026-01-05_2026-01-11", zone="America/Bogota", keep=KEEP)


def statuses(conn: psycopg.Connection) -> list[tuple[str, str | None]]:
    return conn.execute("select status, error_message from ops.export_logs order by created_at").fetchall()


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_export_lies_in_the_folder_for_its_owner_alone_with_a_manifest_that_proves_it(
    warehouse: str, books: psycopg.Connection, tmp_path: Path
) -> None:
    store = Folder(tmp_path / "exports")
    made = make(warehouse, store)
    file = Path(made.place)
    assert file.read_bytes() == b"chat_id\r\n1\r\n2\r\n"
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert {oct(folder.stat().st_mode)[-3:] for folder in (file.parent, tmp_path / "exports")} == {"700"}
    manifest = json.loads((store.root / manifest_key(made.key)).read_text())
    assert manifest["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (manifest["rows"], manifest["size_bytes"], manifest["profile"]) == (2, 15, "csv")
    assert manifest["time_zone"] == "America/Bogota" and manifest["schema_version"] == 1
    row = books.execute("""
        select user_id, export_type, record_count, size_bytes, sha256, status, file_name, expires_at - completed_at
        from ops.export_logs""").fetchone()
    assert row and row[:7] == (
        "ana",
        "chats",
        2,
        15,
        manifest["sha256"],
        "completed",
        "b2chat-chats-2026-01-05_2026-01-11.csv",
    )
    assert abs(row[7] - KEEP) < timedelta(minutes=1)


def test_a_key_is_made_of_safe_signs_alone_and_a_store_takes_no_other(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a-z, 0-9"):
        new_key("chats", "../../etc", "run", "csv")
    (tmp_path / "secret.csv").write_text("x")
    for key in ("../secret.csv", "a/../../secret.csv", "/etc/passwd", "a//b.csv", "a\0b.csv", "chats/Ñandú.csv"):
        for store in (Folder(tmp_path / "exports"), Bucket("exports")):
            with pytest.raises(StoreFailed):
                store.delete(key)
            with pytest.raises(StoreFailed):
                store.place(key)
    assert (tmp_path / "secret.csv").exists()


def test_nothing_is_written_over(tmp_path: Path, bucket: ExportStore) -> None:
    key = new_key("chats", "2026-01-05", "run", "csv")
    for store in (Folder(tmp_path / "exports"), bucket, OwnFile(tmp_path / "own.csv")):
        for text in (b"first", b"second"):
            (tmp_path / "new").write_bytes(text)
            if text == b"first":
                store.put(key, tmp_path / "new", "chats.csv", "text/csv")
            else:
                with pytest.raises(StoreFailed, match=r"there already|taken"):
                    store.put(key, tmp_path / "new", "chats.csv", "text/csv")
    assert (tmp_path / "exports" / key).read_bytes() == (tmp_path / "own.csv").read_bytes() == b"first"


def test_an_object_of_a_bucket_is_private_opened_by_a_link_for_a_time_and_deleted(
    warehouse: str, books: psycopg.Connection, bucket: ExportStore
) -> None:
    made = make(warehouse, bucket)
    link = bucket.link(made.key, 3600)
    asked = parse_qs(urlsplit(link).query)
    assert asked["X-Amz-Expires"] == ["3600"]
    answer = httpx.get(link)
    assert answer.content == b"chat_id\r\n1\r\n2\r\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="b2chat-chats-2026-01-05_2026-01-11.csv"'
    assert httpx.get(link.partition("?")[0]).status_code == 403
    assert made.place == f"s3://exports/b2chat/{made.key}"
    kept = json.dumps(books.execute("select to_jsonb(logs) from ops.export_logs as logs").fetchall())
    assert "X-Amz" not in kept and "canary" not in kept + repr(bucket)
    bucket.delete(made.key)
    bucket.delete(made.key)
    with pytest.raises(StoreFailed, match="no such"):
        bucket.link(made.key, 3600)


def test_a_large_object_goes_up_in_parts_and_comes_back_whole(
    warehouse: str, books: psycopg.Connection, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dagster_project.exports.stores.bucket._PART_ABOVE", 24 * 1024 * 1024)
    content = os.urandom(1024 * 1024) * 25
    made = make(warehouse, bucket, writes(content))
    assert hashlib.sha256(httpx.get(bucket.link(made.key, 60)).content).hexdigest() == made.sha256
    bucket.get(made.key, tmp_path / "fetched")
    assert hashlib.sha256((tmp_path / "fetched").read_bytes()).hexdigest() == made.sha256
    with pytest.raises(StoreFailed, match="no such bucket or object"):
        bucket.get("chats/2026-01-05.csv", tmp_path / "fetched")


@pytest.mark.parametrize("seconds", [0, -1, 604_801])
def test_no_link_works_for_more_than_seven_days(bucket: ExportStore, seconds: int) -> None:
    with pytest.raises(StoreFailed, match="7 days"):
        bucket.link("chats/2026-01-05.csv", seconds)


def test_a_full_disk_leaves_no_half_of_a_file_and_one_line(
    warehouse: str, books: psycopg.Connection, tmp_path: Path
) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(ExportFailed, match=r"exports/.unfinished: file too large"):
            make(warehouse, Folder(tmp_path / "exports"), writes(b"x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files_in(tmp_path) == []
    assert [status for status, _ in statuses(books)] == ["failed"]


def test_a_store_that_is_down_leaves_nothing_behind_and_one_line(
    warehouse: str, books: psycopg.Connection, tmp_path: Path, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.exports.stores.bucket._RETRIES", {"max_retries": 0})
    down = Bucket(
        "exports",
        "",
        {
            "endpoint": f"http://127.0.0.1:{unused_port}",
            "region": "us-east-1",
            "access_key_id": "a",
            "secret_access_key": "canary",
        },
        tmp_path / "workshop",
    )
    with pytest.raises(ExportFailed, match=r"^s3://exports: no answer"):
        make(warehouse, down)
    assert files_in(tmp_path) == []
    ((status, reason),) = statuses(books)
    assert status == "failed" and reason and "\n" not in reason and "canary" not in reason


def test_a_file_that_cannot_be_written_down_does_not_stay(
    warehouse: str, books: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for step in ("export_log.complete", "_put_manifest"):
        with monkeypatch.context() as patched:
            patched.setattr(f"dagster_project.exports.service.{step}", stopped)
            with pytest.raises(KeyboardInterrupt):
                make(warehouse, Folder(tmp_path / "exports"))
    assert files_in(tmp_path) == []
    assert statuses(books) == [("failed", "it was stopped")] * 2


def test_a_fault_of_the_warehouse_is_told_without_its_values(
    warehouse: str, books: psycopg.Connection, tmp_path: Path
) -> None:
    def asks(conn: psycopg.Connection, out: BinaryIO) -> WriteResult:
        conn.execute("select 'canary'::int")
        return WriteResult(0)

    with pytest.raises(ExportFailed, match="InvalidTextRepresentation") as caught:
        make(warehouse, Folder(tmp_path), asks)
    assert "canary" not in str(caught.value) and "canary" not in str(statuses(books))


def test_two_exports_at_once_do_not_meet(warehouse: str, books: psycopg.Connection, tmp_path: Path) -> None:
    meeting, made = threading.Barrier(2, timeout=30), []

    def slowly(conn: psycopg.Connection, out: BinaryIO) -> WriteResult:
        meeting.wait()
        out.write(b"whole")
        meeting.wait()
        return WriteResult(1)

    def one() -> None:
        made.append(make(warehouse, Folder(tmp_path), slowly))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({export.key for export in made}) == 2
    assert [Path(export.place).read_bytes() for export in made] == [b"whole", b"whole"]
    assert [status for status, _ in statuses(books)] == ["completed", "completed"]


def test_a_killed_export_is_found_and_closed_and_what_it_left_is_gone(
    warehouse: str, books: psycopg.Connection, tmp_path: Path
) -> None:
    program = f"""
import time
from datetime import timedelta
from pathlib import Path
from dagster_project.exports import service
from dagster_project.exports.export_log import LogEntry
from dagster_project.exports.stores.folder import Folder
def hangs(conn, out):
    out.write(b"half"); out.flush(); print("half", flush=True); time.sleep(60)
service.export({warehouse!r}, Folder(Path({str(tmp_path)!r})), LogEntry("chats", "csv", "ana"), hangs,
              label="x", zone="UTC", keep=timedelta(1))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "half\n"
    assert service.fail_abandoned(books, Folder(tmp_path)) == 0  # it is running
    process.kill()
    process.wait()
    assert len(files_in(tmp_path)) == 1
    deadline = time.monotonic() + 10  # until Postgres sees that it is gone
    while not (closed := service.fail_abandoned(books, Folder(tmp_path))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert closed == 1
    assert files_in(tmp_path) == []
    ((status, reason),) = statuses(books)
    assert status == "failed" and reason and "killed" in reason


def test_the_clean_up_deletes_the_file_first_and_keeps_the_record_where_it_could_not(
    warehouse: str, books: psycopg.Connection, tmp_path: Path, bucket: ExportStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "exports")
    books.execute("""insert into analysis.customer_analyses (id, triggered_by, filters, sample_rate, classifier, is_llm)
                     values ('a1', 'ana', '{}', 1, 'rules-v1', false), ('a2', 'ana', '{}', 1, 'rules-v1', false)""")
    old, elsewhere = make(warehouse, folder, analysis_id="a1", kind="analysis"), make(warehouse, bucket)
    own = make(warehouse, OwnFile(tmp_path / "mine.csv"))
    assert books.execute("select format, blob_key, generated_by from analysis.analysis_exports").fetchall() == [
        ("CSV", old.key, "ana")
    ]
    assert service.clean_up(books, folder, datetime.now(UTC)) == (0, 0)
    later = datetime.now(UTC) + timedelta(days=8)

    def refused(self: Folder, key: str) -> None:
        raise StoreFailed("the folder is read-only")

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "delete", refused)
        assert service.clean_up(books, folder, later) == (0, 2)
    assert [status for status, _ in statuses(books)] == ["completed"] * 3
    assert service.clean_up(books, folder, later) == (1, 1)
    assert not Path(old.place).exists() and Path(own.place).exists()
    assert books.execute("select count(*) from analysis.analysis_exports").fetchone() == (0,)
    by_id = dict(books.execute("select id, status from ops.export_logs").fetchall())
    assert by_id == {old.id: "expired", elsewhere.id: "completed", own.id: "completed"}
    with pytest.raises(export_log.NoSuchExport, match="expired"):
        export_log.readable(books, old.id)
    kept = make(warehouse, folder, analysis_id="a2", kind="analysis")
    books.execute("delete from analysis.customer_analyses where id = 'a2'")  # and its files go with it
    assert service.clean_up(books, folder, datetime.now(UTC)) == (1, 0)
    assert not Path(kept.place).exists()


def test_check_names_a_store_that_takes_nothing(tmp_path: Path, database_url: str) -> None:
    blocked = tmp_path / "no folder"
    blocked.write_text("")
    standing = Deployment(Settings(exports_dir=blocked, data_dir=tmp_path), database_url)
    found = {result.name: result for result in health_checks.run_checks(standing)}["exports"]
    assert not found.ok
    assert str(blocked) in found.text
