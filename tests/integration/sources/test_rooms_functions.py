"""The functions of the schema rooms: what each does, and what each refuses, with its code and without a trace."""

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dagster_project.sources.rooms import passwords, schema
from dagster_project.warehouse import conninfo
from dagster_project.warehouse.connection import connect
from tests.support.rooms import OTHER_ORGANIZATION, acting, add_organizations, add_room, add_user, call, seat

CONTENT = "select coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from rooms.{} as t"
WRITTEN = ("chat_rooms", "room_participants", "messages", "chat_file_attachments", "robot_interactions", "escalations")


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    made = new_database()
    schema.upgrade(made)
    with connect(made) as conn:
        add_organizations(conn)
        for name, kind in (
            ("ana", "agent"),
            ("bea", "agent"),
            ("eve", "agent"),
            ("gus", "guest"),
            ("gia", "guest"),
            ("rob", "robot"),
            ("sol", "supervisor"),
            ("out", "registered"),
        ):
            add_user(conn, name, kind)
        add_user(conn, "far", "admin", OTHER_ORGANIZATION)
    return made


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with connect(url) as open_conn:
        yield open_conn
        open_conn.rollback()


@pytest.fixture
def who(conn: psycopg.Connection) -> dict[str, uuid.UUID]:
    return dict(conn.execute("select username, id from rooms.users").fetchall())


@pytest.fixture
def room(conn: psycopg.Connection, who: dict[str, uuid.UUID]) -> uuid.UUID:
    """A support room: Ana steers it, Gus is the guest, the robot takes part, Eve is muted."""
    made = add_room(conn, who["gus"], room_type="support", name="Lease", issue_description="a leak")
    seat(conn, made, who["ana"], "moderator")
    seat(conn, made, who["gus"], "guest")
    seat(conn, made, who["rob"])
    seat(conn, made, who["eve"], status="muted")
    return made


def post(conn: psycopg.Connection, person: uuid.UUID, room: uuid.UUID, text: str = "hola", **named: Any) -> uuid.UUID:
    with acting(conn, person):
        return uuid.UUID(str(call(conn, "post_message", room, text, **named)[0][0]))


def test_a_support_room_lives_from_its_opening_to_its_end(conn: psycopg.Connection, who: dict[str, uuid.UUID]) -> None:
    with acting(conn, who["gus"]):
        room = call(conn, "create_room", "Lease", "support")
    with acting(conn, who["ana"]):
        assert call(conn, "add_participant", room, who["ana"], "moderator") is True
        assert call(conn, "add_participant", room, who["ana"]) is False
        call(conn, "add_participant", room, who["rob"])
    asked = post(conn, who["gus"], room, "the roof leaks")
    with acting(conn, who["rob"]):
        interaction = call(conn, "start_robot", asked, "r1", "{}")
        call(conn, "finish_robot", interaction, '{"say": "hi"}', is_handover=True)
    with acting(conn, who["ana"]):
        escalation, target = call(conn, "escalate", room, "T2", "needs a plumber")[0]
        call(conn, "assign_escalation", escalation, who["bea"])
    with acting(conn, who["bea"]):
        call(conn, "start_escalation", escalation)
        assert {row[1:3] for row in call(conn, "participants_of", target)} == {
            ("gus Test", "guest"),
            ("bea Test", "moderator"),
        }
    post(conn, who["bea"], target, "on my way")
    with acting(conn, who["bea"]):
        call(conn, "resolve_escalation", escalation, "mended")
        call(conn, "conclude_room", target, "resolved", "mended")
        call(conn, "reopen_room", target)
        call(conn, "conclude_room", target)
        call(conn, "archive_room", target)
    row = conn.execute(
        "select room_type, escalation_level, parent_room_id, root_room_id, status, outcome, summary "
        "from rooms.chat_rooms inner join rooms.conversation_conclusions on room_id = id where id = %s",
        [target],
    ).fetchone()
    assert row == ("escalated", 2, room, room, "archived", "resolved", None)
    row = conn.execute("select from_level, to_level, status, resolved_at from rooms.escalations").fetchone()
    assert row is not None and row[:3] == ("T1", "T2", "resolved") and row[3] is not None
    row = conn.execute(
        "select status, is_handover, completed_at >= started_at from rooms.robot_interactions"
    ).fetchone()
    assert row == ("completed", True, True)
    said = conn.execute("select content from rooms.messages where message_type = 'system'").fetchall()
    assert said == [("Escalated from T1 to T2",)] * 2
    left = conn.execute("select status from rooms.room_participants where room_id = %s and role = 'guest'", [room])
    assert left.fetchall() == [("left",)]


REFUSALS: dict[str, tuple[str, str, str, str]] = {
    "who takes no part": ("RM001", "out", "post_message", "%(room)s, 'x'"),
    "who takes no part and reads": ("RM001", "out", "page_messages", "%(room)s"),
    "who takes no part and searches": ("RM001", "out", "search_messages", "'x', %(room)s"),
    "who is muted": ("RM002", "eve", "post_message", "%(room)s, 'x'"),
    "a guest who archives": ("RM003", "gus", "archive_room", "%(room)s"),
    "a guest who invites": ("RM003", "gus", "add_participant", "%(room)s, %(out)s"),
    "a person who writes as a robot": ("RM003", "ana", "post_message", "%(room)s, 'x', message_type => 'robot'"),
    "a robot that writes as a person": ("RM003", "rob", "post_message", "%(room)s, 'x'"),
    "who changes another's message": ("RM003", "ana", "edit_message", "%(message)s, 'x'"),
    "a guest who deletes another's message": ("RM003", "gus", "delete_message", "%(ours)s"),
    "who lists another's rooms": ("RM003", "ana", "list_rooms", "%(gus)s"),
    "a guest in another's support room": ("RM003", "gia", "add_participant", "%(room)s, %(gia)s"),
    "a customer in another's support room": ("RM003", "out", "add_participant", "%(room)s, %(out)s"),
    "a third one in a talk of two": ("RM003", "bea", "add_participant", "%(direct)s, %(bea)s"),
    "who is muted and changes a message": ("RM002", "eve", "edit_message", "%(hers)s, 'x'"),
    "who is muted and sends a file": (
        "RM002",
        "eve",
        "attach_file",
        "%(hers)s, gen_random_uuid(), 'a.pdf', 1, 'application/pdf'",
    ),
    "who says that another's message failed": ("RM003", "gus", "mark_delivered", "%(ours)s, 'failed'"),
    "a customer who is to take a case": ("RM003", "ana", "assign_escalation", "%(escalation)s, %(gus)s"),
    "a case for another organization": ("RM011", "ana", "assign_escalation", "%(escalation)s, %(far)s"),
    "a full room": ("RM004", "ana", "add_participant", "%(full)s, %(out)s"),
    "a closed room": ("RM005", "ana", "post_message", "%(closed)s, 'x'"),
    "a message of more than 1 MB": ("RM006", "ana", "post_message", "%(room)s, repeat('ñ', 524289)"),
    "a change of more than 1 MB": ("RM006", "gus", "edit_message", "%(message)s, repeat('x', 1048577)"),
    "more than 1 MB beside a message": (
        "RM006",
        "ana",
        "post_message",
        "%(room)s, 'x', content_metadata => jsonb_build_object('a', repeat('x', 1048577))",
    ),
    "a page of more than 200": ("RM007", "ana", "page_messages", "%(room)s, page_size => 201"),
    "a search of more than 200": ("RM007", "ana", "search_messages", "'x', %(room)s, 201"),
    "an answer to another room's message": ("RM008", "ana", "post_message", "%(room)s, 'x', reply_to => %(there)s"),
    "a message of the day after tomorrow": (
        "RM009",
        "ana",
        "post_message",
        "%(room)s, 'x', created_at => now() + interval '25 hours'",
    ),
    "a message of a month that nobody made": (
        "RM010",
        "ana",
        "post_message",
        "%(room)s, 'x', created_at => '2019-05-07'",
    ),
    "a room of another organization": ("RM011", "far", "page_messages", "%(room)s"),
    "a person of another organization": ("RM011", "ana", "add_participant", "%(room)s, %(far)s"),
    "an escalation that was not assigned": ("RM014", "ana", "start_escalation", "%(escalation)s"),
    "an escalation that was not begun": ("RM014", "ana", "resolve_escalation", "%(escalation)s"),
    "a room that is escalated already": ("RM014", "ana", "escalate", "%(elsewhere)s, 'T3', 'again'"),
    "nobody": ("RM016", "", "list_rooms", ""),
    "a guest in a room without guests": ("RM017", "ana", "add_participant", "%(closed_to_guests)s, %(gus)s"),
    "a supervisor who says no purpose": ("RM018", "sol", "monitor_messages", "%(room)s, ' '"),
    "an agent who monitors": ("RM003", "ana", "monitor_messages", "%(room)s, 'audit'"),
    "no content": ("RM019", "ana", "post_message", "%(room)s, null"),
    "a key of 201 characters": ("RM019", "ana", "post_message", "%(room)s, 'x', repeat('k', 201)"),
    "a file of less than nothing": (
        "RM019",
        "ana",
        "attach_file",
        "%(ours)s, gen_random_uuid(), 'a.pdf', -1, 'application/pdf'",
    ),
    "a step to the same level": ("RM019", "ana", "escalate", "%(room)s, 'T1', 'why'"),
    "a step of priority 6": ("RM019", "ana", "escalate", "%(room)s, 'T2', 'why', 6"),
    "a step without a reason": ("RM019", "ana", "escalate", "%(room)s, 'T2', ' '"),
    "a room of no type": ("RM019", "ana", "create_room", "'x', null"),
    "an end without an outcome": ("RM019", "ana", "conclude_room", "%(room)s, null, 'words'"),
    "a presence of 51 characters": ("RM019", "ana", "set_presence", "repeat('x', 51)"),
    "a robot that is asked nothing": ("RM019", "rob", "start_robot", "%(message)s, 'r1', null"),
    "a room without seats": ("RM019", "ana", "create_room", "max_participants => 0"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_call_that_may_not_be_is_refused_by_its_code_and_writes_nothing(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID, name: str
) -> None:
    code, person, function, arguments = REFUSALS[name]
    closed = add_room(conn, who["ana"], status="closed")
    full = add_room(conn, who["ana"], max_participants=1)
    closed_to_guests = add_room(conn, who["ana"], guest_access_allowed=False)
    elsewhere = add_room(conn, who["ana"])
    direct = add_room(conn, who["ana"], room_type="direct", max_participants=2)
    for place in (closed, full, closed_to_guests, elsewhere, direct):
        seat(conn, place, who["ana"], "moderator")
    values = {
        **who,
        "room": room,
        "closed": closed,
        "full": full,
        "closed_to_guests": closed_to_guests,
        "message": post(conn, who["gus"], room),
        "ours": post(conn, who["ana"], room),
        "elsewhere": elsewhere,
        "there": post(conn, who["ana"], elsewhere),
        "direct": direct,
    }
    conn.execute("update rooms.room_participants set status = 'active' where user_id = %s", [who["eve"]])
    values["hers"] = post(conn, who["eve"], room)
    conn.execute("update rooms.room_participants set status = 'muted' where user_id = %s", [who["eve"]])
    with acting(conn, who["ana"]):
        values["escalation"] = call(conn, "escalate", elsewhere, "T2", "why")[0][0]
    before = [conn.execute(CONTENT.format(table)).fetchone() for table in WRITTEN]
    with pytest.raises(psycopg.Error) as refused, acting(conn, who.get(person)):
        conn.execute(f"select * from rooms.{function}({arguments})", values)
    assert refused.value.sqlstate == code
    assert refused.value.diag.message_primary and "\n" not in refused.value.diag.message_primary
    assert refused.value.diag.message_detail is None  # the server's own refusals show, and log, the whole row
    assert [conn.execute(CONTENT.format(table)).fetchone() for table in WRITTEN] == before
    if code == "RM010":
        assert "2019-05" in refused.value.diag.message_primary


def test_a_message_that_is_sent_again_is_the_first_one(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    first = post(conn, who["ana"], room, "hola", client_key="k1")
    assert post(conn, who["ana"], room, "hola, again", client_key="k1") == first
    assert post(conn, who["gus"], room, "hola", client_key="k1") != first
    assert conn.execute("select count(*) from rooms.messages where client_key = 'k1'").fetchone() == (2,)
    with acting(conn, who["ana"]):
        call(conn, "leave_room", room)
    conn.execute("update rooms.chat_rooms set status = 'closed' where id = %s", [room])
    assert post(conn, who["ana"], room, "hola", client_key="k1") == first  # its answer was lost on the way


def at_once(url: str, person: uuid.UUID, function: str, *calls: tuple[Any, ...], **named: Any) -> list[Any]:
    """What each of several calls at once returns, or the code by which it is refused."""

    def answer(given: tuple[Any, ...]) -> Any:
        with connect(url) as mine:
            try:
                with acting(mine, person):
                    return call(mine, function, *given, **named)
            except psycopg.Error as refused:
                return refused.sqlstate

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(answer, calls))


def test_of_those_who_do_the_same_at_once_one_does_it(url: str, who: dict[str, uuid.UUID]) -> None:
    with connect(url) as setup:
        room = add_room(setup, who["ana"], room_type="support", max_participants=3)
        seat(setup, room, who["ana"], "moderator")
        seat(setup, room, who["gus"], "guest")
    sent = at_once(url, who["ana"], "post_message", *[(room, "hola", "at once")] * 4)
    assert len({rows[0][0] for rows in sent}) == 1
    joined = at_once(url, who["ana"], "add_participant", *[(room, who[name]) for name in ("bea", "eve", "rob", "sol")])
    assert sorted(map(str, joined)) == ["RM004"] * 3 + ["True"]
    opened = at_once(url, who["ana"], "escalate", *[(room, level, "why") for level in ("T2", "T3", "manager")])
    assert sorted(map(str, opened))[:2] == ["RM014"] * 2
    with connect(url) as conn:
        found = conn.execute("select count(*) from rooms.escalations where source_room_id = %s", [room])
        assert found.fetchone() == (1,)


def test_whoever_was_muted_is_so_wherever_they_go_until_somebody_says_otherwise(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    with acting(conn, who["ana"]):
        call(conn, "mute_participant", room, who["gus"])
    with acting(conn, who["gus"]):
        call(conn, "leave_room", room)
        assert call(conn, "add_participant", room, who["gus"]) is True  # a customer comes back, as a guest
    with pytest.raises(psycopg.Error, match="muted"):
        post(conn, who["gus"], room)
    with acting(conn, who["ana"]):
        ((_, target),) = call(conn, "escalate", room, "T2", "why")
    with pytest.raises(psycopg.Error, match="muted"):
        post(conn, who["gus"], target)
    conn.execute("update rooms.room_participants set role = 'moderator' where user_id = %s", [who["ana"]])
    seat(conn, target, who["ana"], "moderator")
    with acting(conn, who["ana"]):
        call(conn, "mute_participant", target, who["gus"], False)
    post(conn, who["gus"], target)


def test_nobody_gives_themselves_the_history_that_they_may_not_see(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    group = add_room(conn, who["ana"])
    seat(conn, group, who["ana"], "moderator")
    with acting(conn, who["ana"]):
        call(conn, "add_participant", group, who["bea"], "member", False)
    with acting(conn, who["bea"]):
        call(conn, "leave_room", group)
        call(conn, "add_participant", group, who["bea"], "member", True)
    sees = "select can_see_history from rooms.room_participants where room_id = %s and user_id = %s"
    assert conn.execute(sees, [group, who["bea"]]).fetchone() == (False,)


def test_a_step_that_is_called_off_gives_the_customer_back(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    with acting(conn, who["ana"]):
        ((escalation, target),) = call(conn, "escalate", room, "T2", "why")
        call(conn, "cancel_escalation", escalation)
    post(conn, who["gus"], room, "I am here")
    states = "select id, status from rooms.chat_rooms where id = any(%s)"
    assert dict(conn.execute(states, [[room, target]]).fetchall()) == {room: "active", target: "closed"}


def test_a_customer_with_an_account_who_asks_for_support_is_its_guest(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    roles = {}
    for kind in ("support", "group"):
        with acting(conn, who["out"]):
            place = call(conn, "create_room", kind, kind)
        found = conn.execute("select role from rooms.room_participants where room_id = %s", [place]).fetchone()
        roles[kind] = found and found[0]
    assert roles == {"support": "guest", "group": "moderator"}


def test_pages_hold_each_message_once_also_those_of_one_instant(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    at = datetime.now(UTC)
    conn.cursor().executemany(
        "insert into rooms.messages (room_id, sender_id, content, created_at) values (%s, %s, %s, %s)",
        [(room, who["ana"], str(number), at - timedelta(seconds=number // 7)) for number in range(100)],
    )
    read, before = [], (None, None)
    with acting(conn, who["gus"]):
        while page := call(conn, "page_messages", room, *before, page_size=9):
            read += page
            before = (page[-1][1], page[-1][0])
    assert sorted(int(row[4]) for row in read) == list(range(100))
    assert [(row[1], row[0]) for row in read] == sorted(((row[1], row[0]) for row in read), reverse=True)


def test_a_list_of_rooms_says_what_is_unread_and_what_is_newest(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    for number in range(3):
        post(conn, who["gus"], room, f"m{number}")
    hidden = post(conn, who["rob"], room, "for agents", message_type="robot")
    with acting(conn, who["gus"]):
        call(conn, "mark_read", room)
        mine = {row[0]: row for row in call(conn, "list_rooms")}
        assert mine[room][8:] == (0, False)
        assert mine[room][5] != hidden  # a guest does not see it
    with acting(conn, who["ana"]):
        mine = {row[0]: row for row in call(conn, "list_rooms")}
        assert mine[room][8:] == (4, False)
    conn.execute(
        "insert into rooms.messages (room_id, sender_id, content) select %s, %s, n::text from generate_series(1, 98) n",
        [room, who["gus"]],
    )
    with acting(conn, who["ana"]):
        assert {row[0]: row for row in call(conn, "list_rooms")}[room][8:] == (100, True)


def test_the_newest_message_is_found_in_whichever_month_it_lies(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    chance, now = random.Random(7), datetime.now(UTC)
    conn.execute("select rooms.keep_months((now() - interval '8 months')::date, now()::date)")
    places = [add_room(conn, who["ana"]) for _ in range(6)]
    for place in places:
        seat(conn, place, who["ana"])
        seat(conn, place, who["gus"], "guest")
    read = {place: now - timedelta(days=chance.uniform(0, 200)) for place in places}
    for place, until in read.items():
        conn.execute("update rooms.room_participants set last_read_at = %s where room_id = %s", [until, place])
    held: dict[uuid.UUID, tuple[uuid.UUID, datetime, str]] = {}
    for _ in range(60):
        place, writer = chance.choice(places[:5]), chance.choice(["ana", "gus"])
        at = now - timedelta(days=chance.uniform(0, 230))
        row = conn.execute(
            "insert into rooms.messages (room_id, sender_id, content, created_at) values (%s, %s, '', %s) returning id",
            [place, who[writer], at],
        ).fetchone()
        assert row is not None
        held[row[0]] = (place, at, writer)
    for one in chance.sample(list(held), 25):
        if chance.random() < 0.5:
            conn.execute("update rooms.messages set deleted_at = now() where id = %s", [one])
            del held[one]
        else:  # by hand, to a room that nobody wrote in that month
            conn.execute("update rooms.messages set room_id = %s where id = %s", [places[5], one])
            held[one] = (places[5], *held[one][1:])
    with acting(conn, who["ana"]):
        listed = {row[0]: row for row in call(conn, "list_rooms")}
    for place in places:
        mine = sorted(((at, one, writer) for one, (of, at, writer) in held.items() if of == place), reverse=True)
        unread = sum(at > read[place] and writer != "ana" for at, _, writer in mine)
        assert (listed[place][6], listed[place][5], listed[place][8]) == (mine[0][0], mine[0][1], unread)


def test_a_search_finds_words_in_rooms_that_one_takes_part_in(
    url: str, conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    with connect(url) as setup:
        places = [add_room(setup, who["ana"]) for _ in range(2)]
        seat(setup, places[0], who["bea"])
        for place in places:
            seat(setup, place, who["ana"], "moderator")
            post(setup, who["ana"], place, "La gotera del techo sigue")
    with connect(url) as job:
        assert job.execute("select rooms.fill_message_search()").fetchone() >= (2,)
    with connect(url) as job:
        assert job.execute("select rooms.fill_message_search()").fetchone() == (0,)
    with acting(conn, who["ana"]):
        assert {row[0] for row in call(conn, "search_messages", "goteras")} == set(places)
        assert [row[0] for row in call(conn, "search_messages", "goteras", places[1])] == [places[1]]
        assert call(conn, "search_messages", "room" + str(places[1]).replace("-", ""), places[0]) == []
    with acting(conn, who["bea"]):
        found = call(conn, "search_messages", "techo gotera")
        assert [row[0] for row in found] == [places[0]]
    with connect(url) as other, acting(other, who["ana"]):
        call(other, "delete_message", found[0][1])
    with connect(url) as job:
        job.execute("select rooms.fill_message_search()")
    with acting(conn, who["bea"]):
        assert call(conn, "search_messages", "gotera") == []
        assert call(conn, "search_messages", "de la") == []  # words that say nothing find nothing
        assert call(conn, "search_messages", " ".join(map(str, range(200_000)))) == []


def test_a_message_of_1_mb_of_different_words_stops_no_search(url: str, who: dict[str, uuid.UUID]) -> None:
    with connect(url) as setup:
        room = add_room(setup, who["ana"])
        seat(setup, room, who["ana"], "moderator")
        # Each word once, so each has its own place: as many bytes again.
        for made in ("lpad(to_hex(n), 5, '0') || 'x'", "chr(19968 + n % 20000) || chr(19968 + n / 7)"):
            words = f"select string_agg({made}, ' ') from generate_series(1, 149000) as n"
            (text,) = setup.execute(words).fetchone() or ("",)
            post(setup, who["ana"], room, text.encode()[: 1024 * 1024].decode(errors="ignore"))
    with connect(url) as job:
        assert job.execute("select rooms.fill_message_search()").fetchone() >= (2,)
    with connect(url) as conn, acting(conn, who["ana"]):
        assert len(call(conn, "search_messages", "00001x", room)) == 1


def test_what_a_supervisor_reads_is_written_down(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    post(conn, who["gus"], room)
    for role in ("rooms_app", "rooms_supervisor"):
        with acting(conn, who["sol"], role):
            assert len(call(conn, "monitor_messages", room, f"complaint, {role}")) == 1
            assert len(call(conn, "export_room", room, f"court, {role}")) == 1
    with acting(conn, who["sol"]):
        assert len(call(conn, "participants_of", room)) == 4
        listed = len(call(conn, "list_rooms", who["gus"]))
        call(conn, "list_rooms")
    with acting(conn, who["ana"]):  # whoever takes part is no supervisor
        call(conn, "participants_of", room)
    rows = conn.execute("select user_id, room_id, purpose, rows_read from rooms.data_access_log").fetchall()
    assert set(rows) == {
        (who["sol"], room, "list of who takes part", 4),
        (who["sol"], None, f"list of the rooms of {who['gus']}", listed),
    } | {
        (who["sol"], room, f"{what}, {role}", 1)
        for what in ("complaint", "court")
        for role in ("rooms_app", "rooms_supervisor")
    }


def test_an_erased_person_is_nowhere_in_rows_history_and_search(url: str, who: dict[str, uuid.UUID]) -> None:
    secret = "Zanzibar"
    with connect(url) as conn:
        gone = add_user(conn, "Zanzibar-person", "guest")
        conn.execute(
            "update rooms.users set display_name = %(said)s, current_status = %(said)s where id = %(one)s",
            {"said": secret, "one": gone},
        )
        room = add_room(conn, gone, room_type="support", name=secret, issue_description=secret, description=secret)
        group = add_room(conn, who["ana"], name="ours")
        for place in (room, group):
            seat(conn, place, who["ana"], "moderator")
            seat(conn, place, gone, "guest")
        seat(conn, room, who["rob"])
        mine = post(conn, gone, room, f"I am {secret}", content_metadata=f'{{"of": "{secret}"}}')
        theirs = post(conn, who["ana"], room, f"Dear {secret}")
        post(conn, gone, group, f"{secret} was here")
        conn.execute(
            "update rooms.chat_rooms set room_settings = jsonb_build_object('of', %s::text) where id = %s",
            [secret, room],
        )
        conn.execute(  # by an import: our own functions name nobody
            "insert into rooms.messages (room_id, sender_id, message_type, content) values (%s, %s, 'system', %s)",
            [room, who["ana"], f"{secret} came in"],
        )
        kept = post(conn, who["ana"], group, "a word of Ana's")
        with acting(conn, gone):
            call(conn, "edit_message", mine, f"I was {secret}")
            call(conn, "attach_file", mine, uuid.uuid4(), f"{secret}.pdf", 10, "application/pdf", f"https://x/{secret}")
            interaction = call(conn, "start_robot", mine, "r1", f'{{"ask": "{secret}"}}')
        with acting(conn, who["rob"]):
            call(conn, "finish_robot", interaction, f'{{"say": "{secret}"}}')
        with acting(conn, who["ana"]):
            call(conn, "delete_message", theirs)
            call(conn, "escalate", room, "T2", f"{secret} insists")
            call(conn, "conclude_room", room, "resolved", f"{secret} is content")
    with connect(url) as conn:
        conn.execute("select rooms.fill_message_search()")
    with connect(url) as conn:
        told = dict(conn.execute("select * from rooms.erase_user(%s)", [gone]).fetchall())
        assert told["messages"] == 6 and told["messages_history"] >= 5 and told["users"] == 1
    with connect(url) as conn:
        tables = conn.execute(
            "select relname from pg_class where relnamespace = 'rooms'::regnamespace and relkind in ('r', 'p') "
            "and not relispartition"
        ).fetchall()
        for (table,) in tables:
            held = conn.execute(f"select count(*) from rooms.{table} as t where t::text ilike %s", [f"%{secret}%"])
            assert held.fetchone() == (0,), table
        assert conn.execute("select content from rooms.messages where id = %s", [kept]).fetchone() == (
            "a word of Ana's",
        )
        assert conn.execute("select purpose from rooms.data_access_log where purpose like 'erasure%'").fetchall()
        assert dict(conn.execute("select * from rooms.erase_user(%s)", [gone]).fetchall())["messages"] == 0


def test_who_is_erased_while_they_write_writes_nothing_that_stays(url: str, who: dict[str, uuid.UUID]) -> None:
    with connect(url) as setup:
        gone = add_user(setup, "writes on", "agent")
        group = add_room(setup, who["ana"])
        for person in (who["ana"], gone):
            seat(setup, group, person, "moderator")
    with connect(url) as writing, connect(url) as erasing:
        writing.execute("select")  # opens the transaction that is not yet committed
        with acting(writing, gone):
            call(writing, "post_message", group, "Zanzibar")
            call(writing, "escalate", group, "T2", "Zanzibar")
        thread = threading.Thread(target=lambda: erasing.execute("select rooms.erase_user(%s)", [gone]))
        thread.start()
        thread.join(timeout=0.3)
        assert thread.is_alive()  # it waits
        writing.commit()
        thread.join()
        late: list[Any] = []
        other = threading.Thread(target=lambda: late.extend(at_once(url, gone, "post_message", (group, "Zanzibar"))))
        other.start()
        other.join(timeout=0.3)
        assert other.is_alive()  # it came when the erasure had begun
        erasing.commit()
        other.join()
        assert late == ["RM016"]
        said = "select from rooms.messages where content = 'Zanzibar' union all select from rooms.escalations where "
        assert writing.execute(f"{said} escalation_reason = 'Zanzibar'").rowcount == 0


def test_rooms_know_their_root_and_none_is_below_itself(conn: psycopg.Connection, who: dict[str, uuid.UUID]) -> None:
    first = add_room(conn, who["ana"])
    second = add_room(conn, who["ana"], parent_room_id=first)
    third = add_room(conn, who["ana"], parent_room_id=second)
    roots = "select root_room_id from rooms.chat_rooms where id = any(%s) order by created_at, id"
    assert conn.execute(roots, [[first, second, third]]).fetchall() == [(first,)] * 3
    with pytest.raises(psycopg.Error) as refused, conn.transaction():
        conn.execute("update rooms.chat_rooms set parent_room_id = %s where id = %s", [third, first])
    assert refused.value.sqlstate == "RM015"
    conn.execute("update rooms.chat_rooms set parent_room_id = null where id = %s", [second])
    assert conn.execute(roots, [[second, third]]).fetchall() == [(second,)] * 2


def test_all_below_a_room_that_moves_get_its_root_also_where_one_statement_moves_several(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    top, other = add_room(conn, who["ana"]), add_room(conn, who["ana"])
    chain = [top]
    for _ in range(4):
        chain.append(add_room(conn, who["ana"], parent_room_id=chain[-1]))
    apart = add_room(conn, who["ana"], parent_room_id=other)
    # The second goes below another room, and the fourth, below it until now, to the top: both with those below them.
    conn.execute(
        "update rooms.chat_rooms set parent_room_id = case id when %(second)s then %(other)s::uuid end "
        "where id in (%(second)s, %(fourth)s)",
        {"second": chain[1], "fourth": chain[3], "other": apart},
    )
    found = dict(conn.execute("select id, root_room_id from rooms.chat_rooms").fetchall())
    assert [found[room] for room in chain] == [top, other, other, chain[3], chain[3]]
    conn.execute("update rooms.chat_rooms set parent_room_id = %s where id = %s", [top, other])
    found = dict(conn.execute("select id, root_room_id from rooms.chat_rooms").fetchall())
    assert [found[room] for room in (other, apart, *chain)] == [top] * 5 + [chain[3]] * 2


def test_a_room_that_is_opened_below_one_that_moves_just_then_has_the_new_root(
    url: str, who: dict[str, uuid.UUID]
) -> None:
    with connect(url) as setup:
        top = add_room(setup, who["ana"])
        moved = add_room(setup, who["ana"])
        below = add_room(setup, who["ana"], parent_room_id=moved)
    opened: list[uuid.UUID] = []

    def open_below() -> None:
        with connect(url) as mine:
            opened.append(add_room(mine, who["ana"], parent_room_id=below))

    with connect(url) as conn:
        conn.execute("update rooms.chat_rooms set parent_room_id = %s where id = %s", [top, moved])
        thread = threading.Thread(target=open_below)
        thread.start()
        thread.join(timeout=0.3)
        assert not opened  # it waits
        conn.commit()
        thread.join()
        assert conn.execute("select root_room_id from rooms.chat_rooms where id = %s", opened).fetchall() == [(top,)]


def test_only_the_presence_of_a_user_is_no_change_of_the_user(
    conn: psycopg.Connection, who: dict[str, uuid.UUID]
) -> None:
    with acting(conn, who["ana"]):
        call(conn, "set_presence", "online")
    changes = conn.execute("select to_status from rooms.user_presence_changes where user_id = %s", [who["ana"]])
    assert changes.fetchall() == [("online",)]
    assert conn.execute("select count(*) from rooms.users_history where id = %s", [who["ana"]]).fetchone() == (0,)
    conn.execute("update rooms.users set email = 'ana@example.org' where id = %s", [who["ana"]])
    rows = conn.execute("select email, changed_columns from rooms.users_history where id = %s", [who["ana"]]).fetchall()
    assert rows == [("ana@example.com", ["email"])]


def test_the_owner_sets_the_clock_and_the_ids_and_whoever_logs_in_as_anybody_else_does_not(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    then, told = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC), uuid.UUID(int=77)
    conn.execute("select rooms.keep_months('2020-02-01', '2020-02-01')")
    conn.execute("update rooms.room_participants set joined_at = %s", [then])

    def writes(session_user: str) -> tuple[Any, ...]:
        """A message is posted and changed: its id, when it was written, changed, and what its history says."""
        with conn.transaction(force_rollback=True):
            conn.execute(f"set local session authorization {session_user}")  # type: ignore[arg-type]
            conn.execute(
                "select set_config('rooms.clock', %s, true), set_config('rooms.ids', %s, true)",
                [then.isoformat(), f'{{"messages": ["{told}"]}}'],
            )
            one = post(conn, who["ana"], room, "one")
            with acting(conn, who["ana"]):
                call(conn, "edit_message", one, "two")
            conn.execute("reset session authorization")
            row = conn.execute(
                "select id, messages.created_at, messages.updated_at, changed_at, now() from rooms.messages "
                "inner join rooms.messages_history using (id) where id = %s",
                [one],
            ).fetchone()
            assert row
            return row

    identity, created, updated, changed, now = writes(conn.info.user)
    assert (identity, created, updated, changed) == (told, then, *[then + timedelta(microseconds=1)] * 2)
    for role in ("rooms_app", "rooms_system"):
        conn.execute("grant rooms_app to rooms_system")
        identity, created, updated, changed, now = writes(role)
        assert identity != told and (created, updated, changed) == (now, *[now + timedelta(microseconds=1)] * 2)


def test_a_message_of_tomorrow_is_refused_by_the_clock_of_whoever_writes_it(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=3)
    with pytest.raises(psycopg.Error) as refusal, conn.transaction():
        post(conn, who["ana"], room, created_at=ahead)
    assert refusal.value.sqlstate == "RM009"
    conn.execute("select set_config('rooms.clock', %s, true)", [ahead.isoformat()])
    post(conn, who["ana"], room, created_at=ahead)


def test_a_case_is_escalated_from_the_level_that_it_is_at(
    conn: psycopg.Connection, who: dict[str, uuid.UUID], room: uuid.UUID
) -> None:
    with acting(conn, who["ana"]):
        call(conn, "escalate_in_room", room, "T2", "too hard")
        (_, target), *_ = call(conn, "escalate", room, "T3", "still too hard")
    with acting(conn, who["sol"]):
        call(conn, "escalate_in_room", target, "T2", "not so hard")
    steps = conn.execute(
        "select from_level, to_level from rooms.escalations where source_room_id = any(%s) order by 1, 2",
        [[room, target]],
    )
    assert steps.fetchall() == [("T1", "T2"), ("T2", "T3"), ("T3", "T2")]


def test_a_new_password_lets_a_role_in_and_the_old_one_does_not(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        first = passwords.rotate(conn, "rooms_app")
        second = passwords.rotate(conn, "rooms_app")
        try:
            at = conninfo.read(url) | {"user": "rooms_app"}
            with pytest.raises(psycopg.OperationalError):
                connect(conninfo.to_url(at | {"password": first}))
            with connect(conninfo.to_url(at | {"password": second})) as app:
                assert app.execute("select count(*) from rooms.messages").fetchone() == (0,)
        finally:
            conn.execute("alter role rooms_app nologin password null")
