"""A user of rooms is forgotten: at the source, in what was read of it, in archived months; what is counted stays."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet
import pytest

from dagster_project.erasure import after_restore, rooms
from dagster_project.erasure.person import NoSuchPerson
from dagster_project.exports.stores.folder import Folder
from dagster_project.ingestion.sync import sync_source
from dagster_project.settings import Settings
from dagster_project.sources.contract import Scope
from dagster_project.sources.postgres_reader.reader import postgres_source
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.entities import ROOMS
from dagster_project.warehouse import suppression
from dagster_project.warehouse.archive import restore, steps
from dagster_project.warehouse.connection import connect
from tests.support.killed import kill_at
from tests.support.rooms import acting, add_organizations, add_room, add_user, call, seat

WORD, TODAY = "zqkan", date(2026, 11, 26)
OLD = datetime(2024, 10, 7, 12, tzinfo=UTC)


def _sync(url: str) -> None:
    with postgres_source(ROOMS, url, "row_xid") as opened:
        sync_source(url, opened, Scope("incremental", TODAY), triggered_by="test")


def _counts(url: str) -> tuple[int, ...]:
    with connect(url) as conn:
        return tuple(
            (conn.execute(f"select count(*) from raw.rooms_{table}").fetchone() or (0,))[0]
            for table in ("messages", "chat_file_attachments", "robot_interactions", "chat_rooms", "users")
        )


def _said(url: str) -> set[str]:
    """The tables in which the word is."""
    with connect(url) as conn:
        tables = conn.execute(
            "select oid::regclass::text from pg_class where relkind = 'r' "
            "and relnamespace in ('rooms'::regnamespace, 'raw'::regnamespace, 'archived'::regnamespace)"
        ).fetchall()
        return {
            table
            for (table,) in tables
            if conn.execute(f"select exists (select from {table} as t where t::text ilike '%{WORD}%')").fetchone()
            == (True,)
        }


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """A support room about a person and a group room, each with messages of October 2024 and of now."""
    made = new_database()
    schema.upgrade(made)
    with connect(made) as conn:
        conn.execute("select rooms.keep_months('2024-10-01', '2024-10-31')")
        add_organizations(conn)
        ana, gone = add_user(conn, "ana"), add_user(conn, f"{WORD}-person", "guest")
        support = add_room(conn, gone, room_type="support", name=WORD, issue_description=WORD)
        group = add_room(conn, ana, name="ours")
        for room in (support, group):
            seat(conn, room, ana, "moderator")
            seat(conn, room, gone, "guest")
        with acting(conn, gone):
            call(conn, "set_presence", f"gone to {WORD}")
        for at in (OLD, datetime.now(UTC) - timedelta(minutes=5)):
            conn.execute(  # as another system's history has it
                "insert into rooms.messages (room_id, sender_id, message_type, content, created_at) "
                "values (%s, %s, 'system', %s, %s)",
                [support, ana, f"{WORD} came in", at],
            )
            for person, room, text in (
                (gone, support, f"I am {WORD}"),
                (ana, support, f"Dear {WORD}"),
                (gone, group, f"{WORD} was here"),
                (ana, group, "a word of Ana's"),
            ):
                with acting(conn, person):
                    (message, _), *_ = call(conn, "post_message", room, text, created_at=at)
                    if person == gone:
                        file = ("7c9e6679-7425-40de-944b-e07fc1f90ae7", f"{WORD}.pdf", 1, "application/pdf")
                        call(conn, "attach_file", message, *file)
                        call(conn, "start_robot", message, "r1", f'{{"ask": "{WORD}"}}')
    return made


def test_nothing_that_a_user_wrote_is_left_and_all_that_is_counted_is(
    url: str, tmp_path: Path, new_folder: Callable[[], str]
) -> None:
    os.environ["B2CHAT_DATA_DIR"] = new_folder()
    settings, store = Settings.load(), Folder(tmp_path / "exports")
    _sync(url)
    before = _counts(url)
    assert before == (10, 4, 4, 2, 2)
    steps.run(url, store, 24, TODAY)
    assert _counts(url)[0] == 5 and len(_said(url)) > 8
    with connect(url) as conn:
        (user,) = conn.execute("select id::text from rooms.users where account_type_informal = 'guest'").fetchone() or (
            "",
        )
    earlier = f"{url}_earlier"
    with connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as conn:
        conn.execute(f"create database {earlier.rpartition('/')[2]} template {url.rpartition('/')[2]}")

    for step in ("warehouse.suppression.writer", "erasure.analyses.erase", "erasure.files.rewrite"):
        kill_at(step, rooms.erase, url, url, settings, store, user, "admin")
    # October is in files: three of rooms, and one of what was read of them. That one tells of which messages robots had
    # two requests, of which the rows in raw do not say themselves whose they are.
    counts = rooms.erase(url, url, settings, store, user, "admin")
    left = {place: counts[place] for place in counts if not place.endswith("history")}
    assert left == {"archived files": 4, "raw.rooms_robot_interactions": 2}
    assert _said(url) == set()
    for file in (tmp_path / "exports").rglob("*.parquet"):
        assert WORD not in str(pyarrow.parquet.read_table(file).to_pylist())
    _sync(url)
    assert _counts(url) == (5, *before[1:]) and _said(url) == set()
    for table in ("rooms.messages", "rooms.chat_file_attachments", "rooms.robot_interactions", "raw.rooms_messages"):
        restore.restore(url, store, table, date(2024, 10, 1))
    assert _counts(url) == before and _said(url) == set()
    _sync(url)
    assert _counts(url) == before and _said(url) == set()
    with connect(url) as conn:
        kept = conn.execute("select count(*) from raw.rooms_messages where payload ->> 'content' = 'a word of Ana''s'")
        assert kept.fetchone() == (2,)
        told = conn.execute("select t::text from ops.audit_logs as t where event_type = 'erasure.complete'")
        told = told.fetchall()
        assert len(told) == 1 and user not in told[0][0]
    again = rooms.erase(url, url, settings, store, user, "admin")
    assert not {place for place in again if place.startswith(("raw.", "rooms.messages", "archived"))}
    _restored(url, earlier, settings, store, user)


def _restored(url: str, earlier: str, settings: Settings, store: Folder, user: str) -> None:
    """Backups from before come back, of rooms and of the warehouse: nobody has to remember who was erased."""
    assert list(after_restore.known_in_rooms(url, earlier)) == [user] and len(_said(earlier)) > 8
    with connect(earlier) as conn:
        suppression.take_copy(conn, settings)
    assert after_restore.forget_in_rooms(earlier, earlier, settings, store, "admin") == 1
    assert _said(earlier) == set() and after_restore.known_in_rooms(url, earlier) == {}
    # As where the rooms are elsewhere, and only what was read of them is of the backup.
    with connect(earlier) as conn:
        conn.execute(
            "update raw.rooms_messages set payload = payload || jsonb_build_object('content', %s::text) "
            "where payload ->> 'sender_id' = %s",
            [WORD, user],
        )
    assert after_restore.forget_in_rooms(earlier, earlier, settings, store, "admin", by_name=False) == 1
    assert _said(earlier) == set()
    with connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as conn:
        conn.execute(f"drop database {earlier.rpartition('/')[2]} with (force)")


@pytest.mark.parametrize("user", ["7c9e6679-7425-40de-944b-e07fc1f90ae7", "ana"])
def test_whom_nobody_knows_cannot_be_forgotten(url: str, tmp_path: Path, user: str) -> None:
    with pytest.raises(NoSuchPerson):
        rooms.erase(url, url, Settings.load(), Folder(tmp_path / "exports"), user, "admin")
