"""Notifications of before there were episodes: each row stays, and what was unread is not written twice."""

import psycopg

from dagster_project.alerts import episodes
from dagster_project.alerts.troubles import Look, Trouble
from dagster_project.warehouse import migrations


def test_what_was_unread_goes_on_as_an_episode_and_downgrades_keep_it(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        migrations.downgrade(database_url, "0030")
        for key, is_read, minute in (
            ("failing:b2chat:chats", True, 1),
            ("failing:b2chat:chats", False, 2),
            ("quarantine:b2chat:chats:2", False, 3),
            ("quarantine:b2chat:chats:3", False, 4),
            (None, False, 5),
        ):
            conn.execute(
                "insert into ops.notifications (user_id, source, title, message, type, is_read, metadata, created_at) "
                "values ('operators', 'b2chat', 't', '', 'error', %s, jsonb_build_object('key', %s::text), %s)",
                [is_read, key, f"2026-11-27 10:0{minute}+00"],
            )
        before = conn.execute("select * from ops.notifications order by created_at").fetchall()
        migrations.upgrade(database_url)
        rows = (
            "select extract(minute from created_at), kind, subject, value from ops.notifications where kind is not null"
        )
        assert conn.execute(f"{rows} order by 1").fetchall() == [
            (2, "sync_failing", "b2chat/chats", None),
            (4, "quarantine_grew", "b2chat/chats", 3),
        ]
        still = Trouble("sync_failing", "b2chat/chats", "error", "t")
        assert episodes.record(conn, Look([still], frozenset({"sync_failing"}))) == episodes.Changes()
        conn.execute("update ops.notifications set metadata = metadata - 'run_id'")
        migrations.downgrade(database_url, "0030")
        assert conn.execute("select * from ops.notifications order by created_at").fetchall() == before
