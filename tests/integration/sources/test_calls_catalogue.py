"""The schema calls holds what its specification names: expected values are written here by hand."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from dagster_project.deployment import own_schemas
from dagster_project.deployment.own_schemas import Upgraded
from dagster_project.sources.calls import schema
from dagster_project.warehouse.connection import connect
from tests.support.own_schema import EVERYWHERE, columns, indexes, keys, monthly, tables

PRODUCT = "id uuid!=gen_random_uuid(), organization_id uuid!, kind, value numeric, payload jsonb!='{}'::jsonb"
# A column, its type where it is not text, `!` where it is never NULL, and its default after `=`.
COLUMNS = {
    "organizations": "id uuid!=gen_random_uuid(), name!, timezone!='America/Bogota'::text, is_active boolean!=true",
    "users": "id uuid!=gen_random_uuid(), organization_id uuid!, email!, name!, role!='agent'::text",
    "sites": "id uuid!=gen_random_uuid(), organization_id uuid!, name!, domain!",
    "agent_profiles": "id uuid!=gen_random_uuid(), organization_id uuid!, user_id uuid!, display_name!, "
    "is_active boolean!=true",
    "pools": "id uuid!=gen_random_uuid(), organization_id uuid!, name!, is_active boolean!=true",
    "agent_pool_members": "id uuid!=gen_random_uuid(), pool_id uuid!, agent_profile_id uuid!, "
    "added_at timestamptz!=now(), removed_at timestamptz",
    "pool_routing_rules": "id uuid!=gen_random_uuid(), pool_id uuid!, priority integer!=1, "
    "condition jsonb!='{}'::jsonb",
    "dispositions": "id uuid!=gen_random_uuid(), organization_id uuid!, name!, color!, is_success boolean",
    "call_logs": "id uuid!=gen_random_uuid(), organization_id uuid!, site_id uuid, pool_id uuid, agent_id uuid, "
    "disposition_id uuid, visitor_id uuid, pageview_id uuid, status!='pending'::text, page_url, visitor_country_code, "
    "ring_started_at timestamptz, answered_at timestamptz, ended_at timestamptz, ended_by, reconnect_token, "
    "reconnect_eligible boolean!=false, reconnect_count integer!=0, reconnect_deadline_at timestamptz",
    "call_offers": "id uuid!=gen_random_uuid(), call_id uuid!, call_created_at timestamptz!, agent_id uuid!, "
    "offered_at timestamptz!, outcome, decided_at timestamptz",
    "widget_pageviews": "id uuid!=gen_random_uuid(), organization_id uuid!, site_id uuid, pool_id uuid, "
    "visitor_id uuid, visitor_country_code, page_url, referrer_domain, popup_shown_at timestamptz, "
    "popup_dismissed_at timestamptz, is_bot boolean!=false",
    "agent_sessions": "id uuid!=gen_random_uuid(), agent_id uuid!, organization_id uuid!, started_at timestamptz!, "
    "ended_at timestamptz, ended_by",
    "agent_status_changes": "id uuid!=gen_random_uuid(), agent_id uuid!, from_status, to_status!, reason, "
    "changed_at timestamptz!",
    "invites": "id uuid!=gen_random_uuid(), organization_id uuid!, email!, token!, invited_by uuid, "
    "expires_at timestamptz!, accepted_at timestamptz",
    "feedback_items": PRODUCT,
    "funnel_events": PRODUCT,
    "pmf_surveys": PRODUCT,
    "mrr_snapshots": PRODUCT,
    "mrr_changes": PRODUCT,
}
MONTHLY = {
    "call_logs": "created_at",
    "call_offers": "call_created_at",
    "widget_pageviews": "created_at",
    "agent_sessions": "started_at",
    "agent_status_changes": "changed_at",
}
OF_THE_SEED = {
    "idx_call_logs_org_created": "call_logs btree (organization_id, created_at)",
    "idx_call_logs_org_status_created": "call_logs btree (organization_id, status, created_at)",
    "idx_call_logs_pool_created": "call_logs btree (pool_id, created_at) WHERE (pool_id IS NOT NULL)",
    "idx_call_logs_org_country": "call_logs btree (organization_id, visitor_country_code) "
    "WHERE (visitor_country_code IS NOT NULL)",
    "idx_call_logs_agent_id": "call_logs btree (agent_id)",
    "idx_call_logs_pool_id": "call_logs btree (pool_id)",
    "idx_call_logs_disposition_id": "call_logs btree (disposition_id)",
    "idx_widget_pageviews_org_date": "widget_pageviews btree (organization_id, created_at)",
    "idx_widget_pageviews_pool_date": "widget_pageviews btree (pool_id, created_at) WHERE (pool_id IS NOT NULL)",
    "idx_widget_pageviews_org_country": "widget_pageviews btree (organization_id, visitor_country_code) "
    "WHERE (visitor_country_code IS NOT NULL)",
    "idx_agent_sessions_agent_date": "agent_sessions btree (agent_id, started_at)",
    "idx_agent_sessions_org_date": "agent_sessions btree (organization_id, started_at)",
    "idx_agent_sessions_active": "agent_sessions btree (agent_id) WHERE (ended_at IS NULL)",
    "idx_status_changes_agent_status": "agent_status_changes btree (agent_id, to_status, changed_at)",
    "idx_users_organization_id": "users btree (organization_id)",
    "idx_sites_organization_id": "sites btree (organization_id)",
    "idx_agent_profiles_organization_id": "agent_profiles btree (organization_id)",
    "idx_agent_pool_members_pool_id": "agent_pool_members btree (pool_id)",
    "idx_agent_pool_members_agent_profile_id": "agent_pool_members btree (agent_profile_id)",
    "idx_pool_routing_rules_pool_id": "pool_routing_rules btree (pool_id)",
    "idx_invites_token": "invites btree (token)",
}
MISSED_BY_THE_SEED = {
    "idx_call_logs_reconnect_token": "call_logs btree (reconnect_token) "
    "WHERE ((reconnect_token IS NOT NULL) AND (ended_at IS NULL))",
    "idx_invites_expires_at": "invites btree (expires_at) WHERE (accepted_at IS NULL)",
}
OURS = {
    "uq_users_email_lower": "users btree (lower(email))",
    "idx_call_logs_site_id": "call_logs btree (site_id)",
    "idx_status_changes_agent_changed": "agent_status_changes btree (agent_id, changed_at)",
    "idx_call_offers_call": "call_offers btree (call_id, call_created_at)",
    "idx_call_offers_agent_offered": "call_offers btree (agent_id, offered_at)",
    "idx_widget_pageviews_site_id": "widget_pageviews btree (site_id)",
    "idx_pools_organization_id": "pools btree (organization_id)",
    "idx_dispositions_organization_id": "dispositions btree (organization_id)",
    "idx_invites_organization_id": "invites btree (organization_id)",
    "idx_invites_invited_by": "invites btree (invited_by)",
    **{
        f"idx_{table}_org_created": f"{table} btree (organization_id, created_at)"
        for table in ("feedback_items", "funnel_events", "pmf_surveys", "mrr_snapshots", "mrr_changes")
    },
    **{f"idx_{table}_row_xid": f"{table} btree (row_xid)" for table in COLUMNS},
}
# Of those keys that are not (id); and what each leads to, by the name of its column.
PRIMARY = {
    "call_logs": "id, created_at",
    "call_offers": "id, call_created_at",
    "widget_pageviews": "id, created_at",
    "agent_sessions": "id, started_at",
    "agent_status_changes": "id, changed_at",
}
FOREIGN = {
    "users": {"organization": "organizations"},
    "sites": {"organization": "organizations"},
    "agent_profiles": {"organization": "organizations", "user": "users"},
    "pools": {"organization": "organizations"},
    "agent_pool_members": {"pool": "pools"},
    "pool_routing_rules": {"pool": "pools"},
    "dispositions": {"organization": "organizations"},
    "call_logs": {
        "organization": "organizations",
        "site": "sites",
        "pool": "pools",
        "agent": "agent_profiles",
        "disposition": "dispositions",
    },
    "call_offers": {"agent": "agent_profiles"},
    "widget_pageviews": {"organization": "organizations", "site": "sites", "pool": "pools"},
    "agent_sessions": {"agent": "agent_profiles", "organization": "organizations"},
    "agent_status_changes": {"agent": "agent_profiles"},
    "invites": {"organization": "organizations"},
    "feedback_items": {"organization": "organizations"},
    "funnel_events": {"organization": "organizations"},
    "pmf_surveys": {"organization": "organizations"},
    "mrr_snapshots": {"organization": "organizations"},
    "mrr_changes": {"organization": "organizations"},
}
KEYS = {
    **{f"pk_{table}": f"PRIMARY KEY ({PRIMARY.get(table, 'id')})" for table in COLUMNS},
    **{
        f"fk_{table}_{role}": f"FOREIGN KEY ({role}_id) REFERENCES {target}(id)"
        for table, roles in FOREIGN.items()
        for role, target in roles.items()
    },
    "uq_agent_profiles_user": "UNIQUE (user_id)",
    "fk_agent_pool_members_agent": "FOREIGN KEY (agent_profile_id) REFERENCES agent_profiles(id)",
    "fk_call_offers_call": "FOREIGN KEY (call_id, call_created_at) REFERENCES call_logs(id, created_at)",
    "fk_invites_invited_by": "FOREIGN KEY (invited_by) REFERENCES users(id)",
}


@pytest.fixture(scope="module")
def calls_url(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    return url


@pytest.fixture
def conn(calls_url: str) -> Iterator[psycopg.Connection]:
    with connect(calls_url) as open_conn:
        yield open_conn
        open_conn.rollback()


def test_every_table_has_the_columns_types_and_defaults_that_were_specified(conn: psycopg.Connection) -> None:
    assert tables(conn, "calls") == set(COLUMNS)
    for table, specified in COLUMNS.items():
        assert columns(conn, "calls", table) == set(f"{specified}, {EVERYWHERE}".split(", ")), table


def test_every_index_of_the_seed_is_there_by_its_name_and_so_are_those_that_it_misses(
    conn: psycopg.Connection,
) -> None:
    found = indexes(conn, "calls")
    of_keys = {name for name in found if name.startswith("pk_") or name == "uq_agent_profiles_user"}
    assert {name: text for name, text in found.items() if name not in of_keys} == (
        OF_THE_SEED | MISSED_BY_THE_SEED | OURS
    )
    told = conn.execute("select indexrelid::regclass::text from pg_index where obj_description(indexrelid) <> ''")
    assert {f"calls.{name}" for name in MISSED_BY_THE_SEED} <= {name for (name,) in told}  # and why


def test_keys_lead_where_they_should(conn: psycopg.Connection) -> None:
    assert keys(conn, "calls") == KEYS


def test_each_foreign_key_has_an_index_that_begins_with_it(conn: psycopg.Connection) -> None:
    """Whoever deletes what a key leads to makes Postgres look for what leads there."""
    found = [text.split(" WHERE")[0] for text in indexes(conn, "calls").values() if "ended_at IS NULL" not in text]
    for name, text in keys(conn, "calls").items():
        if text.startswith("FOREIGN KEY"):
            table, led = next(one for one in COLUMNS if name.startswith(f"fk_{one}_")), text[13 : text.index(")")]
            assert any(one.startswith((f"{table} btree ({led},", f"{table} btree ({led})")) for one in found), name


def test_a_monthly_table_has_this_month_and_three_more_and_a_row_beside_them_is_refused(
    conn: psycopg.Connection,
) -> None:
    assert monthly(conn, "calls") == {table: (column, 4) for table, column in MONTHLY.items()}
    assert conn.execute("select calls.keep_partitions(), calls.keep_months('2025-11-30', '2026-01-01')").fetchone() == (
        0,
        3 * len(MONTHLY),
    )
    conn.execute("insert into calls.organizations (id, name) values (gen_random_uuid(), 'Ours')")
    with pytest.raises(psycopg.errors.CheckViolation, match="2031-05"):
        conn.execute(
            "insert into calls.widget_pageviews (organization_id, created_at) select id, '2031-05-07' "
            "from calls.organizations"
        )


def test_each_write_is_stamped_and_the_reader_sees_all_but_what_lets_somebody_in(conn: psycopg.Connection) -> None:
    conn.execute("""
        insert into calls.organizations (name, row_xid) values ('Ours', 1);
        insert into calls.invites (organization_id, email, token, expires_at)
        select id, 'somebody@example.com', 'secret', now() from calls.organizations
    """)
    conn.execute("update calls.organizations set name = 'Ours, still', row_xid = 2")
    own = conn.execute(
        "select row_xid = pg_current_xact_id()::text::bigint, updated_at > created_at from calls.organizations"
    )
    assert own.fetchone() == (True, True)
    conn.execute("set local role calls_reader")
    assert conn.execute("select count(email), max(row_xid) > 0 from calls.invites").fetchone() == (1, True)
    for table in COLUMNS:
        conn.execute(f"select count(id) from calls.{table}")
    for refused in ("select token from calls.invites", "delete from calls.invites"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(refused)


def test_a_state_that_no_call_can_have_is_refused(conn: psycopg.Connection) -> None:
    conn.execute("insert into calls.organizations (name) values ('Ours')")
    statement = "insert into calls.call_logs (organization_id, {}) select id, {} from calls.organizations"
    for column, value in (("status", "'ringing'"), ("ended_by", "'nobody'")):
        with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
            conn.execute(statement.format(column, value))


def test_the_schema_goes_and_comes_again_by_the_command_that_brings_it_up(new_database: Callable[[], str]) -> None:
    url, newest = new_database(), schema.newest()
    schema.upgrade(url)
    schema.downgrade(url)
    with connect(url) as conn:
        assert tables(conn, "calls") == set()
    assert own_schemas.bring_up("calls", url) == Upgraded(None, newest, 0)
    assert own_schemas.bring_up("calls", url) == Upgraded(newest, newest, 0)
