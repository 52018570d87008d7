"""What changes over time, from the API over HTTP to core and marts: history, deletion, health of the syncs."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.windows import ExportPage, Window, read_window
from dagster_project.ingestion.records.landing import land_page
from dagster_project.warehouse import partitions
from tests.support.syncing import sync_b2chat
from tests.support.listed import AGENT, ListedSource, chat, client_of, contact, serving
from tests.support.world import FIRST_DAY, TODAY, World

TIMES = {"opened_at": "2025-10-01 09:00:00", "responded_at": "2025-10-01 09:10:00"}
BEA = {"username": "bea", "name": "Bea Dos"}


HEATMAP = ("select chat_count from marts.heatmap_weeks where week_start = '2025-09-29' and agent_id = 'all' "
           "and direction_filter = 'all' and office_hours_filter = 'all'")
# What the tests ask of a step; everything is built once, when a chat and a contact are gone.
ASKED = ["heatmap_weeks", "chat_status_history", "contacts", "sync_health"]
HISTORY = "select * from core.chat_status_history order by chat_id, version, field"


class Told:
    """A warehouse after three syncs, with what was to be seen after each."""

    def __init__(self, world: World) -> None:
        self.world, self.heatmap, self.of_b, self.contacts = world, list[int](), list[Any](), list[Any]()
        a, b = world.source.records["chats"]
        self.refresh(*ASKED)
        a.update(status="CLOSED", closed_at="2025-10-01 10:00:00", department="Ventas")
        world.source.records["chats"].remove(b)
        gone = world.source.records["contacts"].pop()
        self.refresh()
        a.update(status="OPENED", closed_at=None, opened_at="2025-10-02 08:00:00", agent=BEA, department="Cartera")
        world.source.records["chats"].append(b)
        world.source.records["contacts"].append(gone)
        self.refresh(*ASKED)

    def refresh(self, *models: str) -> None:
        with client_of(self.world.sandbox) as client:
            for entity in ("contacts", "chats"):
                sync_b2chat(self.world.url, client, entity=entity, mode="full", start_date=FIRST_DAY, today=TODAY,
                     triggered_by="test")
        self.world.build(*models)
        self.heatmap.append(self.world.ask(HEATMAP)[0]["chat_count"])
        self.of_b.append(self.world.one("core.chats", "id", "b"))
        self.contacts.append([tuple(row.values()) for row in self.world.ask(
            "select full_name, is_deleted, is_stub from core.contacts order by id")])


@pytest.fixture(scope="module")
def told(new_database: Callable[[], str]) -> Iterator[Told]:
    chats = [chat("a", status="PICKED_UP", closed_at=None, agent=AGENT, picked_up_at="2025-10-01 09:05:00", **TIMES),
             chat("b", contact={"id": 2, "name": "Dos"}, **TIMES)]
    with serving(ListedSource(chats, [contact(1), contact(2)])) as sandbox:
        yield Told(World(new_database(), sandbox))


def test_transfers_and_reopenings_are_told_with_the_time_of_each(told: Told) -> None:
    assert [(row["version"], row["field"], row["old_value"], row["new_value"], row["event_at"], row["is_transfer"],
             row["is_reopening"]) for row in told.world.ask(HISTORY) if row["chat_id"] == "a"] == [
        (1, "agent", None, "ana", None, False, False),
        (1, "status", None, "PICKED_UP", datetime(2025, 10, 1, 14, 5, tzinfo=UTC), False, False),
        (2, "department", None, "Ventas", None, False, False),
        (2, "status", "PICKED_UP", "CLOSED", datetime(2025, 10, 1, 15, tzinfo=UTC), False, False),
        (3, "agent", "ana", "bea", None, True, False),
        (3, "department", "Ventas", "Cartera", None, True, False),
        (3, "status", "CLOSED", "OPENED", datetime(2025, 10, 2, 13, tzinfo=UTC), False, True),
    ]


def test_a_chat_that_is_gone_leaves_the_heatmap_and_returns_to_it(told: Told) -> None:
    assert [(row["is_deleted"], row["deletion_reason"], row["deleted_at"] is None) for row in told.of_b] == [
        (False, None, True), (True, "not returned by a full reading of its day", False), (False, None, True)]
    assert [row["sync_version"] for row in told.of_b] == [1, 1, 1]
    assert told.heatmap == [2, 1, 1]  # at the end, a's new opening is later than its old answer
    assert [row["field"] for row in told.world.ask(HISTORY) if row["chat_id"] == "b"] == ["status"]


def test_a_contact_that_is_gone_keeps_its_name_and_comes_back(told: Told) -> None:
    known, gone = ("Cliente 1", False, False), ("Cliente 2", True, False)
    assert told.contacts == [[known, ("Cliente 2", False, False)], [known, gone], [known, ("Cliente 2", False, False)]]


def test_an_incremental_history_equals_one_built_anew(told: Told) -> None:
    incremental = told.world.ask(HISTORY)
    done = told.world.dbt("run", "--full-refresh", "--select", "chat_status_history")
    assert done.returncode == 0, done.stdout[-2000:]
    assert told.world.ask(HISTORY) == incremental


def test_sync_health_tells_each_day_with_its_syncs_and_its_coverage(told: Told) -> None:
    world = told.world
    with psycopg.connect(world.url) as conn:
        partitions.keep(conn, "ops.sync_logs", [date(2025, 10, 1)])
        conn.execute("update ops.sync_logs set started_at = '2025-10-06 04:59:00+00', status = 'error' where id = ("
                     "select id from ops.sync_logs where entity_type = 'chats' order by started_at limit 1)")
        conn.execute("update ops.sync_logs set completed_at = '2025-10-06 05:01:00+00' "
                     "where entity_type = 'chats' and status = 'success'")

    def on(day: date) -> dict[str, Any]:
        [found] = world.ask("select * from marts.sync_health where entity_type = 'chats' and local_date = %s", day)
        return found

    [today] = world.ask("select * from marts.sync_health where entity_type = 'chats' order by local_date desc limit 1")
    [read] = world.ask("select count(*) as pages from ops.page_loads where entity_type = 'chats'")
    # Five chats in three syncs, and a once more when b is looked for again; a is new, then changed twice, b is new and
    # comes back unchanged.
    assert (today["syncs"], today["failures"], today["pages"], today["records_read"]) == (2, 0, read["pages"], 6)
    assert (today["records_new"], today["records_changed"], today["freshness"]) == (2, 2, "lost")
    before, sunday, monday = (on(day) for day in (FIRST_DAY, date(2025, 10, 5), date(2025, 10, 6)))
    assert (before["syncs"], before["is_read_whole"], before["freshness"]) == (0, True, "never")
    assert (sunday["syncs"], sunday["failures"], sunday["last_success_at"]) == (1, 1, None)
    assert (monday["syncs"], monday["lag_seconds"], monday["freshness"]) == (0, 24 * 3600 - 60, "late")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6) | st.sampled_from(["", " ", "9" * 700, "2025-02-29 10:00:00", "00:01:00:00", "12:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "name", "username", "email", "code", "type", "body", "created_at", "incoming"]), inner,
        max_size=3), max_leaves=6)
CHAT_FIELDS = ["status", "provider", "priority", "alias", "agent", "contact", "department", "tags", "messages",
               "duration", "is_agent_available", "opened_at", "closed_at", "viewer_url", "created_at"]
CONTACT_FIELDS = ["fullname", "mobile", "landline", "email", "address", "tags", "custom_attributes", "created",
                  "updated", "merchant_id"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(CHAT_FIELDS), ANY_JSON, max_size=4), min_size=1, max_size=15),
       st.lists(st.dictionaries(st.sampled_from(CONTACT_FIELDS), ANY_JSON, max_size=4), max_size=5))
def test_staging_reads_whatever_lands(
    told: Told, chats: list[dict[str, Any]], contacts: list[dict[str, Any]]
) -> None:
    with psycopg.connect(told.world.url) as built, built.transaction(force_rollback=True):
        for window, records in (
            (Window("chats", FIRST_DAY, FIRST_DAY), [chat(f"k{n}") | odd for n, odd in enumerate(chats)]),
            (Window("contacts"), [contact(100 + n) | odd for n, odd in enumerate(contacts)]),
        ):
            items = [Item(n, json.dumps(one), one) for n, one in enumerate(records)]
            page = ExportPage(items, len(items), len(items), 0, 99, 9, 9)
            result = land_page(built, next(read_window(window, lambda _, page=page: page)), "sync-1")  # type: ignore[misc]
            assert result.new + result.quarantined == len(records)
        for view in ("chats", "messages", "contacts"):
            built.execute(f"select count(md5(read::text)) from staging.stg_b2chat__{view} as read")
        longest = built.execute(
            "select max(length(greatest(agent_id, department_name, department_code, contact_id, provider, "
            "b2chat_status, alias))) from staging.stg_b2chat__chats").fetchone()
        assert longest and longest[0] <= 600
