"""Who may do and see what in the schema rooms: every cell's answer is written here by hand."""

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest

from dagster_project.sources.rooms import schema
from dagster_project.warehouse.connection import as_role, connect
from tests.support.rooms import OTHER_ORGANIZATION, acting, add_organizations, add_room, add_user, call, seat

PERMISSIONS = (
    "chat:room:create",
    "chat:room:read",
    "chat:room:update",
    "chat:room:archive",
    "chat:message:send",
    "chat:message:read",
    "chat:message:edit_own",
    "chat:message:delete_any",
    "chat:robot:ask",
    "chat:robot:see_hidden",
    "chat:file:upload",
    "chat:file:read",
    "chat:file:delete_any",
    "chat:escalation:create",
    "chat:escalation:assign",
    "chat:escalation:resolve",
    "supervisor:chat:monitor",
    "supervisor:chat:export",
)
KINDS = ("guest", "registered", "agent", "robot", "supervisor", "admin")
# In the order of PERMISSIONS: room (create read update archive), message (send read edit_own delete_any),
# robot (ask see_hidden), file (upload read delete_any), escalation (create assign resolve), supervisor (monitor
# export).
#                        room message robot file escalation supervisor
MATRIX = {
    ("customer or agent", "guest"): "yy-- yyy- y- yy- --- --",
    ("customer or agent", "member"): "yy-- yyy- yy yy- yyy --",
    ("customer or agent", "moderator"): "yyyy yyyy yy yyy yyy --",
    ("customer or agent", "observer"): "yy-- -y-- -y -y- --- --",
    ("customer or agent", "none"): "y--- ---- -- --- --- --",
    ("customer or agent", "left"): "y--- ---- -- --- --- --",
    ("customer or agent", "elsewhere"): "---- ---- -- --- --- --",
    ("supervisor", "guest"): "yyyy yyyy yy yy- yyy yy",
    ("supervisor", "member"): "yyyy yyyy yy yy- yyy yy",
    ("supervisor", "moderator"): "yyyy yyyy yy yyy yyy yy",
    ("supervisor", "observer"): "yyyy -y-y -y -y- yyy yy",
    ("supervisor", "none"): "yyyy -y-y -y -y- yyy yy",
    ("supervisor", "left"): "yyyy -y-y -y -y- yyy yy",
    ("supervisor", "elsewhere"): "---- ---- -- --- --- --",
    ("admin", "guest"): "yyyy yyyy yy yyy yyy yy",
    ("admin", "member"): "yyyy yyyy yy yyy yyy yy",
    ("admin", "moderator"): "yyyy yyyy yy yyy yyy yy",
    ("admin", "observer"): "yyyy yyyy yy yyy yyy yy",
    ("admin", "none"): "yyyy yyyy yy yyy yyy yy",
    ("admin", "left"): "yyyy yyyy yy yyy yyy yy",
    ("admin", "elsewhere"): "---- ---- -- --- --- --",
}


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    made = new_database()
    schema.upgrade(made)
    with connect(made) as conn:
        conn.execute("select rooms.keep_months((now() - interval '1 day')::date, now()::date)")
        add_organizations(conn)
        for kind in KINDS:
            add_user(conn, kind, kind)
    return made


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with connect(url) as open_conn:
        yield open_conn
        open_conn.rollback()


@pytest.fixture
def who(conn: psycopg.Connection) -> dict[str, uuid.UUID]:
    return dict(conn.execute("select username, id from rooms.users").fetchall())


def test_every_account_may_do_in_each_seat_what_is_written_and_nothing_else(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    far = add_user(conn, "far", "admin", OTHER_ORGANIZATION)
    wrong, cells = [], 0
    for (group, place), answers in MATRIX.items():
        kinds = ("guest", "registered", "agent", "robot") if group == "customer or agent" else (group,)
        for kind in kinds:
            if place == "elsewhere":
                room = add_room(conn, far, organization_id=OTHER_ORGANIZATION)
            else:
                room = add_room(conn, who["agent"])
                if place == "left":
                    seat(conn, room, who[kind], "moderator", "left")
                elif place != "none":
                    seat(conn, room, who[kind], place)
            for permission, answer in zip(PERMISSIONS, answers.replace(" ", ""), strict=True):
                cells += 1
                if call(conn, "has_permission", who[kind], permission, room) is not (answer == "y"):
                    wrong.append((kind, place, permission))
    assert cells == 6 * 7 * 18
    assert wrong == []


def test_a_role_is_granted_for_a_room_or_everywhere_and_for_a_time(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    ours, other = add_room(conn, who["agent"]), add_room(conn, who["agent"])
    grant = "insert into rooms.user_roles (user_id, role, room_id, valid_from, valid_to) values (%s, %s, %s, %s, %s)"
    conn.execute(grant, [who["agent"], "room_moderator", ours, "2020-01-01", None])
    conn.execute(grant, [who["robot"], "supervisor", None, "2020-01-01", "2021-01-01"])
    conn.execute(grant, [who["registered"], "supervisor", None, "2020-01-01", None])
    assert call(conn, "has_permission", who["agent"], "chat:room:archive", ours) is True
    assert call(conn, "has_permission", who["agent"], "chat:room:archive", other) is False
    assert call(conn, "has_permission", who["robot"], "supervisor:chat:monitor", ours) is False
    assert call(conn, "has_permission", who["registered"], "supervisor:chat:monitor", other) is True
    conn.execute("update rooms.users set current_account_status = 'suspended' where id = %s", [who["registered"]])
    assert call(conn, "has_permission", who["registered"], "supervisor:chat:monitor", other) is False


def test_the_application_sees_the_rows_of_whom_it_speaks_for(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    far = add_user(conn, "far", "admin", OTHER_ORGANIZATION)
    late = add_user(conn, "late", "agent")
    private = add_room(conn, who["agent"], is_private=True)
    add_room(conn, who["agent"])
    add_room(conn, who["agent"], guest_access_allowed=False)
    add_room(conn, who["agent"], room_type="support")  # of another customer
    add_room(conn, far, organization_id=OTHER_ORGANIZATION)
    for name, role, status in (
        ("agent", "moderator", "active"),
        ("guest", "guest", "active"),
        ("robot", "observer", "muted"),
        ("registered", "member", "left"),
    ):
        seat(conn, private, who[name], role, status)
    seat(conn, private, late)
    conn.execute(
        "update rooms.room_participants set can_see_history = false, joined_at = now() - interval '1 hour' "
        "where user_id = %s",
        [late],
    )
    rows = conn.execute(
        "insert into rooms.messages (room_id, sender_id, message_type, is_robot_visible_to_guests, content, "
        "created_at) select %s, %s, kind::rooms.message_type_enum, shown, 'x', now() - age from (values "
        "('chat', false, interval '2 hours'), ('chat', false, interval '0'), ('robot', false, interval '0'), "
        "('robot', true, interval '0')) as t (kind, shown, age) returning id, created_at",
        [private, who["agent"]],
    ).fetchall()
    conn.cursor().executemany(
        "insert into rooms.chat_file_attachments (message_id, message_created_at, file_manager_file_id, "
        "original_filename, file_size, mime_type, owner_id) values (%s, %s, gen_random_uuid(), 'a', 1, 'b', %s)",
        [(*row, who["agent"]) for row in rows],
    )
    conn.execute(
        "insert into rooms.messages (room_id, sender_id, content, deleted_at) values (%s, %s, 'taken back', now())",
        [private, who["agent"]],
    )
    #                  rooms, seats, messages, files; two of the five rooms are open to all of the organization
    expected = {
        "agent": (4, 5, 4, 4),
        "guest": (2, 5, 3, 3),  # not the room without guests, not the robot's hidden message
        "robot": (4, 5, 4, 4),
        "registered": (2, 0, 0, 0),  # has left
        "late": (4, 5, 3, 3),  # not what was written before
        "supervisor": (4, 5, 4, 4),
        "far": (1, 0, 0, 0),
        None: (0, 0, 0, 0),  # set local was forgotten
    }
    people = {**who, "late": late, "far": far}
    seen = {}
    for name in expected:
        with acting(conn, people[name] if name else None):
            seen[name] = conn.execute(
                "select (select count(*) from rooms.chat_rooms), (select count(*) from rooms.room_participants), "
                "(select count(*) from rooms.messages), (select count(*) from rooms.chat_file_attachments)"
            ).fetchone()
    assert seen == expected


@pytest.mark.parametrize(
    "statement",
    [
        "insert into rooms.organizations (name) values ('x')",
        "update rooms.messages set content = 'x'",
        "delete from rooms.messages",
        "truncate rooms.messages",
        "create table rooms.mine (id integer)",
        "alter table rooms.messages disable row level security",
        "select from rooms.users",
        "select from rooms.messages_history",
        "select from rooms.data_access_log",
        "select from rooms.message_search",
        "select rooms.erase_user(gen_random_uuid())",
        "select rooms.keep_partitions()",
        "select rooms.log_access(gen_random_uuid(), gen_random_uuid(), 'x', 1)",
    ],
)
@pytest.mark.parametrize("role", ["rooms_app", "rooms_supervisor", "rooms_system"])
def test_the_application_has_no_way_but_its_functions(conn: psycopg.Connection, role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting(conn, None, role):
        conn.execute(statement)


@pytest.mark.parametrize(
    "call",
    [
        "create_user(gen_random_uuid(), 'x', 'x', 'x', 'x', 'admin')",
        "change_user(gen_random_uuid(), 'x')",
        "close_account(gen_random_uuid())",
        "grant_role(gen_random_uuid(), 'admin')",
        "end_role(gen_random_uuid())",
        "close_room(gen_random_uuid(), 'abandoned')",
        "archive_closed_room(gen_random_uuid())",
        "purge_message(gen_random_uuid())",
    ],
)
def test_what_the_application_does_by_itself_is_not_done_by_whoever_is_signed_in(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], call: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting(conn, who["admin"]):
        conn.execute(f"select rooms.{call}")  # type: ignore[arg-type]


def test_the_reader_reads_all_tables_and_months_but_no_password_and_writes_nothing(
    url: str, conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    room = add_room(conn, who["agent"], is_private=True)
    conn.execute("insert into rooms.messages (room_id, sender_id, content) values (%s, %s, 'x')", [room, who["agent"]])
    with acting(conn, None, "rooms_reader"):
        assert conn.execute("select count(*) from rooms.messages").fetchone() == (1,)
    with connect(as_role(url, "rooms_reader")) as reader:
        tables = reader.execute(
            "select oid::regclass::text from pg_class where relnamespace = 'rooms'::regnamespace "
            "and relkind in ('r', 'p') and relname not in ('alembic_version', 'users')"
        ).fetchall()
        for (table,) in tables:
            reader.execute(f"select count(*) from {table}")
        reader.execute("select id, email, row_xid from rooms.users")
        for statement in ("select password_hash from rooms.users", "delete from rooms.messages"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
                reader.execute(statement)


def test_what_the_application_puts_in_the_place_of_a_catalog_never_runs_with_the_owners_rights(
    url: str, conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    conn.execute("set session authorization rooms_app")
    conn.execute("create function pg_temp.own() returns oid language sql as 'select 1 / 0; select 0::oid'")
    conn.execute("create temporary view pg_inherits as select pg_temp.own() as inhrelid, pg_temp.own() as inhparent")
    conn.execute("grant select on pg_inherits to public")
    conn.execute("select set_config('rooms.user_id', %s, true)", [str(who["agent"])])
    assert call(conn, "search_messages", "x") == []
    conn.execute("reset session authorization")
    unpinned = conn.execute(
        "select oid::regprocedure::text, proconfig from pg_proc "
        "where prosecdef and pronamespace::regnamespace::text !~ '^pg_' "
        "and not coalesce(proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']"
    )
    assert unpinned.fetchall() == []  # in the warehouse's own schemas neither
