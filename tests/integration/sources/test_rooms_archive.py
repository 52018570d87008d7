"""Months of rooms leave the tables for files when they are two years old, whole and in order, and come back."""

import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.exports.stores.folder import Folder
from dagster_project.sources.rooms import schema, upkeep
from dagster_project.warehouse.archive import restore, states, steps
from dagster_project.warehouse.archive.contract import ArchiveFailed
from dagster_project.warehouse.connection import connect
from tests.support.rooms import acting, add_organizations, add_room, add_user, call, seat

TODAY, OCTOBER = date(2026, 11, 26), date(2024, 10, 1)
TABLES = ("messages", "chat_file_attachments", "robot_interactions", "user_presence_changes")
# row_xid is the transaction that wrote the row last: it says when a row came back, so that it is read again.
ROWS = """
    select count(*), sum(hashtextextended((to_jsonb(t) - 'row_xid')::text, 0)::numeric) from rooms.{} as t
"""


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    made = new_database()
    schema.upgrade(made)
    with connect(made) as conn:
        conn.execute("select rooms.keep_months('2024-10-01', '2024-11-30')")
        conn.execute("select rooms.keep_month('rooms.messages_history', '2016-10-01')")
        add_organizations(conn)
        ana = add_user(conn, "ana")
        room = add_room(conn, ana)
        seat(conn, room, ana)
        conn.execute(
            "insert into rooms.messages (room_id, sender_id, content, created_at, content_metadata) "
            "select %s, %s, E'gotera ñ \"' || n, '2024-10-30 12:00Z'::timestamptz + n * interval '6 hours', "
            "'{\"a\": [1]}' from generate_series(1, 12) as n",
            [room, ana],
        )
        conn.execute(
            "insert into rooms.chat_file_attachments (message_id, message_created_at, file_manager_file_id, "
            "original_filename, file_size, mime_type, owner_id) "
            "select id, created_at, gen_random_uuid(), 'a.pdf', 10, 'application/pdf', sender_id from rooms.messages"
        )
        conn.execute(
            "insert into rooms.robot_interactions (message_id, message_created_at, robot_id, request_data) "
            "select id, created_at, 'r1', '{}' from rooms.messages limit 3"
        )
        conn.execute("insert into rooms.user_presence_changes values (%s, 'online', '2024-10-05 10:00Z')", [ana])
    with connect(made) as conn:
        conn.execute("select rooms.fill_message_search()")
        conn.execute("update rooms.messages set content = content || '!'")
        conn.execute("update rooms.messages_history set changed_at = '2016-10-07'")
    return made


def held(url: str) -> dict[str, Any]:
    with connect(url) as conn:
        return {table: conn.execute(ROWS.format(table)).fetchone() for table in TABLES}  # type: ignore[arg-type]


def told(url: str, columns: str = "state") -> dict[str, Any]:
    with connect(url) as conn:
        upkeep.keep_months(conn)
        rows = conn.execute(f"""select "table", {columns} from rooms.archives where "from" = '2024-10-01 00:00Z'""")
        return {name: values[0] if len(values) == 1 else tuple(values) for name, *values in rows.fetchall()}


def test_a_month_goes_when_its_last_day_is_two_years_old_children_first_and_comes_back(
    url: str, tmp_path: Path
) -> None:
    store, before = Folder(tmp_path / "exports"), held(url)
    assert before["messages"][0] == 12
    moved = [one.label for one in steps.run(url, store, None, TODAY)]
    assert moved == [
        "rooms.chat_file_attachments 2024-10",
        "rooms.robot_interactions 2024-10",
        "rooms.messages 2024-10",
        "rooms.user_presence_changes 2024-10",
    ]
    assert {one.state for one in _archives(url)} == {"detached"}
    assert steps.run(url, store, None, date(2026, 11, 30)) == []  # November 2024 is not due before December
    left = held(url)
    assert (left["messages"][0], left["chat_file_attachments"][0]) == (7, 7)
    states_by_table = told(url)
    assert {states_by_table[table] for table in TABLES} == {"detached"}
    assert "message_search" not in states_by_table
    assert told(url, "rows, bytes > 0, sha256 is not null, uri")["messages"] == (
        5,
        True,
        True,
        "archive/rooms_messages-2024-10.parquet",
    )
    with connect(url) as conn:
        assert conn.execute("select count(*) from rooms.archived_files").fetchone() == (5,)
        ana, room = conn.execute("select sender_id, room_id from rooms.messages limit 1").fetchone() or (None, None)
        with acting(conn, ana):
            assert len(call(conn, "search_messages", "gotera", room)) == 7
        # A file that was restored before the messages it hangs on would be of nothing.
    with pytest.raises(ArchiveFailed, match=r"restore rooms.messages 2024-10 first"):
        restore.restore(url, store, "rooms.chat_file_attachments", OCTOBER)
    for table, count in zip(TABLES, (5, 5, 3, 1), strict=True):
        assert [rows for _, rows in restore.restore(url, store, f"rooms.{table}", OCTOBER)] == [count]
    assert held(url) == before
    assert {told(url)[table] for table in TABLES} == {"restored"}
    with connect(url) as conn:
        conn.execute("select rooms.fill_message_search()")
    with connect(url) as conn, acting(conn, ana):
        assert len(call(conn, "search_messages", "gotera", room)) == 12
    assert steps.run(url, store, None, TODAY) == []  # somebody wanted it: it stays for a month


def test_messages_stay_while_a_file_of_theirs_is_there(url: str, tmp_path: Path) -> None:
    with connect(url) as conn:
        conn.execute("update ops.archives set restored_at = now() - interval '31 days'")
        conn.execute("select rooms.keep_month('rooms.chat_file_attachments', '2024-10-01')")
    store = Folder(tmp_path / "exports")
    with connect(url) as user, pytest.MonkeyPatch.context() as patch:
        user.execute("select from rooms.chat_file_attachments_2024_10 limit 1")
        patch.setattr(steps, "_LOCK_TIMEOUT", "50ms")
        steps.run(url, store, None, TODAY)
    state = {one.table_name: one.state for one in _archives(url, "verified", "detached")}
    assert state["rooms.chat_file_attachments"] == state["rooms.messages"] == "verified"
    steps.run(url, store, None, TODAY)
    assert {one.state for one in _archives(url, "verified", "detached")} == {"detached"}
    with connect(url) as conn:
        conn.execute("update ops.archives set detached_at = now() - interval '8 days' where state = 'detached'")
    steps.run(url, store, None, TODAY)
    files = set((tmp_path / "exports").rglob("*.parquet"))
    assert len(files) == 4 and {one.state for one in _archives(url, "dropped")} == {"dropped"}
    # Seven years in files: October 2024 is over for good when October 2033 is. Younger months are archived meanwhile.
    steps.run(url, store, None, date(2033, 10, 31))
    assert _archives(url, "purged") == [] and all(file.exists() for file in files)
    steps.run(url, store, None, date(2033, 11, 1))
    assert {one.month for one in _archives(url, "purged")} == {OCTOBER}
    assert not any(file.exists() for file in files)
    assert restore.restore_all(url, store, for_dbt=True) == []


def test_the_audit_is_kept_for_ten_years(url: str) -> None:
    with connect(url) as conn:
        conn.execute(
            "insert into rooms.data_access_log (at, user_id, purpose, rows_read) values "
            "('2016-10-31', %(id)s, 'x', 1), ('2016-11-30', %(id)s, 'x', 1)",
            {"id": uuid.uuid4()},
        )
        assert set(upkeep.drop_old_audit(conn, date(2026, 10, 31)).values()) == {0}
        dropped = upkeep.drop_old_audit(conn, date(2026, 11, 30))
        assert dropped["rooms.data_access_log"] == 1 and dropped["rooms.messages_history"] == 1
        assert conn.execute("select count(*) from rooms.messages_history").fetchone() == (0,)
        conn.rollback()


def _archives(url: str, *wanted: Any) -> list[states.Archive]:
    with connect(url) as conn:
        return states.archives(conn, wanted or ("planned", "exported", "verified", "detached"))
