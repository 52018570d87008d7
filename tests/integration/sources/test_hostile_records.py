"""Whatever JSON stands in whatever field of a record, its key too: no run stops, and the records beside it land."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dagster_project.ingestion import checkpoints
from dagster_project.ingestion.logs.response_log import keep_response
from dagster_project.ingestion.records.landing import land_page
from dagster_project.sources.b2chat.answers import read_envelope
from dagster_project.sources.b2chat.records import KEY_FIELD, Entity
from dagster_project.sources.b2chat.windows import ExportPage, Window, read_window
from dagster_project.warehouse.connection import connect
from tests.support.listed import chat, contact

DAY = date(2025, 10, 1)
SOUND: dict[Entity, dict[str, Any]] = {
    "chats": chat(
        "x",
        agent={"username": "ana"},
        contact={"id": 1},
        tags=["t"],
        alias="a",
        provider="b",
        messages=[{"created_at": "2025-10-01 09:00:00", "body": "b", "type": "TEXT", "incoming": True}],
    ),
    "contacts": contact(
        1,
        tags=[{"name": "VIP", "assigned_at": 1706644084}],
        mobile="+57",
        email="",
        custom_attributes=[{"name": "n", "value": "v"}],
    ),
}
TEXT = st.text(st.characters(), max_size=6) | st.sampled_from(
    [
        "\ud800",
        "x\udfff",
        "\udc00\ud83d",
        "a\x00b",
        "\x00",
        " ",
        "\u2028",
        "\ufeff",
        "'; drop table x; --",
        "9" * 700,
        "2025-02-30 09:00:00",
        "0001-01-01 00:00:00",
        "NaN",
        "{}",
        "\\u0000",
        "\\",
        '"',
    ]
)
# As JSON text: what no JSON writer makes, a server may.
RAW = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "1e400",
        '"\\ud800"',
        '"\\u0000\\udfff"',
        "[" * 1500 + "]" * 1500,
        '{"a":1,"a":2}',
        "-0",
        "1E5",
        '"\x01"',
        '"\udcff"',
        "[[]]",
        "{}",
        "true",
    ]
)
VALUES = (
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    ).map(json.dumps)
    | RAW
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each member of a record, and of what is in it."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, member in members for place in places(member, (*path, name)))]


def with_text_at(record: Any, place: tuple[Any, ...], text: str) -> str:
    """A record's JSON, with a text in the place of one of its members."""
    if not place:
        return text
    named = enumerate(record) if isinstance(record, list) else record.items()
    members = {name: with_text_at(one, place[1:], text) if name == place[0] else json.dumps(one) for name, one in named}
    if isinstance(record, list):
        return f"[{','.join(members.values())}]"
    return "{" + ",".join(f"{json.dumps(name)}:{member}" for name, member in members.items()) + "}"


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    return new_database()


CASES = st.sampled_from([(entity, place) for entity in get_args(Entity) for place in places(SOUND[entity])])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CASES, VALUES)
@example(("chats", ("chat_id",)), '"x\\ud800"')
@example(("contacts", ("contact_id",)), '"\udcff"')
def test_any_json_in_any_field_lands_or_goes_to_quarantine_and_never_stops_a_run(
    url: str, case: tuple[Entity, tuple[Any, ...]], text: str
) -> None:
    entity, place = case
    hostile = with_text_at(SOUND[entity], place, text)
    others = [json.dumps(SOUND[entity] | {KEY_FIELD[entity]: f"sound {n}"}) for n in range(3)]
    data = [one.encode("utf-8", "surrogateescape") for one in (others[0], hostile, *others[1:])]

    def fetch(offset: int) -> ExportPage:
        cut = data[offset : offset + 2]
        body = b'{"total":4,"' + entity.encode() + b'":[' + b",".join(cut) + b"]}"
        envelope = read_envelope(body, entity)
        return ExportPage(envelope.items, None, envelope.total, offset, 2, len(body), 1, body)

    with connect(url, autocommit=True) as conn, conn.transaction(force_rollback=True):
        pages, checkpoint = [], None
        for page in read_window(Window(entity, DAY, DAY), fetch):
            result = land_page(conn, page, "sync-1")
            checkpoint = checkpoints.page_landed(conn, "sync-1", checkpoint, page, result)
            keep_response(conn, page, "sync-1")
            pages.append(page)
        assert pages[-1].is_complete
        table, key = f"raw.b2chat_{entity}", KEY_FIELD[entity]
        landed = {row[0] for row in conn.execute(f"select {key} from {table}").fetchall()}  # type: ignore[call-overload]
        kept = [
            row[0]
            for row in conn.execute(
                "select payload_bytes from raw.quarantine where entity_type = %s", (entity,)
            ).fetchall()
        ]
    assert {f"sound {n}" for n in range(3)} <= landed
    assert len(landed) == 4 or kept == [data[1]]
