"""Awkward records, from the API over HTTP to the marts; what each must become is worked out by hand.

The account's zone is America/Bogota: UTC−5 all year.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from dagster_project.orchestration.ui import table_metadata
from dagster_project.exports.report.reading.report import read_report
from dagster_project.exports.report.reading.analysis import read_analysis
from dagster_project.exports.report.period import NoReport, Period
from tests.support import dictionary
from tests.support.listed import AGENT, ListedSource, chat, contact, message, serving
from tests.support.world import World

MODELS = Path(__file__).parents[3] / "dbt" / "models"
CHATS = [
    # Sunday 2025-10-05, 23:30 local: Monday 04:30 in UTC, but Sunday's cell of the week of 2025-09-29.
    chat(
        "sunday-night", created_at="2025-10-05 23:30:00", opened_at="2025-10-05 23:30:00", agent=AGENT,
        picked_up_at="2025-10-05 23:31:00", responded_at="2025-10-05 23:40:00", closed_at="2025-10-06 00:10:00",
        duration="00:00:40:00", provider="WHATSAPPB2CHAT", department="Ventas ", tags=["vip"],
        contact={"id": 9, "name": " Cliente Nueve ", "mobile_number": "+570000000009", "email": ""},
        messages=[message("2025-10-05 23:29:00"), message("2025-10-05 23:40:00", incoming=False)],
    ),
    chat(
        "negative", created_at="2025-10-01 10:00:00", opened_at="2025-10-01 10:05:00", agent=AGENT,
        responded_at="2025-10-01 10:01:00", closed_at="2025-10-01 11:00:00", provider="LIVECHAT",
        department={"name": "Cartera", "code": "CAR"}, contact={"id": 10, "name": ""},
    ),
    chat("instagram", provider="INSTAGRAM", status="SOMETHING_NEW", closed_at=None),
    chat(
        "nul", provider="TELEGRAM", contact={"id": 11, "name": "Once\u0000"},
        messages=[
            message("2025-10-01 09:00:01", body="antes\u0000después"),
            message("2025-10-01 09:00:01", body="antes\u0000después"),
            message("2025-10-01 09:00:02", incoming=False, type="AUDIO", body="https://files.example.test/a.ogg"),
            message("2025-10-01 09:00:03", type="HOLOGRAM", body=None),
        ],
    ),
    chat(
        "broadcast", opened_at="2025-10-01 09:00:00",
        messages=[message("2025-10-01 08:00:00", incoming=False, broadcasted=True)],
    ),
    chat(
        "answered-broadcast",
        messages=[message("2025-10-01 08:00:00", incoming=False, broadcasted=True), message("2025-10-01 08:30:00")],
    ),
    chat("agent-first", messages=[message("2025-10-01 08:00:00", incoming=False), message("2025-10-01 08:01:00")]),
    chat("ages", opened_at="1990-01-01 00:00:00", closed_at="2100-12-31 00:00:00"),
    chat("before", day="2025-09-22", opened_at="2025-09-22 09:00:00", responded_at="2025-09-22 09:02:00"),
]
CONTACTS = [contact(9, fullname="Cliente Nueve Completo", mobile="+570000000009", city="Bogotá", email="",
                    tags=[{"name": "VIP", "assigned_at": 1706644084}],
                    custom_attributes=[{"name": "proyecto", "value": "Majagua"}])]

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(ListedSource(list(CHATS), list(CONTACTS))) as sandbox:
        made = World(new_database(), sandbox)
        made.sync()
        made.build()
        yield made


def test_a_naive_local_time_becomes_the_instant_it_meant(world: World) -> None:
    found = world.one("core.chats", "id", "sunday-night")
    assert found["created_at"] == datetime(2025, 10, 6, 4, 30, tzinfo=UTC)
    assert found["closed_at"] == datetime(2025, 10, 6, 5, 10, tzinfo=UTC)


def test_a_chat_of_sunday_2330_stays_on_sunday_in_the_week_that_began_before_it(world: World) -> None:
    found = world.one("core.chats", "id", "sunday-night")
    assert (found["created_local_date"], found["created_local_hour"]) == (date(2025, 10, 5), 23)
    assert (found["created_day_of_week"], found["created_week_start"]) == (0, date(2025, 9, 29))
    (cell,) = world.ask(
        "select * from marts.weekly_response_time_heatmap where week_start = '2025-09-29' and agent_id = 'all' "
        "and direction_filter = 'all' and office_hours_filter = 'all' and day_of_week = 0 and hour = 23"
    )
    assert (cell["chat_count"], cell["mean_first_response_seconds"]) == (1, 600)
    assert cell["cell_date"] == date(2025, 10, 5)


def test_the_drill_down_of_a_cell_is_that_cells_chats(world: World) -> None:
    chats = world.ask(
        "select chat_id, first_response_seconds, slowest_rank from marts.heatmap_cell_chats where "
        "week_start = '2025-09-29' and agent_id = 'ana' and direction_filter = 'incoming' "
        "and office_hours_filter = 'non_office_hours' and day_of_week = 0 and hour = 23"
    )
    assert chats == [{"chat_id": "sunday-night", "first_response_seconds": 600, "slowest_rank": 1}]


def test_an_empty_week_is_168_cells_with_null_and_0(world: World) -> None:
    cells = world.ask(
        "select * from marts.weekly_response_time_heatmap where week_start = '2025-10-06' and agent_id = 'all' "
        "and direction_filter = 'all' and office_hours_filter = 'all'"
    )
    assert len(cells) == 168
    assert {
        (
            cell["chat_count"],
            cell["mean_first_response_seconds"],
            cell["p50_first_response_seconds"],
            cell["p90_first_response_seconds"],
            cell["band"],
        )
        for cell in cells
    } == {(0, None, None, None, "no_data")}
    (summary,) = world.ask(
        "select * from marts.weekly_response_time_summary where week_start = '2025-10-06' and agent_id = 'all' "
        "and direction_filter = 'all' and office_hours_filter = 'all'"
    )
    assert (summary["chat_count"], summary["mean_first_response_seconds"], summary["fastest_hour"]) == (0, None, None)


def test_a_report_of_a_week_has_the_numbers_that_its_chats_give(world: World) -> None:
    with psycopg.connect(world.url) as conn:
        report = read_report(conn, Period.week(date(2025, 9, 29)), timezone="America/Bogota")
        cartera, incoming, empty = (
            read_report(conn, Period.week(week), scope=scope, scope_id=scope_id, timezone="America/Bogota")
            for week, scope, scope_id in (
                (date(2025, 9, 29), "department", "CAR"), (date(2025, 9, 29), "direction", "incoming"),
                (date(2025, 9, 15), "all", "all"),
            )  # type: ignore[arg-type]
        )
        month = read_report(conn, Period.month(date(2025, 9, 1)), timezone="America/Bogota")
    found = {kpi.metric: (kpi.value, kpi.previous) for kpi in report.summary}
    assert found["chats_created"] == (3, None)  # nul, answered-broadcast, sunday-night; before is an agent's
    assert {(other.direction, other.chat_count, other.previous_chat_count) for other in report.others} == {
        ("outgoing", 4, 1), ("outgoing_broadcast", 1, 0)}
    assert found["unanswered"] == (2, None)
    assert found["chats_closed"] == (2, None)  # sunday-night is closed on Monday
    assert found["messages_in"] == (6, None) and found["messages_out"] == (5, None)  # of all chats
    assert found["first_response_p50"] == (600, None)
    assert found["resolution_p50"] == (2400, None)  # the two others were never in the queue
    assert [(cell.day_of_week, cell.hour, cell.chat_count, cell.mean_seconds, cell.p50_seconds)
            for cell in report.heatmap if cell.chat_count] == [(0, 23, 1, 600, 600)]
    assert [(cell.day_of_week, cell.hour, cell.chat_count) for cell in report.traffic if cell.chat_count] == [
        (3, 9, 2), (0, 23, 1)]
    assert [(member.id, member.chat_count, member.other_chat_count) for member in report.agents] == [("ana", 1, 1)]
    assert {member.id: (member.chat_count, member.other_chat_count, member.resolution_p50_seconds)
            for member in report.departments} == {
        "none": (2, 4, None), "Ventas": (1, 0, 2400), "CAR": (0, 1, None)}
    assert (report.insights.chat_count, report.insights.categorized_count, report.insights.intents) == (3, 0, ())
    assert report.days == incoming.days and report.response_times == incoming.response_times
    assert [day.chat_count for day in incoming.days] == [None, None, 2, None, None, None, 1]  # nul, answered-broadcast
    assert (report.slots, report.slot_min_chat_count) == ((), 5)  # no slot has five answered chats
    assert report.has_default_targets
    assert (report.backlog[0].day, report.backlog[-1].day) == (date(2025, 9, 29), date(2025, 10, 6))
    assert (cartera.chat_count, cartera.agents, [member.id for member in cartera.departments]) == (0, (), ["CAR"])
    assert (incoming.chat_count, incoming.backlog[0].open_count) == (3, None)
    assert (month.chat_count, month.period.end, len(month.days)) == (0, date(2025, 9, 30), 30)
    assert (empty.chat_count, len(empty.heatmap), {kpi.value for kpi in empty.summary}) == (0, 168, {None})


def test_a_reports_heatmap_and_sla_are_those_of_the_marts_of_a_chat_and_a_week(world: World) -> None:
    with psycopg.connect(world.url) as conn:
        report = read_report(conn, Period.week(date(2025, 9, 29)), timezone="America/Bogota")
    assert [(cell.chat_count, cell.mean_seconds, cell.p50_seconds) for cell in report.heatmap] == [
        (row["chat_count"], row["mean_first_response_seconds"], row["p50_first_response_seconds"]) for row in world.ask(
            "select * from marts.weekly_response_time_heatmap where week_start = '2025-09-29' and agent_id = 'all' "
            "and direction_filter = 'incoming' and office_hours_filter = 'all' order by (day_of_week + 6) %% 7, hour")
    ]
    states = world.ask(
        "select metric, wall_state, business_state from marts.sla_chats where direction = 'incoming' "
        "and opened_local_date between '2025-09-29' and '2025-10-05' and not is_deleted")
    for promise in report.sla:
        own = [row[f"{promise.clock}_state"] for row in states if row["metric"] == promise.metric]
        met, breached, pending = (own.count(state) for state in ("met", "breached", "pending"))
        assert (promise.met_count, promise.breached_count, promise.pending_count) == (met, breached, pending)
        assert promise.rate == (met / (met + breached) if met + breached else None)
    assert {promise.metric: promise.target_seconds for promise in report.sla} == {
        "overall": None, "pickup": 120, "first_response": 300, "avg_reply": 300, "resolution": 7200}


@pytest.mark.parametrize(
    ("period", "scope", "scope_id", "reason"),
    [
        (Period.week(date(2999, 1, 7)), "all", "all", "has not begun"),
        (Period.week(date(2025, 9, 29)), "agent", "nobody", "no agent 'nobody'"),
        (Period.week(date(2025, 9, 29)), "direction", "sideways", "no direction"),
    ],
)
def test_a_report_that_cannot_be_made_says_why(
    world: World, period: Period, scope: Any, scope_id: str, reason: str
) -> None:
    with psycopg.connect(world.url) as conn, pytest.raises(NoReport, match=reason):
        read_report(conn, period, scope=scope, scope_id=scope_id, timezone="America/Bogota")


def test_an_analysis_as_a_report_has_its_kpis_its_categories_and_the_hours_of_its_chats(world: World) -> None:
    with psycopg.connect(world.url) as conn:
        conn.execute("""
            insert into analysis.customer_analyses (id, status, triggered_by, filters, sample_rate, classifier, is_llm,
                chats_in_filter, skipped_count, published_at, completed_at)
            values ('a1', 'COMPLETED', 'marta', '{"date_start": "2025-09-29", "date_end": "2025-10-05", "agent_ids":
                ["ana"], "department_ids": [], "contact_ids": ["9", "10"]}', 0.5, 'rules-v1', false, 6, 2, now(),
                now()),
                ('a2', 'PENDING', 'marta', '{}', 1, 'rules-v1', false, 0, 0, null, null)""")
        conn.execute("""
            insert into analysis.analysis_chats
            select 'a1', id, 'skipped' from unnest(array['sunday-night', 'negative', 'nul', 'gone']) as chats (id)""")
        conn.execute("""
            insert into analysis.customer_categorizations (analysis_id, chat_id, customer_intent, sentiment,
                agent_quality_score, model_vendor, model, is_llm, classified_by, classification_id)
            values ('a1', 'nul', 'LEGAL', 'FRICTION', 8, 'rules', 'rules-v1', false, 'rules-v1+x', 1)""")
        conn.execute("""
            insert into analysis.analysis_kpis (id, created_at, analysis_id, metric_type, metric_name, numeric_value,
                string_value, agent_id, category, scope, unit, count, published_at)
            select gen_random_uuid(), now(), 'a1', 'VOLUME', metric, value, member, agent_id, 'operational',
                case when agent_id is null then 'all' else 'agent' end, unit, count, now()
            from (values
                ('total_chats', 3, null, null, 'chats', 3), ('total_chats', 2, null, 'ana', 'chats', 2),
                ('first_response_p50', 600000, null, null, 'milliseconds', 1),
                ('first_response_p90', 90500, null, 'ana', 'milliseconds', 2),
                ('intent_share', 1, 'LEGAL', null, 'share', 1),
                ('intent_share', 0, 'PAYMENT', null, 'share', 0),
                ('channel_share', 0.25, 'telegram', null, 'share', 1),
                ('channel_share', 0, 'facebook', null, 'share', 0)
            ) as kpis (metric, value, member, agent_id, unit, count)""")
        report = read_analysis(conn, "a1", timezone="America/Bogota")
        for analysis_id, reason in (("a2", "pending"), ("a3", "no analysis 'a3'")):
            with pytest.raises(NoReport, match=reason):
                read_analysis(conn, analysis_id, timezone="America/Bogota")
        conn.rollback()
    assert report.analysis and (report.analysis.agent_names, report.analysis.contact_count) == (("Ana Uno",), 2)
    assert (report.chat_count, report.summary[2].value, report.summary[3].value) == (3, 600, None)
    assert [(cell.day_of_week, cell.hour, cell.chat_count) for cell in report.traffic if cell.chat_count] == [
        (3, 9, 1), (3, 10, 1), (0, 23, 1)]
    assert [(cell.day_of_week, cell.mean_seconds) for cell in report.heatmap if cell.chat_count] == [(0, 600)]
    [ana] = report.agents
    assert (ana.name, ana.chat_count, ana.first_response_p90_seconds) == ("Ana Uno", 2, 90.5)
    assert [(one.id, one.chat_count) for one in report.channels] == [("telegram", 1)]
    assert [day.chat_count for day in report.days] == [None, None, 2, None, None, None, 1]
    insights = report.insights
    assert (insights.chat_count, insights.by_rules_count, insights.mean_quality) == (3, 1, 8)
    assert [(share.label, share.share) for share in insights.intents] == [("LEGAL", 1)]


def test_there_is_no_week_in_the_future(world: World) -> None:
    assert (
        world.ask(
            "select 1 from marts.weekly_response_time_heatmap where week_start > current_date + 1 "
            "and agent_id = 'all' limit 1"
        )
        == []
    )


def test_a_negative_time_is_null_with_a_flag_that_names_the_rule_and_is_in_no_cell(world: World) -> None:
    found = world.one("marts.chat_response_times", "chat_id", "negative")
    assert found["first_response_seconds"] is None
    assert found["is_first_response_negative"] is True
    assert "response_before_opened" in found["quality_rules"]
    assert found["response_seconds"] == 60
    assert found["resolution_seconds"] == 55 * 60
    assert world.ask("select 1 from marts.heatmap_cell_chats where chat_id = 'negative'") == []


def test_a_time_longer_than_an_integer_of_seconds_is_none_and_stops_no_build(world: World) -> None:
    assert world.one("core.chats", "id", "ages")["duration"] is None


def test_an_unknown_provider_and_status_survive_as_they_came(world: World) -> None:
    found = world.one("core.chats", "id", "instagram")
    assert (found["provider"], found["status"]) == ("instagram", "something_new")
    assert found["b2chat_status"] == "SOMETHING_NEW"


def test_known_providers_and_statuses_take_the_dictionarys_names(world: World) -> None:
    found = world.one("core.chats", "id", "sunday-night")
    assert (found["provider"], found["status"], found["duration"]) == ("whatsapp", "closed", 2400)
    assert found["tags"] == ["vip"]


def test_a_nul_in_a_body_is_replaced_and_listed_and_its_exact_bytes_are_kept(world: World) -> None:
    landed = world.one("raw.b2chat_chats", "chat_id", "nul")
    assert rb"antes\u0000despu" in bytes(landed["payload_bytes"])
    assert {"path": "messages[0].body", "rule": "nul_replaced"} in landed["cleaned"]
    texts = world.ask("select text from core.messages where chat_id = 'nul' and type = 'text'")
    assert [row["text"] for row in texts] == ["antes\ufffddespués"] * 2


def test_equal_messages_of_one_second_are_two_messages_and_keep_their_ids(world: World) -> None:
    before = {row["id"] for row in world.ask("select id from core.messages where chat_id = 'nul'")}
    assert len(before) == 4
    nul = next(one for one in world.source.records["chats"] if one["chat_id"] == "nul")
    nul["messages"].insert(0, message("2025-10-01 08:59:00", body="una más"))
    world.sync()
    world.run("messages")
    after = {row["id"] for row in world.ask("select id from core.messages where chat_id = 'nul'")}
    assert before < after and len(after) == 5


def test_message_types_take_the_dictionarys_names_and_media_bodies_become_urls(world: World) -> None:
    rows = world.ask(
        "select type, content_type, text, file_url from core.messages where chat_id = 'nul' "
        "and b2chat_type in ('AUDIO', 'HOLOGRAM') order by type"
    )
    assert rows == [
        {"type": "file", "content_type": "voice", "text": None, "file_url": "https://files.example.test/a.ogg"},
        {"type": "hologram", "content_type": "other", "text": None, "file_url": None},
    ]


@pytest.mark.parametrize(
    ("key", "direction", "original", "converted", "source"),
    [
        ("sunday-night", "incoming", None, False, "first_message_incoming"),
        ("agent-first", "outgoing", None, False, "first_message_agent"),
        ("negative", "outgoing", None, False, "inferred_no_messages"),
        ("broadcast", "outgoing_broadcast", None, False, "first_message_broadcast"),
        ("answered-broadcast", "incoming", "outgoing_broadcast", True, "broadcast_answered"),
    ],
)
def test_a_chats_direction_follows_its_first_message_and_says_how_it_is_known(
    world: World,
    key: str,
    direction: str,
    original: str | None,
    converted: bool,
    source: str,
) -> None:
    found = world.one("core.chats", "id", key)
    assert (found["direction"], found["original_direction"], found["is_converted"], found["direction_source"]) == (
        direction,
        original,
        converted,
        source,
    )


def test_departments_come_as_text_or_object_and_lose_their_trailing_spaces(world: World) -> None:
    rows = world.ask("select b2chat_code, name, path, level, is_leaf, parent_id from core.departments order by 1")
    assert [(row["b2chat_code"], row["name"]) for row in rows] == [("CAR", "Cartera"), ("Ventas", "Ventas")]
    assert all((row["level"], row["is_leaf"], row["parent_id"]) == (0, True, None) for row in rows)


def test_a_full_contact_is_not_overwritten_by_a_chats_stub(world: World) -> None:
    full, stub = (world.one("core.contacts", "b2chat_id", key) for key in ("9", "10"))
    assert (full["full_name"], full["city"], full["email"], full["is_stub"]) == (
        "Cliente Nueve Completo",
        "Bogotá",
        None,
        False,
    )
    assert (stub["full_name"], stub["created_at"], stub["is_stub"]) == (None, None, True)


def test_a_stub_is_completed_when_the_contacts_export_brings_the_contact(world: World) -> None:
    world.source.records["contacts"].append(contact(10, fullname="Diez Completo", updated="2025-10-09 12:00:00"))
    world.sync()
    world.run("contacts")
    found = world.one("core.contacts", "b2chat_id", "10")
    assert (found["full_name"], found["is_stub"]) == ("Diez Completo", False)


def test_a_chat_that_loses_its_messages_keeps_no_old_ones_and_its_marts_follow(world: World) -> None:
    lost = next(one for one in world.source.records["chats"] if one["chat_id"] == "answered-broadcast")
    lost["messages"] = []
    world.sync()
    world.run("chat_response_times", "messages")
    assert world.ask("select 1 from core.messages where chat_id = 'answered-broadcast'") == []
    assert world.one("core.chats", "id", "answered-broadcast")["direction_source"] == "inferred_no_messages"
    assert world.one("marts.chat_response_times", "chat_id", "answered-broadcast")["incoming_message_count"] == 0


def test_a_chat_that_is_answered_late_enters_its_cell_and_an_incremental_build_equals_a_full_one(world: World) -> None:
    late = next(one for one in world.source.records["chats"] if one["chat_id"] == "broadcast")
    late["responded_at"] = "2025-10-01 09:10:00"
    world.sync()
    world.run("heatmap_cells")
    query = (
        "select * from marts.heatmap_cells order by week_start, scope, scope_id, direction_filter, "
        "office_hours_filter, day_of_week, hour"
    )
    incremental = world.ask(query)
    assert any(
        row["day_of_week"] == 3 and row["hour"] == 9 and row["mean_first_response_seconds"] == 600
        for row in incremental
    )
    with psycopg.connect(world.url) as conn:
        conn.execute("truncate ops.build_watermarks")
        conn.execute("drop schema core, marts cascade")
    world.build()
    assert world.ask(query) == incremental


@pytest.mark.parametrize("table", dictionary.CORE)
def test_core_has_the_dictionarys_columns_types_and_indexes(world: World, table: str) -> None:
    wanted = dictionary.load()[table]
    columns = world.ask(
        "select column_name, data_type from information_schema.columns where table_schema = 'core' and table_name = %s",
        table)
    found = {row["column_name"]: row["data_type"] for row in columns}
    assert len(wanted["columns"]) > 9
    assert {name: found.get(name) for name in wanted["columns"]} == {
        name: dictionary.type_of(kind) for name, kind in wanted["columns"].items()
    }

    indexes = [re.search(r"\((.+?)\)(?: WHERE .*)?$", row["indexdef"].replace('"', '')).group(1) for row in world.ask(  # type: ignore[union-attr]
        "select indexdef from pg_indexes where schemaname = 'core' and tablename = %s", table)]
    # A unique index of a partitioned table must end with the column that divides it.
    indexes += [index.rpartition(", ")[0] for index in indexes if table == "messages" and index.endswith(", timestamp")]
    indexes += [index.removesuffix(", chat_id") for index in indexes if table == "messages"]
    assert [index for index in wanted["indexes"] if index not in indexes] == []


def test_each_table_has_the_keys_and_the_not_null_columns_of_its_contract(world: World) -> None:
    wanted = {
        model["name"]: (
            {column["name"] for column in model["columns"] if {"type": "not_null"} in column.get("constraints", [])},
            [c["columns"] for c in model.get("constraints", []) if c["type"] == "primary_key"],
        )
        for file in MODELS.rglob("*.yml")
        for model in yaml.safe_load(file.read_text()).get("models", [])
    }
    found = world.ask("""
        select
            relname as name,
            obj_description(pg_class.oid) as comment,
            array(
                select attname::text from pg_attribute where attrelid = pg_class.oid and attnum > 0 and attnotnull
            ) as not_null,
            (select array_agg(attname::text order by array_position(conkey, attnum))
             from pg_constraint inner join pg_attribute on attrelid = conrelid and attnum = any(conkey)
             where conrelid = pg_class.oid and contype = 'p') as key
        from pg_class
        where relkind in ('r', 'p') and not relispartition
            and relnamespace in ('core'::regnamespace, 'marts'::regnamespace)
    """)
    assert len(found) > 10
    for table in found:
        not_null, keys = wanted[table["name"]]
        assert table["comment"], table["name"]
        assert (table["name"], table["key"]) == (table["name"], keys[0] if keys else None)
        assert (table["name"], set(table["not_null"])) == (table["name"], not_null | set(table["key"] or []))


def test_a_broken_rule_is_counted_on_the_chats_day_and_names_it(world: World) -> None:
    (found,) = world.ask(
        "select * from marts.data_quality where local_date = '2025-10-01' and rule = 'response_before_opened'"
    )
    assert (found["severity"], found["broken_count"], found["sample_ids"]) == ("error", 1, "negative")
    assert found["checked_count"] == len([one for one in world.source.records["chats"]
                                          if one["created_at"].startswith("2025-10-01")])


def test_freshness_knows_each_mart_and_that_all_that_landed_is_in_it(world: World) -> None:
    marts = world.ask("select * from marts.data_freshness order by mart")
    names = world.ask("select table_name::text as mart from information_schema.tables where table_schema = 'marts'")
    assert [row["mart"] for row in marts] == sorted(row["mart"] for row in names)
    (landed,) = world.ask("select max(loaded_at) as newest from ops.page_loads")
    assert {(row["data_through"], row["waiting_load_count"]) for row in marts} <= {
        (landed["newest"], 0), (landed["newest"], None)}


def test_bi_reads_every_mart_and_nothing_else(world: World) -> None:
    relations = world.ask("""
        select nspname::text as schema, relname::text as name,
            has_schema_privilege('bi_reader', nspname, 'usage')
                and has_table_privilege('bi_reader', pg_class.oid, 'select') as is_readable
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where relkind in ('r', 'v', 'm', 'p') and nspname not in ('pg_catalog', 'information_schema')
    """)
    assert {row["schema"] for row in relations if row["is_readable"]} == {"marts"}
    marts = [row for row in relations if row["schema"] == "marts"]
    assert all(row["is_readable"] for row in marts)
    with psycopg.connect(world.url) as conn:
        conn.execute("set local role bi_reader")
        for row in marts:  # a view reads what is under it by its owner's rights
            conn.execute(f"select from marts.{row['name']} limit 1")


def test_the_ui_shows_rows_freshness_and_a_preview_without_names_of_a_mart(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as conn:
        shown = {name: table_metadata.of_table(conn, *name.split(".")) for name in (
            "marts.chat_response_times", "marts.sync_health", "core.contacts", "intermediate.labels")}
    assert set(shown["marts.chat_response_times"]) == {"dagster/row_count", "data_through", "preview"}
    (days,) = world.ask("select count(*)::integer as rows from marts.sync_health")
    assert shown["marts.sync_health"]["dagster/row_count"].value == days["rows"]
    preview = shown["marts.chat_response_times"]["preview"].value
    assert "chat_id" in preview and "agent_name" not in preview and "Ana Uno" not in preview
    assert set(shown["core.contacts"]) == {"dagster/row_count"} and shown["intermediate.labels"] == {}


def test_each_kpi_is_the_number_of_the_mart_it_comes_from_beside_the_same_of_the_day_before(world: World) -> None:
    wanted: dict[tuple[Any, ...], tuple[float | None, int]] = {}
    volume = {"chats_created": "chat_count", "chats_closed": "closed_chat_count", "chats_reopened": "reopened_count",
              "messages_in": "incoming_message_count", "messages_out": "outgoing_message_count"}
    transfers = {"agent_transfers": "agent_transfer_count", "department_transfers": "department_transfer_count"}
    of_agents = {"transfers_in": "transfer_in_count", "transfers_out": "transfer_out_count",
                 "chats_picked_up": "picked_up_chat_count"}
    for mart, scope, key, columns in (
        ("account_daily", "all", None, volume | transfers), ("agent_daily", "agent", "agent_id", volume | of_agents),
        ("department_daily", "department", "department_id", volume | transfers),
        ("channel_daily", "channel", "channel", volume | transfers),
        ("source_daily", "source", "source", volume | transfers),
    ):
        for row in world.ask(f"select * from marts.{mart}"):
            for metric, column in columns.items():
                scope_id = row[key] if key else "all"
                wanted[row["local_date"], scope, scope_id, metric] = (row[column] or None, row[column])
    for row in world.ask(
        "select * from marts.response_times_daily where metric not in ('response', 'reply_from_last')"
    ):
        for statistic in ("mean", "p50", "p90"):
            metric = f"{row['metric']}{'_business' if row['clock'] == 'business' else ''}_{statistic}"
            key = (row["period_start"], row["scope"], row["scope_id"], metric)
            wanted[key] = (row[f"{statistic}_seconds"], row["count"])
    for row in world.ask("select * from marts.sla_daily"):
        metric = f"sla_{row['metric']}{'_business' if row['clock'] == 'business' else ''}_rate"
        key = (row["local_date"], row["scope"], row["scope_id"], metric)
        wanted[key] = (row["rate"], row["met_count"] + row["breached_count"])
    for row in world.ask("select * from marts.backlog_daily"):
        key = (row["local_date"], row["scope"], row["scope_id"], f"backlog_{row['state']}")
        wanted[key] = (row["chat_count"] or None, row["chat_count"])

    kpis = {(row["local_date"], row["scope"], row["scope_id"], row["metric"]): row for row in world.ask(
        "select * from marts.kpi_daily where metric !~ '^(survey|bot|broadcast|concurrent)'")}
    assert {key: (row["value"], row["count"]) for key, row in kpis.items()} == wanted
    before = {key: kpis.get((key[0] - timedelta(days=1), *key[1:])) for key in kpis}
    assert {key: row["previous_value"] for key, row in kpis.items()} == {
        key: row["value"] if row else None for key, row in before.items()}
    assert world.ask("select metric, value, count from marts.kpi_daily where (value is null) <> (count = 0)") == []
    assert world.ask("select metric, value_delta_pct from marts.kpi_daily where unit = 'share' and value_delta_pct <> 0") == []


def test_data_tests_look_at_new_rows_and_at_every_row_when_asked(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute("update core.chats set direction = 'sideways', load_id = 0 where id = 'before'")
        try:
            assert world.dbt("test", "--select", "chats,test_type:data").returncode == 0
            everything = world.dbt("test", "--select", "chats,test_type:data", "--vars", "{test_everything: true}")
            assert everything.returncode == 1
            assert "accepted_values_chats_direction" in everything.stdout
        finally:
            conn.execute("update core.chats set direction = 'outgoing', load_id = 1 where id = 'before'")


def test_every_dbt_unit_test_passes(world: World) -> None:
    done = world.dbt("test", "--select", "test_type:unit")
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"PASS=(\d+)", done.stdout).group(1)) > 20  # type: ignore[union-attr]
