"""Locks by name: who holds one, who waits, and who cannot."""

import psycopg
import pytest

from dagster_project.ingestion.single_writer import writer
from dagster_project.warehouse import connection, locks, migrations


def test_a_lock_shuts_out_other_sessions_until_it_is_let_go_or_its_session_ends(database_url: str) -> None:
    with connection.connect(database_url, autocommit=True) as other:
        with connection.connect(database_url, autocommit=True) as conn:
            locks.take(conn, "test", "a")
            assert locks.try_take(conn, "test", "a")
            assert not locks.try_take(other, "test", "a")
            assert locks.free(other, "test", ["a", "b"]) == ["b"]
            assert locks.free(conn, "test", ["a", "b"]) == ["a", "b"]
            assert (locks.holder(other, "test", "a") or ("nobody",))[0] == connection.APPLICATION
            locks.release(conn, "test", "a")
            assert locks.holder(other, "test", "a") is None
            locks.take(conn, "test", "c")
        assert locks.try_take(other, "test", "c", seconds=5)
        assert other.execute("select array_agg(id) from ops.locks").fetchone() == (["c"],)


def test_what_was_found_free_stays_so_until_the_transaction_ends(database_url: str) -> None:
    with (
        connection.connect(database_url, autocommit=True) as conn,
        connection.connect(database_url, autocommit=True) as other,
    ):
        with conn.transaction():
            assert locks.free(conn, "test", ["a"]) == ["a"]
            assert not locks.try_take(other, "test", "a")
        assert locks.try_take(other, "test", "a")


def test_no_advisory_lock_stops_a_sync_a_migration_or_work_under_a_lock(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as bi, connection.connect(database_url, autocommit=True) as us:
        bi.execute("select pg_advisory_lock(11715751, 1), pg_advisory_lock(x'62326D69'::bigint)")
        bi.execute("select pg_advisory_lock(hashtextextended('b2chat ask claude', 0))")
        bi.execute("select pg_advisory_lock(hashtext('b2chat move_views'))")
        with writer(database_url, "a sync"):
            assert locks.try_take(us, "ask", "claude")
        us.execute("set lock_timeout = '2s'")
        us.execute("select ops.lock_in_transaction('build', 'move_views')")
        migrations.upgrade(database_url + "?options=-c%20lock_timeout%3D2s")
        assert not bi.execute("select from pg_locks where locktype = 'advisory' and not granted").fetchall()
        bi.execute("set role bi_reader")
        for statement in ("select from ops.locks", "select ops.try_lock('write', 'raw')", "delete from ops.locks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                bi.execute(statement)
