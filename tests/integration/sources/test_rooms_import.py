"""The door for other systems' history: a line an event, as often as one likes, and each fault by its line."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.importing import Imported, ImportRefused, import_file
from dagster_project.sources.rooms.ledger import Ledger
from dagster_project.sources.rooms.sandbox.fill import history, keep_up
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.sources.rooms.steps import Event
from tests.support.rooms import contents

FIRM = Firm(first_day=date(2026, 3, 2), days=100, rooms_per_day=4)
HALF, UNTIL = datetime(2026, 3, 7, 17, tzinfo=UTC), datetime(2026, 3, 11, 17, tzinfo=UTC)
NOW = datetime(2026, 3, 12, tzinfo=UTC)
PERSON, ORGANIZATION = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
FOUNDED = {"event": "organization_created", "at": "2026-01-01T00:00:00Z", "id": ORGANIZATION, "name": "Ejemplo"}
MADE_ROOM = {
    "event": "room_created",
    "at": FOUNDED["at"],
    "id": PERSON,
    "organization_id": ORGANIZATION,
    "creator_id": PERSON,
}
MADE_USER = {
    "event": "user_created",
    "at": FOUNDED["at"],
    "id": PERSON,
    "organization_id": ORGANIZATION,
} | dict.fromkeys(("username", "first_name", "last_name", "email"), "ana")


@pytest.fixture(scope="module")
def empty(new_database: Callable[[], str]) -> Iterator[psycopg.Connection]:
    url = new_database()
    schema.upgrade(url)
    with psycopg.connect(url) as conn:
        yield conn


@pytest.fixture
def conn(empty: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The empty schema, for each test: an import's batches are parts of a transaction that is taken back."""
    with empty.transaction(force_rollback=True):
        yield empty


def write(path: Path, events: list[Event]) -> Path:
    lines = ({"event": event.kind, "at": event.at.isoformat(), "by": event.by} | dict(event.fields) for event in events)
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return path


def lines(path: Path, *said: object) -> Path:
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in said))
    return path


def counts(ledger: Ledger) -> dict[str, int]:
    return {name: len(rows) for name, rows in ledger.rows.items()} | {
        f"{name}_history": len(rows) for name, rows in ledger.history.items()
    }


def test_a_history_in_two_files_ends_as_one_and_a_second_time_changes_nothing(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    events = RoomsSandbox(FIRM).events(UNTIL)
    half = [event for event in events if event.at <= HALF]
    first, whole = write(tmp_path / "half.jsonl", half), write(tmp_path / "whole.jsonl", events)
    assert import_file(conn, first, NOW) == Imported(len(half), len(half))
    assert import_file(conn, whole, NOW) == Imported(len(events), len(events) - len(half))
    ended = contents(conn)
    assert {name: len(rows) for name, rows in ended.items()} == counts(history(FIRM, UNTIL))
    assert import_file(conn, whole, NOW) == Imported(len(events), 0)
    assert contents(conn) == ended


def test_an_imported_change_has_its_own_time_and_the_triggers_watch_again_after_it(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    person = {
        "id": PERSON,
        "organization_id": ORGANIZATION,
        "username": "ana",
        "first_name": "Ana",
        "last_name": "Gil",
        "email": "ana@example.test",
    }
    made = {"event": "user_created", "at": "2026-01-01T00:00:00Z"} | person
    import_file(conn, lines(tmp_path / "one.jsonl", FOUNDED, made), NOW)
    changed = {"event": "user_changed", "at": "2026-02-01T10:00:00-05:00", "id": PERSON, "display_name": "Anita"}
    import_file(conn, lines(tmp_path / "two.jsonl", changed), NOW)
    row = conn.execute("select display_name, updated_at from rooms.users").fetchone()
    assert row == ("Anita", datetime(2026, 2, 1, 15, tzinfo=UTC))
    image = conn.execute("select display_name, changed_at, changed_columns from rooms.users_history").fetchall()
    assert image == [(None, datetime(2026, 2, 1, 15, tzinfo=UTC), ["display_name"])]
    conn.execute("update rooms.users set display_name = 'Ana G.'")
    assert conn.execute("select count(*) from rooms.users_history").fetchone() == (2,)


def test_the_sandbox_leaves_alone_rooms_that_it_did_not_make(conn: psycopg.Connection, tmp_path: Path) -> None:
    import_file(conn, lines(tmp_path / "one.jsonl", FOUNDED), NOW)
    assert keep_up(conn, FIRM, UNTIL) == 0
    assert conn.execute("select count(*) from rooms.users").fetchone() == (0,)


_BAD: list[tuple[Any, str]] = [
    ("{", "line 2: is no JSON"),
    ("[1]", "line 2: is no JSON object"),
    ({"event": "message_sent"}, "line 2: event must be one of organization_created, user_created"),
    (FOUNDED | {"at": "2026-01-01T00:00:00"}, "line 2: organization_created: at has no offset"),
    (FOUNDED | {"at": "2027-01-01T00:00:00Z"}, "more than a day ahead"),
    (FOUNDED | {"id": "42"}, "line 2: organization_created: id must be a UUID"),
    (FOUNDED | {"name": None}, "line 2: organization_created: name must not be null"),
    (FOUNDED | {"name": 5}, "line 2: organization_created: name must be a text"),
    (FOUNDED | {"name": "a\0b"}, "line 2: organization_created: name holds a NUL"),
    (FOUNDED | {"name": "a\ud800"}, "line 2: organization_created: name holds half a character"),
    (json.dumps(FOUNDED | {"name": float("nan")}), "line 2: is no JSON"),
    (json.dumps(FOUNDED).replace('"Ejemplo"', "9" * 5000), "line 2: is no JSON"),
    (
        json.dumps(MADE_ROOM | {"room_settings": {"a": 1}}).replace('"a": 1', '"a": 1e400'),
        "line 2: room_created: room_settings holds half a character, or a number without end",
    ),
    (FOUNDED | {"colour": "red"}, "line 2: organization_created: has no field colour: it has id, name"),
    ({"event": "message_edited", "at": FOUNDED["at"], "id": PERSON}, "line 2: message_edited: content missing"),
    (
        {"event": "room_concluded", "at": FOUNDED["at"], "room_id": PERSON, "outcome": "lost"},
        "line 2: room_concluded: outcome must be one of resolved, unresolved",
    ),
]


@pytest.mark.parametrize(("bad", "told"), _BAD, ids=[told[-40:] for _, told in _BAD])
def test_a_line_that_is_no_event_is_named_with_its_rule_and_nothing_is_written(
    conn: psycopg.Connection, tmp_path: Path, bad: object, told: str
) -> None:
    with pytest.raises(ImportRefused) as refusal:
        import_file(conn, lines(tmp_path / "bad.jsonl", FOUNDED, bad), NOW)
    assert told in str(refusal.value) and "nothing was written" in str(refusal.value)
    assert "42" not in str(refusal.value)
    assert conn.execute("select count(*) from rooms.organizations").fetchone() == (0,)


def test_an_event_that_cannot_be_is_named_by_its_line_and_its_batch_is_not_written(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    room = {"event": "room_created", "at": FOUNDED["at"], "id": PERSON, "organization_id": ORGANIZATION}
    with pytest.raises(ImportRefused, match=rf"line 2: room_created: users has no row {PERSON}"):
        import_file(conn, lines(tmp_path / "bad.jsonl", FOUNDED, room | {"creator_id": PERSON}), NOW)
    twins = [
        {"event": "user_created", "at": FOUNDED["at"], "organization_id": ORGANIZATION, "id": identity}
        | dict.fromkeys(("username", "first_name", "last_name", "email"), "ana")
        for identity in (PERSON, ORGANIZATION)
    ]
    with pytest.raises(ImportRefused, match=r"lines 1 to 3 break uq_users_username of rooms.users"):
        import_file(conn, lines(tmp_path / "bad.jsonl", FOUNDED, *twins), NOW)
    chain = [MADE_ROOM | {"id": f"{n:032x}"} | ({"parent_room_id": f"{n - 1:032x}"} if n else {}) for n in range(13)]
    large = MADE_ROOM | {"max_participants": 10**12}
    long = MADE_USER | {"username": " ".join(map(str, range(20_000)))}
    for said, rule in (
        ([MADE_USER, large], "lines 1 to 3 have a value too large for rooms.chat_rooms.max_participants"),
        ([long], "lines 1 to 2 have a value too large for rooms.users"),
        ([MADE_USER, *chain], "would be below itself, or more than ten deep"),
    ):
        with pytest.raises(ImportRefused, match=rule) as refusal, conn.transaction():
            import_file(conn, lines(tmp_path / "bad.jsonl", FOUNDED, *said), NOW)
        assert "1000000000000" not in str(refusal.value)
    assert conn.execute("select count(*) from rooms.organizations").fetchone() == (0,)


def test_whoever_was_erased_does_not_come_back_with_a_longer_file(conn: psycopg.Connection, tmp_path: Path) -> None:
    agent, room, message = f"{1:032x}", f"{2:032x}", f"{3:032x}"
    said = [
        FOUNDED,
        MADE_USER,
        MADE_USER | {"id": agent} | dict.fromkeys(("username", "first_name", "last_name", "email"), "bea"),
        MADE_ROOM | {"id": room, "room_type": "support", "name": "zqkan"},
        *(
            {"event": "participant_joined", "at": FOUNDED["at"], "room_id": room, "user_id": user, "role": role}
            for user, role in ((PERSON, "guest"), (agent, "member"))
        ),
    ]
    posted = {"event": "message_posted", "at": FOUNDED["at"], "room_id": room, "content": "zqkan"}
    asked = posted | {"id": message, "sender_id": PERSON}
    import_file(conn, lines(tmp_path / "one.jsonl", *said, asked), NOW)
    conn.execute("select rooms.erase_user(%s)", [PERSON])
    answered = posted | {"id": f"{4:032x}", "sender_id": agent}
    edited = {"event": "message_edited", "at": "2026-02-01T00:00:00Z", "id": message, "content": "zqkan!"}
    renamed = {"event": "user_changed", "at": edited["at"], "id": PERSON, "display_name": "zqkan"}
    ended = {"event": "room_archived", "at": edited["at"], "id": room}
    longer = lines(tmp_path / "two.jsonl", *said, asked, answered, edited, renamed, ended)
    import_file(conn, longer, NOW)
    assert conn.execute("select status from rooms.chat_rooms").fetchone() == ("archived",)
    assert import_file(conn, longer, NOW).new == 0
    assert conn.execute("select count(*) from rooms.messages").fetchone() == (2,)
    assert [rows for rows in contents(conn).values() if "zqkan" in str(rows)] == []


def test_a_backslash_that_somebody_typed_is_no_nul(conn: psycopg.Connection, tmp_path: Path) -> None:
    import_file(conn, lines(tmp_path / "one.jsonl", FOUNDED | {"name": r"see \u0000 and \\u0000"}), NOW)
    assert conn.execute("select name from rooms.organizations").fetchone() == (r"see \u0000 and \\u0000",)


def test_an_import_that_was_cut_off_between_batches_goes_on_where_it_was(
    conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.sources.rooms.importing.BATCH", 20)
    events = RoomsSandbox(FIRM).events(FIRM.local(0, 0) + timedelta(hours=9))
    path, told = write(tmp_path / "day.jsonl", events), []

    def cut(read: int) -> None:
        told.append(read)
        if read == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(conn, path, NOW, cut)
    assert import_file(conn, path, NOW).new == len(events) - 40
    assert told == [20, 40]
