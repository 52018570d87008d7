"""Users: whoever starts something is one, and a warehouse filled before there were users has them."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from dagster_project.cli.main import app
from dagster_project.warehouse import migrations
from dagster_project.warehouse.access import users

BEFORE = """
    insert into ops.sync_logs (user_id, source, entity_type, operation, record_count, status, started_at)
    values ('ana', 'b2chat', 'chats', 'full', 7, 'success', now()),
           ('Ana@Acme.co', 'b2chat', 'chats', 'full', 8, 'success', now()),
           ('ana@acme.co', 'b2chat', 'chats', 'full', 9, 'success', now());
    insert into ops.notifications (user_id, title, message, type) values ('operators', 't', 'm', 'info');
    insert into ops.notification_mutes (kind, muted_until, muted_by) values ('run_failed', now(), 'root');
    insert into analysis.customer_analyses (id, triggered_by, filters, sample_rate, classifier, is_llm)
    values ('a', 'Ana Gómez', '{}', 1, 'rules-v1', false);
    insert into ops.export_logs (id, user_id, export_type, format, language, filters, file_name, file_url, store, key)
    values ('e', 'dagster', 'table', 'csv', 'es', '{}', 'n', 'u', 's', 'k');
    insert into analysis.analysis_exports
    values ('e', now(), 'a', 'CSV', 'n', 'u', 'k', 'dagster', 1, null);
    insert into analysis.human_labels (chat_id, content_key, sentiment, labelled_by)
    values ('c', 'k', 'POSITIVE', 'bea');
    insert into analysis.effectiveness_analysis (chat_id, user_id, classification_id, model_vendor, model, is_llm,
        classified_by, recommendations, analysis_data, created_at)
    values ('c', 'pipeline', 1, 'rules', 'rules-v1', false, 'r', '[]', '{}', now())
"""
ROWS = """
    select 'sync', user_id, record_count from ops.sync_logs union all
    select 'notification', user_id, 0 from ops.notifications union all
    select 'mute', muted_by, 0 from ops.notification_mutes union all
    select 'analysis', triggered_by, 0 from analysis.customer_analyses union all
    select 'export', user_id, 0 from ops.export_logs union all
    select 'file', generated_by, 0 from analysis.analysis_exports union all
    select 'label', labelled_by, 0 from analysis.human_labels union all
    select 'score', user_id, 0 from analysis.effectiveness_analysis order by 1, 3
"""


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as conn, conn.transaction(force_rollback=True):
        yield conn


def test_a_warehouse_that_was_filled_before_has_its_users_after_an_upgrade_and_loses_nothing(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        migrations.downgrade(database_url, "0031")
        conn.execute(BEFORE)
        before = conn.execute(ROWS).fetchall()
        migrations.upgrade(database_url)
        one_address = [(what, "ana@acme.co" if who == "Ana@Acme.co" else who, count) for what, who, count in before]
        assert len(conn.execute(ROWS).fetchall()) == 10
        after = conn.execute(ROWS).fetchall()
        assert [row[1].lower() for row in after] == [row[1].lower() for row in one_address]
        assert {row[1] for row in after} <= {user.id for user in users.listed(conn)}
        assert {user.kind for user in users.listed(conn)} == {"service"}
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            conn.execute("delete from ops.users where id = 'bea'")
        migrations.downgrade(database_url, "0031")
        assert conn.execute(ROWS).fetchall() == after
        migrations.upgrade(database_url)


def test_an_unknown_starter_becomes_a_service_and_the_person_later_keeps_what_it_did(conn: psycopg.Connection) -> None:
    for key, who in enumerate(("Luz@Acme.co", "luz@acme.co", "maria")):
        conn.execute(
            "insert into analysis.human_labels (chat_id, content_key, sentiment, labelled_by) "
            "values ('c', %s, 'NEUTRAL', %s)",
            [str(key), who],
        )
    found = {user.id: (user.email, user.role, user.kind) for user in users.listed(conn)}
    assert found["Luz@Acme.co"] == ("luz@acme.co", "Manager", "service")
    assert found["maria"] == ("maria@service.invalid", "Manager", "service")
    user = users.add(conn, "LUZ@acme.co", "Admin", name="Luz")
    assert (user.id, user.kind, user.role, user.name) == ("Luz@Acme.co", "person", "Admin", "Luz")
    user = users.add(conn, "maria@acme.co", "Manager")
    assert (user.id, user.email, user.kind) == ("maria", "maria@acme.co", "person")
    assert conn.execute("select labelled_by from analysis.human_labels order by label_id").fetchall() == [
        ("Luz@Acme.co",),
        ("Luz@Acme.co",),
        ("maria",),
    ]


def test_an_address_or_an_id_is_one_users_alone(conn: psycopg.Connection) -> None:
    users.add(conn, "rosa@acme.co", "Admin")
    for email, user_id in (("rosa@acme.co", None), ("rosa@other.co", None), ("x@acme.co", "rosa")):
        with pytest.raises(users.WrongUser, match="rosa"):
            users.add(conn, email, "Admin", user_id=user_id)
    with pytest.raises(users.WrongUser, match="no e-mail address"):
        users.add(conn, "rosa", "Admin")
    with pytest.raises(users.WrongUser, match="no user nobody"):
        users.change(conn, "nobody", role="Admin")


def test_a_disabled_user_and_a_lesser_role_are_refused_and_that_is_in_the_audit_log(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        users.add(conn, "eva@acme.co", "Manager")
        users.require(conn, "eva", "ask for an export")
        users.require(conn, "somebody unknown", "start a sync", role="Admin")
        with pytest.raises(users.NotAllowed, match="eva may not start a sync: eva is Manager"):
            users.require(conn, "eva@acme.co", "start a sync", role="Admin")
        users.change(conn, "eva", disabled=True)
        with pytest.raises(users.NotAllowed, match="is disabled"):
            users.require(conn, "eva", "ask for an export")
        users.change(conn, "eva", disabled=False)
        users.require(conn, "eva", "ask for an export")
        denied = "select user_id, user_email, success, metadata ->> 'doing' from ops.audit_logs where event_type = %s"
        assert conn.execute(denied, ["permission.denied"]).fetchall() == [
            ("eva", "eva@acme.co", False, "start a sync"),
            ("eva", "eva@acme.co", False, "ask for an export"),
        ]


@pytest.mark.parametrize(
    "command",
    ["erase --contact 7", "erase --contact 7 --dry-run", "person --contact 7 --out x", "backup", "restore --replace"],
)
def test_a_manager_neither_erases_nor_hands_out_people_nor_takes_or_brings_back_backups(
    url: str, new_folder: Callable[[], str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("B2CHAT_DATA_DIR", new_folder())
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setattr(users, "account", lambda: "mara")
    with psycopg.connect(url) as conn:
        if not users.find(conn, "mara"):
            users.add(conn, "mara@acme.co", "Manager")
    with pytest.raises(users.NotAllowed, match="mara is Manager, and it takes an Admin"):
        app(command.split())
