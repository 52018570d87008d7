"""The schema rooms holds what its specification names: expected values are written here by hand."""

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dagster_project.database_audit import audit
from dagster_project.sources.rooms import schema
from dagster_project.warehouse.connection import connect
from tests.support.bad_rows import unrefused
from tests.support.own_schema import EVERYWHERE, columns, indexes, keys, monthly

ENUMS = {
    "user_account_type_informal_enum": "guest registered agent supervisor robot admin",
    "user_account_status_enum": "pending-verification active suspended closed",
    "room_type_enum": "group direct support escalated",
    "room_status_enum": "active archived closed",
    "participant_role_enum": "member moderator observer guest",
    "participant_status_enum": "active muted removed left",
    "message_type_enum": "chat robot system file image graph",
    "delivery_status_enum": "streaming batch-delay delivered failed",
    "robot_status_enum": "pending processing completed failed",
    "escalation_status_enum": "created assigned in_progress resolved cancelled",
    "support_level_enum": "T1 T2 T3 manager",
    "conclusion_outcome_enum": "resolved unresolved abandoned duplicate escalated",
}
# A column, its type where it is not text, `!` where it is never NULL, and its default after `=`.
COLUMNS = {
    "organizations": "id uuid!=gen_random_uuid(), name!, is_active boolean!=true",
    "users": "id uuid!=gen_random_uuid(), username!, first_name!, last_name!, email!, password_hash!, display_name, "
    "avatar_url, current_status!='offline'::text, last_seen_at timestamptz, chat_preferences jsonb!='{}'::jsonb, "
    "account_type_informal rooms.user_account_type_informal_enum!='guest'::rooms.user_account_type_informal_enum, "
    "current_account_status rooms.user_account_status_enum!='pending-verification'::rooms.user_account_status_enum, "
    "is_email_verified boolean!=false, organization_id uuid!, deleted_at timestamptz",
    "chat_rooms": "id uuid!=gen_random_uuid(), name, description, "
    "room_type rooms.room_type_enum!='group'::rooms.room_type_enum, "
    "status rooms.room_status_enum!='active'::rooms.room_status_enum, issue_id, issue_description, "
    "is_private boolean!=false, guest_access_allowed boolean!=true, max_participants integer=50, creator_id uuid!, "
    "parent_room_id uuid, escalation_level integer=1, room_settings jsonb!='{}'::jsonb, organization_id uuid!, "
    "root_room_id uuid!, deleted_at timestamptz",
    "room_participants": "room_id uuid!, user_id uuid!, "
    "role rooms.participant_role_enum!='member'::rooms.participant_role_enum, "
    "status rooms.participant_status_enum!='active'::rooms.participant_status_enum, "
    "can_send_messages boolean!=true, can_invite_others boolean!=false, can_see_history boolean!=true, "
    "joined_at timestamptz!=now(), last_read_at timestamptz, left_at timestamptz, deleted_at timestamptz",
    "messages": "id uuid!=gen_random_uuid(), room_id uuid!, sender_id uuid!, "
    "message_type rooms.message_type_enum!='chat'::rooms.message_type_enum, content!, "
    "content_metadata jsonb!='{}'::jsonb, robot_id, robot_response_to uuid, "
    "is_robot_visible_to_guests boolean=false, "
    "delivery_status rooms.delivery_status_enum!='streaming'::rooms.delivery_status_enum, "
    "reply_to_message_id uuid, thread_id uuid, client_key, deleted_at timestamptz",
    "chat_file_attachments": "id uuid!=gen_random_uuid(), message_id uuid!, file_manager_file_id uuid!, "
    "original_filename!, file_size bigint!, mime_type!, thumbnail_url, preview_available boolean=false, "
    "owner_id uuid!, message_created_at timestamptz!, deleted_at timestamptz",
    "robot_interactions": "id uuid!=gen_random_uuid(), message_id uuid!, robot_id!, request_data jsonb!, "
    "observation_data jsonb, response_data jsonb, status rooms.robot_status_enum!='pending'::rooms.robot_status_enum, "
    "error_message, started_at timestamptz!=now(), completed_at timestamptz, message_created_at timestamptz!, "
    "is_handover boolean!=false",
    "escalations": "id uuid!=gen_random_uuid(), source_room_id uuid!, target_room_id uuid, escalation_reason!, "
    "from_level rooms.support_level_enum!, to_level rooms.support_level_enum!, priority integer=3, "
    "created_by_user_id uuid!, assigned_to_user_id uuid, "
    "status rooms.escalation_status_enum!='created'::rooms.escalation_status_enum, resolution_notes, "
    "resolved_at timestamptz",
    "conversation_conclusions": "room_id uuid!, concluded_at timestamptz!, concluded_by_user_id uuid, "
    "outcome rooms.conclusion_outcome_enum!, is_confirmed_by_customer boolean, summary",
    "user_presence_changes": "user_id uuid!, to_status!, changed_at timestamptz!",
    "message_search": "room_id uuid!, message_id uuid!, message_created_at timestamptz!, document tsvector!",
    "user_roles": "id uuid!=gen_random_uuid(), user_id uuid!, role!, room_id uuid, granted_by uuid, "
    "valid_from timestamptz!=now(), valid_to timestamptz",
    "data_access_log": "id uuid!=gen_random_uuid(), at timestamptz!=now(), user_id uuid, room_id uuid, purpose!, "
    "rows_read bigint!",
    "archives": "table!, partition!, from timestamptz!, to timestamptz!, state!='online'::text, rows bigint, "
    "bytes bigint, sha256, content_sum numeric, uri, planned_at timestamptz, exported_at timestamptz, "
    "verified_at timestamptz, detached_at timestamptz, dropped_at timestamptz, restored_at timestamptz, "
    "purged_at timestamptz",
    "archived_files": "attachment_id uuid!, file_manager_file_id uuid!, message_created_at timestamptz!",
    "access_permission_domains": "permission_prefix!, description!",
    "access_permissions": "permission!, permission_prefix!",
    "access_roles": "role!, description!",
    "role_permissions": "role!, permission!",
}
IN_HISTORY = (
    "history_id uuid!=gen_random_uuid(), changed_at timestamptz!=now(), operation_type!, changed_by uuid, "
    "transaction_id bigint, changed_columns text[]"
)
WITH_HISTORY = (
    "users",
    "chat_rooms",
    "room_participants",
    "messages",
    "chat_file_attachments",
    "robot_interactions",
    "escalations",
    "conversation_conclusions",
    "user_roles",
)
MONTHLY = {
    "messages": "created_at",
    "chat_file_attachments": "message_created_at",
    "robot_interactions": "message_created_at",
    "user_presence_changes": "changed_at",
    "message_search": "message_created_at",
    **{f"{table}_history": "changed_at" for table in WITH_HISTORY},
}
INDEXES = {
    "idx_messages_room_created_at": "messages btree (room_id, created_at DESC, id DESC)",
    "idx_messages_sender_created_at": "messages btree (sender_id, created_at DESC)",
    "idx_messages_type_room": "messages btree (message_type, room_id) WHERE (deleted_at IS NULL)",
    "idx_messages_reply_to": "messages btree (reply_to_message_id) WHERE (reply_to_message_id IS NOT NULL)",
    "idx_room_participants_user_active": "room_participants btree (user_id) "
    "WHERE (status = 'active'::rooms.participant_status_enum)",
    "idx_room_participants_room_active": "room_participants btree (room_id) "
    "WHERE (status = 'active'::rooms.participant_status_enum)",
    "idx_room_participants_user": "room_participants btree (user_id)",
    "idx_users_status_last_seen": "users btree (current_status, last_seen_at)",
    "uq_users_email_lower": "users btree (lower(email))",
    "idx_robot_interactions_status": "robot_interactions btree (status, created_at)",
    "idx_robot_interactions_robot_id": "robot_interactions btree (robot_id, created_at DESC)",
    "idx_robot_interactions_message": "robot_interactions btree (message_id, message_created_at)",
    "idx_chat_file_attachments_message": "chat_file_attachments btree (message_id, message_created_at)",
    "idx_chat_file_attachments_owner": "chat_file_attachments btree (owner_id, created_at DESC)",
    "idx_chat_rooms_creator": "chat_rooms btree (creator_id)",
    "idx_chat_rooms_parent": "chat_rooms btree (parent_room_id)",
    "idx_escalations_source_room": "escalations btree (source_room_id)",
    "idx_escalations_target_room": "escalations btree (target_room_id)",
    "idx_escalations_created_by": "escalations btree (created_by_user_id)",
    "idx_escalations_assigned_to": "escalations btree (assigned_to_user_id)",
    "idx_message_search_document": "message_search gin (document)",
    "idx_messages_history_key": "messages_history btree (id, changed_at)",
    "idx_room_participants_history_key": "room_participants_history btree (room_id, user_id, changed_at)",
}
KEYS = {
    "pk_users": "PRIMARY KEY (id)",
    "uq_users_username": "UNIQUE (username)",
    "uq_users_email": "UNIQUE (email)",
    "fk_users_organization": "FOREIGN KEY (organization_id) REFERENCES organizations(id)",
    "pk_chat_rooms": "PRIMARY KEY (id)",
    "fk_chat_rooms_creator": "FOREIGN KEY (creator_id) REFERENCES users(id)",
    "fk_chat_rooms_parent": "FOREIGN KEY (parent_room_id) REFERENCES chat_rooms(id)",
    "fk_chat_rooms_root": "FOREIGN KEY (root_room_id) REFERENCES chat_rooms(id)",
    "pk_room_participants": "PRIMARY KEY (room_id, user_id)",
    "fk_room_participants_room": "FOREIGN KEY (room_id) REFERENCES chat_rooms(id)",
    "fk_room_participants_user": "FOREIGN KEY (user_id) REFERENCES users(id)",
    "pk_messages": "PRIMARY KEY (id, created_at)",
    "fk_messages_room": "FOREIGN KEY (room_id) REFERENCES chat_rooms(id)",
    "fk_messages_sender": "FOREIGN KEY (sender_id) REFERENCES users(id)",
    "pk_chat_file_attachments": "PRIMARY KEY (id, message_created_at)",
    "fk_chat_file_attachments_message": "FOREIGN KEY (message_id, message_created_at) "
    "REFERENCES messages(id, created_at)",
    "fk_chat_file_attachments_owner": "FOREIGN KEY (owner_id) REFERENCES users(id)",
    "pk_robot_interactions": "PRIMARY KEY (id, message_created_at)",
    "fk_robot_interactions_message": "FOREIGN KEY (message_id, message_created_at) REFERENCES messages(id, created_at)",
    "pk_escalations": "PRIMARY KEY (id)",
    "fk_escalations_source_room": "FOREIGN KEY (source_room_id) REFERENCES chat_rooms(id)",
    "fk_escalations_target_room": "FOREIGN KEY (target_room_id) REFERENCES chat_rooms(id)",
    "fk_escalations_created_by": "FOREIGN KEY (created_by_user_id) REFERENCES users(id)",
    "fk_escalations_assigned_to": "FOREIGN KEY (assigned_to_user_id) REFERENCES users(id)",
    "pk_conversation_conclusions": "PRIMARY KEY (room_id)",
    "pk_messages_history": "PRIMARY KEY (history_id, changed_at)",
    "pk_users_history": "PRIMARY KEY (history_id, changed_at)",
}

# A row of each table, and a change of each that keeps a history.
SOUND = """
    insert into rooms.organizations (name) values ('Ours');
    insert into rooms.users (username, first_name, last_name, email, password_hash, organization_id)
        select 'ana', 'Ana', 'Test', 'ana@example.com', 'x', id from rooms.organizations;
    insert into rooms.chat_rooms (creator_id, organization_id, root_room_id)
        select id, organization_id, id from rooms.users;
    insert into rooms.room_participants (room_id, user_id) select id, creator_id from rooms.chat_rooms;
    insert into rooms.messages (room_id, sender_id, content) select id, creator_id, 'x' from rooms.chat_rooms;
    insert into rooms.chat_file_attachments (
        message_id, message_created_at, file_manager_file_id, original_filename, file_size, mime_type, owner_id
    ) select id, created_at, gen_random_uuid(), 'a.pdf', 1, 'application/pdf', sender_id from rooms.messages;
    insert into rooms.robot_interactions (message_id, message_created_at, robot_id, request_data)
        select id, created_at, 'r1', '{}' from rooms.messages;
    insert into rooms.escalations (source_room_id, escalation_reason, from_level, to_level, created_by_user_id)
        select id, 'why', 'T1', 'T2', creator_id from rooms.chat_rooms;
    insert into rooms.conversation_conclusions (room_id, concluded_at, outcome)
        select id, now(), 'resolved' from rooms.chat_rooms;
    insert into rooms.user_roles (user_id, role) select id, 'agent' from rooms.users;
    insert into rooms.user_presence_changes (user_id, to_status, changed_at) select id, 'away', now() from rooms.users;
    insert into rooms.message_search (room_id, message_id, message_created_at, document)
        select room_id, id, created_at, to_tsvector(content) from rooms.messages;
    insert into rooms.data_access_log (purpose, rows_read) values ('audit', 1);
    insert into rooms.archived_files values (gen_random_uuid(), gen_random_uuid(), now());
    insert into rooms.job_watermarks (job, next_xid) values ('one', 1);
    update rooms.users set username = 'bea';
    update rooms.chat_rooms set name = 'x';
    update rooms.room_participants set role = 'observer';
    update rooms.messages set content = 'y';
    update rooms.chat_file_attachments set file_size = 2;
    update rooms.robot_interactions set status = 'failed';
    update rooms.escalations set priority = 1;
    update rooms.conversation_conclusions set summary = 'x';
    update rooms.user_roles set valid_to = now() + interval '1 day';
"""
BAD_CHECKS = {
    "ck_chat_rooms_level": "escalation_level = 5",
    "ck_chat_rooms_max_participants": "max_participants = 0",
    "ck_chat_rooms_parent": "parent_room_id = id",
    "ck_room_participants_left_at": "left_at = joined_at - interval '1 second'",
    "ck_chat_file_attachments_file_size": "file_size = -1",
    "ck_escalations_levels": "to_level = from_level",
    "ck_escalations_priority": "priority = 6",
    "ck_escalations_resolved_at": "status = 'resolved'",
    "ck_access_permissions_prefix": "permission_prefix = 'x'",
    "ck_user_roles_valid_to": "valid_to = valid_from",
    "ck_archives_state": "state = 'lost'",
    **{f"ck_{table}_history_operation": "operation_type = 'INSERT'" for table in WITH_HISTORY},
}
# A prefix that is none breaks the check of the permission first.
BAD_REFERENCES = {"fk_access_permissions_domain": "permission_prefix = split_part(permission, ':', 1)"}


@pytest.fixture(scope="module")
def rooms_url(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    return url


@pytest.fixture
def conn(rooms_url: str) -> Iterator[psycopg.Connection]:
    with connect(rooms_url) as open_conn:
        yield open_conn
        open_conn.rollback()


def test_every_table_has_the_columns_types_and_defaults_that_were_specified(conn: psycopg.Connection) -> None:
    for table, specified in COLUMNS.items():
        assert columns(conn, "rooms", table) == set(f"{specified}, {EVERYWHERE}".split(", ")), table
    tables = conn.execute(
        "select relname from pg_class where relnamespace = 'rooms'::regnamespace and relkind in ('r', 'p') "
        "and not relispartition and relname not in ('alembic_version', 'job_watermarks', 'room_months')"
    ).fetchall()
    assert {name for (name,) in tables} == {*COLUMNS, *(f"{table}_history" for table in WITH_HISTORY)}


def test_a_history_has_every_column_of_its_table_but_the_password(conn: psycopg.Connection) -> None:
    for table in WITH_HISTORY:
        names = {column.split("=")[0] for column in columns(conn, "rooms", table)} - {"password_hash!"}
        own = {column.split("=")[0] for column in IN_HISTORY.split(", ")}
        assert {column.split("=")[0] for column in columns(conn, "rooms", f"{table}_history")} == names | own, table


def test_every_list_of_values_is_as_specified(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        "select typname, string_agg(enumlabel, ' ' order by enumsortorder) from pg_enum "
        "inner join pg_type on pg_type.oid = enumtypid where typnamespace = 'rooms'::regnamespace group by typname"
    ).fetchall()
    assert dict(rows) == ENUMS


def test_keys_and_indexes_have_their_names_and_columns(conn: psycopg.Connection) -> None:
    assert {name: text for name, text in indexes(conn, "rooms").items() if name in INDEXES} == INDEXES
    assert {name: text for name, text in keys(conn, "rooms").items() if name in KEYS} == KEYS


def test_a_row_that_breaks_a_rule_of_the_schema_is_refused_by_that_rule(conn: psycopg.Connection) -> None:
    conn.execute(SOUND)
    assert unrefused(conn, "rooms", BAD_CHECKS, BAD_REFERENCES) == []


def test_each_monthly_table_has_this_month_and_three_more_and_no_default(conn: psycopg.Connection) -> None:
    assert monthly(conn, "rooms") == {table: (column, 4) for table, column in MONTHLY.items()}


def test_a_month_is_made_once_and_a_row_beside_all_months_is_refused(conn: psycopg.Connection) -> None:
    made = conn.execute(
        "select rooms.keep_months('2025-11-30', '2026-01-01'), rooms.keep_months('2025-12-01', '2026-01-31')"
    )
    assert made.fetchone() == (3 * 14, 0)
    rows = conn.execute("""
        select "from", "to", state from rooms.archives where "table" = 'messages' order by 1 limit 1
    """).fetchone()
    assert rows is not None and rows[2] == "online" and (rows[1] - rows[0]).days in range(28, 32)
    with pytest.raises(psycopg.errors.CheckViolation, match="2031-05"):
        conn.execute(
            "insert into rooms.user_presence_changes (user_id, to_status, changed_at) "
            "values (gen_random_uuid(), 'online', '2031-05-07')"
        )


def test_the_schema_goes_a_step_or_all_of_it_and_comes_again(new_database: Callable[[], str]) -> None:
    def made(url: str) -> list[tuple[str]]:
        """All functions, who may run them, and all defaults."""
        with connect(url) as conn:
            return conn.execute(
                "select pg_get_functiondef(oid) || coalesce(proacl::text, '') from pg_proc "
                "where pronamespace = 'rooms'::regnamespace "
                "union all select concat_ws(' ', attrelid::regclass, attname, pg_get_expr(adbin, adrelid)) "
                "from pg_attrdef inner join pg_attribute on attrelid = adrelid and attnum = adnum "
                "inner join pg_class on pg_class.oid = adrelid where relnamespace = 'rooms'::regnamespace order by 1"
            ).fetchall()

    url = new_database()
    schema.upgrade(url, "0004")
    before = made(url)
    schema.upgrade(url, "0005")
    schema.downgrade(url, "0004")
    assert made(url) == before
    schema.upgrade(url)
    asked = [text for (text,) in made(url) if "now()" in text]
    assert len(asked) == 1 and "rooms.clock()" in asked[0], "the clock alone asks the server"
    schema.downgrade(url)
    with connect(url) as conn:
        left = "select relname from pg_class where relnamespace = 'rooms'::regnamespace and relkind in ('r', 'p')"
        assert conn.execute(left).fetchall() == [("alembic_version",)]
    schema.upgrade(url)
    assert schema.current(url) == schema.newest()


def test_the_database_audit_finds_nothing_in_the_schema(rooms_url: str) -> None:
    with connect(rooms_url, autocommit=True) as conn:
        found = audit.run(conn, ZoneInfo("America/Bogota"), schema="rooms", known={}).findings
    assert [(one.rule, one.object, one.evidence) for one in found if one.severity != "not_checked"] == []
