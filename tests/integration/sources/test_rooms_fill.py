"""The made-up firm in the schema `rooms`: its history by COPY, with the times at which things happened, and the days
after it through the functions alone.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dagster_project.sources.made import made_until, note_made
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.bringing import bring
from dagster_project.sources.rooms.ledger import Ledger
from dagster_project.sources.rooms.sandbox import faults
from dagster_project.sources.rooms.sandbox.fill import fill, history, keep_up, play
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.sources.rooms.tables import TABLES
from tests.support.rooms import contents, refuse_writes_past_functions

FIRM = Firm(first_day=date(2026, 3, 2), days=100, rooms_per_day=6)
UNTIL = datetime(2026, 3, 12, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    with psycopg.connect(url) as conn:
        fill(conn, FIRM, UNTIL)
    return url


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    """What a test writes is not there for the next one."""
    with psycopg.connect(url) as conn:
        yield conn
        conn.rollback()


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return history(FIRM, UNTIL)


def rows_of(conn: psycopg.Connection, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    found = conn.execute(sql.SQL("select {} from rooms.{}").format(names, sql.Identifier(table))).fetchall()
    kept = (bool, int, dict, list, datetime, type(None))
    return [tuple(value if isinstance(value, kept) else str(value) for value in row) for row in found]


def in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def test_the_tables_are_those_of_the_schema_with_its_columns_types_and_defaults(conn: psycopg.Connection) -> None:
    found: dict[str, dict[str, tuple[Any, bool]]] = {}
    for table, column, kind, labels, nullable in conn.execute(
        """
        select pg_class.relname, attname, format_type(atttypid, null),
            (select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = atttypid),
            not attnotnull
        from pg_class inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        where relnamespace = 'rooms'::regnamespace and relkind in ('r', 'p') and not relispartition
        """
    ):
        short = {"bigint": "integer", "timestamp with time zone": "timestamptz"}.get(kind, kind)
        found.setdefault(table, {})[column] = (tuple(labels) if labels else short, nullable)
    for name, table in TABLES.items():
        wanted = {column: (spec.type, spec.is_nullable) for column, spec in table.columns.items()}
        # A read of an erased user stays in the log; one that is written names its user and room.
        lax = {"data_access_log": {"user_id", "room_id"}}.get(name, set())
        assert {
            column: (kind, nullable and column not in lax)
            for column, (kind, nullable) in found[name].items()
            if column != "row_xid"
        } == wanted
        assert (table.history in found) == table.keeps_history
        if table.keeps_history:
            assert set(table.history_columns) == set(found[table.history]) & set(table.columns)


@pytest.mark.parametrize("table", TABLES)
def test_rows_and_history_are_those_of_the_books_with_their_own_times(
    conn: psycopg.Connection, ledger: Ledger, table: str
) -> None:
    spec = TABLES[table]
    columns = list(spec.columns)
    expected = [tuple(row[column] for column in columns) for row in ledger.rows[table].values()]
    assert in_order(rows_of(conn, table, columns)) == in_order(expected)
    if spec.keeps_history:
        columns = ["history_id", "changed_at", "operation_type", "changed_by", "changed_columns", *spec.history_columns]
        expected = [tuple(row[column] for column in columns) for row in ledger.history[table]]
        assert in_order(rows_of(conn, spec.history, columns)) == in_order(expected)


def test_no_image_of_a_message_begins_before_the_one_before_it_ended(conn: psycopg.Connection) -> None:
    gaps = conn.execute(
        """
        select count(*), count(*) filter (where ends <> begins_next)
        from (
            select changed_at as ends, lead(updated_at, 1, (
                select updated_at from rooms.messages where messages.id = messages_history.id
            )) over (partition by id order by changed_at) as begins_next
            from rooms.messages_history where operation_type = 'UPDATE'
        ) as images
        """
    ).fetchone()
    assert gaps and gaps[0] > 100 and gaps[1] == 0


def count(conn: psycopg.Connection, condition: str, *values: Any) -> int:
    row = conn.execute(f"select count(*) from rooms.messages where {condition}", values).fetchone()  # type: ignore[arg-type]
    assert row
    return int(row[0])


def test_a_late_transaction_is_seen_after_one_that_began_after_it_and_with_a_lower_number(
    url: str, conn: psycopg.Connection
) -> None:
    with faults.LateCommit(url, UNTIL) as late:
        (quick,) = faults.post(conn, UNTIL + timedelta(minutes=5), 1, "quick")
        assert count(conn, "id = any(%s)", late.messages) == 0
    assert count(conn, "id = any(%s)", late.messages) == 3
    assert (
        count(
            conn, "id = any(%s) and row_xid < (select row_xid from rooms.messages where id = %s)", late.messages, quick
        )
        == 3
    )


def test_one_instant_has_five_thousand_rows_and_a_skewed_clock_writes_the_past(
    conn: psycopg.Connection,
) -> None:
    faults.one_instant(conn, UNTIL)
    assert count(conn, "updated_at = %s", UNTIL) >= 5_000
    faults.skewed_clock(conn, UNTIL, timedelta(minutes=-40))
    assert count(conn, "content like 'fault%%' and created_at < %s", UNTIL) == 20


def test_every_bad_row_of_a_foreign_database_gets_in(conn: psycopg.Connection) -> None:
    ids = faults.bad_rows(conn, UNTIL)
    assert len(set(ids.values())) == len(ids) == 10
    broken = {
        "message_without_room": "room_id not in (select id from rooms.chat_rooms)",
        "message_without_sender": "sender_id not in (select id from rooms.users)",
        "reply_to_missing": "reply_to_message_id not in (select id from rooms.messages)",
        "from_the_future": "created_at > timestamptz '2026-03-14'",
        "message_id_twice": "id in (select id from rooms.messages group by id having count(*) = 2)",
    }
    for rule, condition in broken.items():
        assert count(conn, f"{condition} and id = %s", ids[rule]) == (2 if rule == "message_id_twice" else 1), rule
    others = conn.execute(
        """
        select
            (select count(*) from rooms.robot_interactions where completed_at < started_at),
            (select count(*) from rooms.room_participants where left_at < joined_at),
            (select count(*) from rooms.escalations where resolved_at < created_at),
            (select count(*) from rooms.escalations where status = 'resolved' and resolved_at is null),
            (select count(*) from rooms.chat_rooms as room inner join rooms.chat_rooms as above
                on above.id = room.parent_room_id and above.parent_room_id = room.id)
        """
    ).fetchone()
    assert others == (1, 1, 1, 1, 2)


def kinds(conn: psycopg.Connection, since: int, until: int) -> set[tuple[str, ...]]:
    """The kinds of rows that transactions from one up to another have left: what their states are, what has changed."""
    told: dict[str, tuple[str, ...]] = {
        "chat_rooms": ("room_type", "parent_room_id is null", "issue_id is null", "is_private", "escalation_level"),
        "room_participants": ("role", "can_send_messages", "can_invite_others"),
        "messages": ("message_type", "robot_id is null", "is_robot_visible_to_guests"),
        "chat_file_attachments": ("preview_available", "thumbnail_url is null"),
        "robot_interactions": ("status", "is_handover", "completed_at is null", "error_message is null"),
        "escalations": ("assigned_to_user_id is null", "resolved_at is null", "status = 'created'"),
        "conversation_conclusions": ("outcome = 'escalated'", "concluded_by_user_id is null"),
        "user_presence_changes": ("to_status",),
    }
    told |= {
        f"{name}_history": ("operation_type", "changed_columns") for name, spec in TABLES.items() if spec.keeps_history
    }
    found = set()
    for table, columns in told.items():
        query = f"select distinct {', '.join(columns)} from rooms.{table} where row_xid > %s and row_xid <= %s"
        found |= {(table, *map(str, row)) for row in conn.execute(query, [since, until])}  # type: ignore[arg-type]
    return found


def test_days_after_the_history_come_through_the_functions_alone_at_their_times_and_the_same_again(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    events = RoomsSandbox(FIRM).events(UNTIL + timedelta(days=4), after=UNTIL)
    evening = UNTIL + timedelta(hours=8)
    first, rest = ([event for event in events if (event.at <= evening) == is_first] for is_first in (True, False))
    with psycopg.connect(url) as conn:
        refuse_writes_past_functions(conn)
        with pytest.raises(psycopg.errors.RaiseException, match="written past the functions"), conn.transaction():
            bring(conn, first, lambda place, fault: None)
        (before,) = conn.execute("select pg_current_xact_id()::text::bigint").fetchone() or ()
        conn.commit()
        with conn.transaction(force_rollback=True):
            play(conn, first)
            once = contents(conn)
        play(conn, first)
        assert contents(conn) == once, "the same rows, with the same ids, also of histories"
        with conn.transaction():
            note_made(conn, "rooms", evening)  # as one who played it live would
        assert len(first) + keep_up(conn, FIRM, UNTIL + timedelta(days=4)) > 0.96 * len(events)
        assert made_until(conn, "rooms") == UNTIL + timedelta(days=4)
        written = conn.execute(
            "select min(updated_at) > %s, max(updated_at) <= %s, count(*) from rooms.messages where row_xid > %s",
            [UNTIL, UNTIL + timedelta(days=4), before],
        ).fetchone()
        assert written and written[:2] == (True, True) and written[2] > 200
        posted = {event.fields["id"]: event.at for event in rest if event.kind == "message_posted"}
        kept = dict(conn.execute("select id::text, created_at from rooms.messages").fetchall())
        assert len(posted.items() & kept.items()) > 0.9 * len(posted) and all(
            kept.get(id, at) == at for id, at in posted.items()
        )
        live, made = kinds(conn, before, 2**62), kinds(conn, 0, before)
    assert "refused" not in caplog.text, "what the firm does, its application may do"
    assert len(live) > 40
    assert live - made == set()
