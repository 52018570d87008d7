"""The audit log: each write once, by whom, and nothing that can be rewritten."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dagster_project.warehouse import partitions
from dagster_project.warehouse.access import audit_log, roles

WRITES = [
    ("insert into ops.users (id, email, role) values ('luz', 'luz@acme.co', 'Admin')", "data.create", "user:luz"),
    ("update ops.users set role = 'Manager' where id = 'luz'", "data.update", "user:luz"),
    ("update ops.users set updated_at = updated_at where id = 'luz'", None, None),
    (
        "insert into ops.system_settings (key, value, category, is_system_setting) values ('K', '1', 'app', true)",
        "settings.update",
        "setting:K",
    ),
    ("update ops.system_settings set value = '2' where key = 'K'", "settings.update", "setting:K"),
    ("delete from ops.system_settings where key = 'K'", "settings.update", "setting:K"),
    (
        "insert into analysis.human_labels (chat_id, content_key, sentiment, labelled_by, note) "
        "values ('c', 'k', 'POSITIVE', 'Luz@Acme.co', 'call +573001234567')",
        "data.create",
        "label:1",
    ),
    ("delete from analysis.human_labels", "data.delete", "label:1"),
    (
        "insert into analysis.customer_analyses (id, triggered_by, filters, sample_rate, classifier, is_llm) "
        "values ('a', 'luz', '{\"contacts\": [\"+573001234567\"]}', 1, 'rules-v1', false)",
        "data.create",
        "analysis:a",
    ),
    ("update analysis.customer_analyses set skipped_count = 1", None, None),
    ("update analysis.customer_analyses set status = 'PROCESSING'", "data.update", "analysis:a"),
    ("delete from analysis.customer_analyses", "data.delete", "analysis:a"),
    (
        "insert into ops.export_logs (id, user_id, export_type, format, language, filters, file_name, file_url, store, "
        "key) values ('e', 'luz', 'table', 'csv', 'es', '{}', 'name', 'url', 's', 'k')",
        "export.start",
        "export:e",
    ),
    (
        "update ops.export_logs set status = 'completed', completed_at = now(), size_bytes = 1, sha256 = 'x'",
        "data.export",
        "export:e",
    ),
    ("update ops.export_logs set status = 'expired'", "export.expire", "export:e"),
    ("delete from ops.export_logs", "data.delete", "export:e"),
]


REWRITES = (
    "update {} set user_id = 'nobody'",
    "delete from {}",
    "delete from {} where false",
    "truncate {}",
    "insert into {} (id, event_type, severity) values ('x', 'a.b', 'low') "
    "on conflict (id, timestamp) do update set user_id = 'nobody'",
    "merge into {} as log using (select 1) as one on true when matched then delete",
)
FORGED = "insert into {} (event_type, severity) values ('auth.login', 'low')"  # beside ops.audit


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


def logged(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    return conn.execute('select event_type, resource, id from ops.audit_logs order by "timestamp", id').fetchall()


def test_every_write_is_audited_once_and_shows_nothing_personal(conn: psycopg.Connection) -> None:
    audit_log.acting(conn, "ana")
    for statement, event, resource in WRITES:
        before = {row[2] for row in logged(conn)}
        conn.execute(statement)  # type: ignore[arg-type]
        new = [row[:2] for row in logged(conn) if row[2] not in before]
        assert new == ([(event, resource)] if event else []), statement
    rows = conn.execute("select to_jsonb(audit_logs)::text from ops.audit_logs").fetchall()
    assert not [row for row in rows if "3001234567" in row[0]]
    who = (
        "select array_agg(distinct user_id order by user_id) from ops.audit_logs where action = %s "
        "and resource !~ '^(user|setting):'"
    )
    assert conn.execute(who, ["create"]).fetchone() == (["luz"],)
    assert conn.execute(who, ["delete"]).fetchone() == (["ana"],)
    assert {row[0] for row in logged(conn)} <= audit_log.EVENT_TYPES.keys()


def test_an_event_of_what_was_rolled_back_is_gone_with_it(conn: psycopg.Connection) -> None:
    before = logged(conn)
    with conn.transaction(force_rollback=True):
        audit_log.record(conn, "data.read", resource="export", resource_id=1)
        assert len(logged(conn)) == len(before) + 1
    assert logged(conn) == before


def test_the_server_says_when_and_from_where_and_whose_login_it_was(conn: psycopg.Connection) -> None:
    key = audit_log.record(
        conn, "export.link", resource="export", resource_id="e", user="ANA@acme.co", metadata={"n": 1}
    )
    row = conn.execute(
        "select user_id, ip_address, session_id ~ '^[0-9a-f]+\\.[0-9a-f]+$', severity, action, resource, metadata, "
        "now() - timestamp < interval '1 minute' from ops.audit_logs where id = %s",
        [key],
    ).fetchone()
    metadata = {"n": 1, "database_role": conn.info.user}
    assert row == ("ANA@acme.co", "127.0.0.1", True, "medium", "read", "export:e", metadata, True)


def test_an_event_that_nobody_knows_and_a_text_of_somebody_are_refused(conn: psycopg.Connection) -> None:
    with pytest.raises(ValueError, match=r"odd\.event"):
        audit_log.record(conn, "odd.event")
    with pytest.raises(ValueError, match="characters"):
        audit_log.record(conn, "data.read", metadata={"text": ["a" * 201]})


@pytest.mark.parametrize("who", ["owner", "a role with all rights", *roles.ROLES])
def test_nobody_rewrites_the_audit_log(conn: psycopg.Connection, who: str) -> None:
    audit_log.record(conn, "data.read")
    month = partitions.partitions_of(conn, partitions.AUDIT_LOGS)[0].name
    with conn.transaction(force_rollback=True):  # roles are the server's, and other tests' too
        if who == "a role with all rights":
            conn.execute("create role test_writer")
            conn.execute("grant usage on schema ops to test_writer")
            conn.execute("grant all on all tables in schema ops to test_writer")
        if who != "owner":
            role = "test_writer" if who == "a role with all rights" else who
            conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        for table in (partitions.AUDIT_LOGS, month):
            for attempt in REWRITES if who in ("owner", "a role with all rights") else (*REWRITES, FORGED):
                statement = sql.SQL(attempt).format(sql.Identifier(*table.split(".")))
                with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                    conn.execute(statement)


def test_triggers_that_are_switched_off_do_not_open_it_and_a_month_made_later_is_guarded_too(
    conn: psycopg.Connection,
) -> None:
    last = partitions.partitions_of(conn, partitions.AUDIT_LOGS)[-1]
    conn.execute(sql.SQL("drop table {}").format(sql.Identifier("ops", last.name[4:])))  # the owner can; docs/access.md
    partitions.keep_ahead(conn)
    conn.execute("set session_replication_role = replica")
    for name in ("audit_logs", last.name[4:]):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="cannot be changed: truncate"):
            conn.execute(sql.SQL("truncate {}").format(sql.Identifier("ops", name)))


def test_check_says_where_somebody_has_taken_the_guard_away(conn: psycopg.Connection) -> None:
    assert audit_log.check(conn).endswith("months, none of which can be changed")
    name = partitions.partitions_of(conn, partitions.AUDIT_LOGS)[-1].name
    with conn.transaction(force_rollback=True):
        conn.execute(
            sql.SQL("alter table {} disable trigger audit_logs_are_kept").format(sql.Identifier("ops", name[4:]))
        )
        with pytest.raises(audit_log.AuditLogOpen, match=name):
            audit_log.check(conn)


def test_an_event_makes_its_month_where_nobody_made_it_ahead(conn: psycopg.Connection) -> None:
    this_month = partitions.partitions_of(conn, partitions.AUDIT_LOGS)[0]
    conn.execute(sql.SQL("drop table {}").format(sql.Identifier("ops", this_month.name[4:])))
    audit_log.record(conn, "data.read")
    assert len(logged(conn)) == 1
    assert this_month.name in {one.name for one in partitions.partitions_of(conn, partitions.AUDIT_LOGS)}
