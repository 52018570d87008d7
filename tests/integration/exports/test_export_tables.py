"""Tables as CSV, Excel and Parquet, read back with other libraries than those that wrote them; with hostile text."""

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import openpyxl
import psycopg
import pytest
import yaml
from pyarrow import parquet

from dagster_project.exports import requests
from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.formats import csv_file
from dagster_project.exports.formats.spreadsheet import GUARDED
from dagster_project.exports.i18n.column_titles import is_other_language, title
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.report.period import Period
from dagster_project.exports.requests import ExportRequest
from dagster_project.exports.run import run_export
from dagster_project.exports.tables import statements
from dagster_project.exports.tables.table import Filters
from dagster_project.orchestration.assets.exports import TABLE_EXPORTS, period_report
from dagster_project.orchestration.dbt_project import DBT_DIR
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.warehouse import directory
from tests.support.hand_made_marts import HandMadeMarts

NAMES = {
    "1": '=HYPERLINK("http://x.example","clic")',
    "2": "Óscar Ñandú 😀",
    "3": "עדן כהן",
    "4": 'a\r\nb; "c", d',
    "5": "+573001112233",
    "6": "＝1+1",
    "7": "A" * 300,
    "8": "../../etc/passwd",
    "9": "-2+3",
    "10": "@SUM(1)",
    "11": "00123",
    "12": "12345678901234567890",
    "13": "\tx",
    "14": " =1+1",
}
TABLES = """
    create schema marts;
    create schema core;
    create table core.agents (id text, name text);
    create table core.departments (id text, name text);
    create table core.chats (provider text);
    insert into core.agents values
        ('ana', 'Ana Peña'), ('luz', 'Luz Díaz'), ('luz.diaz@firma.example', 'luz  diaz'), ('long', repeat('ñ', 300));
    insert into core.departments values ('CAR', 'Cartera');
    insert into core.chats values ('whatsapp'), ('instagram'), (null), ('whatsapp');
    create table marts.chat_response_times (
        chat_id text, agent_id text, agent_name text, department_id text, channel text, created_at timestamptz,
        created_local_date date, is_office_hours boolean, avg_reply_seconds double precision, reply_count integer,
        price numeric(8, 2), is_deleted boolean, load_id bigint
    );
    comment on column marts.chat_response_times.avg_reply_seconds is 'Mean time of a reply, in seconds.';
    create table marts.chat_categories (
        chat_id text, state text, customer_intent text, journey_stage text, sentiment text, agent_quality_score integer,
        confidence_score double precision, classified_by_es text, classified_by_en text, final_intent text,
        final_stage text, final_sentiment text, final_agent_quality_score integer, final_source text
    );
    insert into marts.chat_categories
    values ('1', 'answered', 'PAYMENT', null, 'FRICTION', 7, 0.8, 'clasificado por reglas', 'classified by rules',
        'LEGAL', null, 'FRICTION', 9, 'human');
    create table marts.kpi_daily (
        local_date date, scope text, scope_id text, metric text, unit text, value double precision, count bigint
    );
    insert into marts.kpi_daily values
        ('2026-11-09', 'all', 'all', 'chats_created', 'chats', 12, 12),
        ('2026-11-09', 'agent', 'ana', 'first_response_p50', 'seconds', 90.5, 4),
        ('2026-11-09', 'department', 'CAR', 'sla_overall_rate', 'share', null, 0),
        ('2026-11-10', 'channel', 'whatsapp', 'chats_created', 'chats', 3, 3);
    create table marts.analysis_kpis (
        analysis_id text, metric_type text, metric_name text, value double precision, member text, agent_id text,
        department_id text, category text, scope text, unit text, count integer, classified_by_es text,
        classified_by_en text
    );
    insert into analysis.customer_analyses
        (id, status, triggered_by, filters, sample_rate, classifier, is_llm, published_at, completed_at)
    values
        ('a1b2', 'COMPLETED', 'ana', '{"agents": ["ana"]}', 0.1, 'rules-v1', false, now(), now()),
        ('c3d4', 'PROCESSING', 'ana', '{}', 1, 'rules-v1', false, null, null);
    insert into marts.analysis_kpis values
        ('a1b2', 'RESPONSE_TIME', 'first_response_p50', 90.25, null, null, null, 'performance', 'all', 'seconds', 4,
         null, null),
        ('a1b2', 'CUSTOMER_INTENT', 'intent_share', 0.75, 'PAYMENT', null, null, 'customer_analysis', 'all', 'share', 4,
         'clasificado por reglas', 'classified by rules'),
        ('a1b2', 'RESPONSE_TIME', 'first_response_p50', null, null, 'ana', null, 'performance', 'agent', 'seconds', 0,
         null, null),
        ('other', 'VOLUME', 'total_chats', 1, null, null, null, 'operational', 'all', 'chats', 1, null, null);
"""


@pytest.fixture(scope="module")
def warehouse(new_database: Callable[[], str]) -> str:
    url = new_database()
    with psycopg.connect(url) as conn:
        conn.execute(TABLES)
        for chat, name in NAMES.items():
            own = ("ana", 91.5, 3, Decimal("12.50")) if chat == "1" else ("luz", None, 0, None)
            conn.execute(
                """insert into marts.chat_response_times
                   values (%s, %s, %s, 'CAR', 'whatsapp', %s, '2026-11-09', %s, %s, %s, %s, false, 1)""",
                [chat, own[0], name, datetime(2026, 11, 9, 14, 30, int(chat), tzinfo=UTC), chat == "1", *own[1:]],
            )
        conn.execute("""insert into marts.chat_response_times
                        select 'gone', 'ana', 'x', 'CAR', 'whatsapp', now(), '2026-11-09', true, 1, 1, 1, true, 1""")
    return url


@pytest.fixture
def make(warehouse: str, tmp_path: Path) -> Callable[..., Path]:
    """Makes an order in a folder of the test; returns the file."""

    def fill(kind: Any, form: Any, **what: Any) -> Path:
        settings = Settings.load(exports_dir=tmp_path)
        return Path(run_export(warehouse, settings, ExportRequest(kind, form, **what), user="ana").place)

    return fill


def rows_of(file: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_csv_is_what_the_standard_says(make: Callable[..., Path]) -> None:
    content = make("chats", "csv", filters=Filters(agents=["ana"])).read_bytes()
    assert content == (
        b"chat_id,agent_id,agent_name,department_id,channel,created_at,created_local_date,is_office_hours,"
        b"avg_reply_seconds,reply_count,price,categorization_state,customer_intent,journey_stage,sentiment,"
        b"agent_quality_score,"
        b"confidence_score,classified_by,final_intent,final_stage,final_sentiment,final_agent_quality_score,final_source\r\n"
        b'1,ana,"=HYPERLINK(""http://x.example"",""clic"")",CAR,whatsapp,2026-11-09T09:30:01-05:00,2026-11-09,true,'
        b"91.5,3,12.50,answered,PAYMENT,,FRICTION,7,0.8,clasificado por reglas,LEGAL,,FRICTION,9,human\r\n"
    )


def test_csv_for_excel_speaks_the_readers_language_and_holds_nothing_that_it_would_run_or_change(
    make: Callable[..., Path],
) -> None:
    content = make("chats", "csv-excel", filters=Filters(agents=["ana"])).read_bytes().decode()
    assert content.startswith("\ufeffConversación;Usuario del agente;Agente;Código del departamento;Canal;Creada;")
    assert content.endswith(
        """1;ana;"'=HYPERLINK(""http://x.example"",""clic"")";CAR;whatsapp;2026-11-09 09:30:01;2026-11-09;VERDADERO;"""
        "1,53;3;12,5;answered;PAYMENT;;FRICTION;7;0,8;clasificado por reglas;LEGAL;;FRICTION;9;human\r\n"
    )
    english = make("chats", "csv-excel", filters=Filters(agents=["ana"]), language="en").read_bytes().decode()
    assert english.startswith("\ufeffChat,Agent's username,Agent,Department's key,Channel,Created,Creation date,")
    assert "TRUE,1.53,3,12.5," in english
    shown = {row["Conversación"]: row["Agente"] for row in rows_of(make("chats", "csv-excel"), ";")}
    assert shown == {chat: f"'{name}" for chat, name in NAMES.items()}  # a column alike in all its rows


CHANGED = (
    "24/7",
    "1E5",
    "1e+5",
    "007",
    "3-2",
    "MAR-1",
    "1-mar",
    "5 de enero de 2026",
    "mié 5 nov",
    "dic 24",
    "10:30",
    "10 a. m.",
    "12 %",
    "$ 1.234,50",
    "(5)",
    "1,5",
    "1.5",
    ",5",
    "123456789012",
    "VERDADERO",
    "true",
    "#N/A",
    "#¡REF!",
    "=1+1",
    "+57",
    "-1",
    "@x",
    "\tx",
    "2025-10-22",
    "2025-10-22T09:00:00",
    "1/2",
    "4 1/2",
    "5€",
)
UNCHANGED = (
    "",
    "0",
    "23",
    "90000001",
    "Ana Uno",
    "Torre 2",
    "Marta 5",
    "Mayo",
    "Marzo Díaz",
    "2 Torres",
    "1EA",
    "24/7 soporte",
    "11111111-2222-4333-8444-5555a5555555",
    "CAR",
    "d1",
    "½",
    "#equipo-1",
    "Abril Ríos 3B",
)


def test_what_a_spreadsheet_would_change_is_known_in_python_and_in_postgres(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        found = conn.execute(
            "select text, text ~ %s from unnest(%s::text[]) as text", [GUARDED, [*CHANGED, *UNCHANGED]]
        ).fetchall()
    assert {text for text, is_changed in found if is_changed} == set(CHANGED)
    assert {text for text in (*CHANGED, *UNCHANGED) if re.search(GUARDED, text)} == set(CHANGED)


TITLED = (
    "chat_response_times",
    "agent_daily",
    "kpi_daily",
    "analysis_kpis",
    "kpi_weekly",
    "sla_monthly",
    "categories_weekly",
    "escalation_steps",
    "call_times",
    "visits",
    "funnel_daily",
    "coverage_hourly",
    "staffing_need",
)


@pytest.mark.parametrize("mart", TITLED)
@pytest.mark.parametrize("language", ["es", "en"])
def test_each_column_of_the_tables_has_a_title_of_its_own(mart: str, language: Language) -> None:
    files = [text for file in (DBT_DIR / "models").rglob("*.yml") if f"- name: {mart}\n" in (text := file.read_text())]
    models = {model["name"]: model for text in files for model in yaml.safe_load(text).get("models", [])}
    columns = [column["name"] for column in models[mart]["columns"]]
    shown = [
        name
        for name in columns
        if name not in ("load_id", "is_deleted", "classified_by") and not is_other_language(name, language)
    ]
    titles = {name: title(name, language) for name in shown}
    assert len(set(titles.values())) == len(titles)
    assert all("_" not in one for one in titles.values())
    if language == "es":
        assert [
            name
            for name, one in titles.items()
            if one.lower().startswith(name.split("_")[0] + " ") and not name.startswith("sla_")
        ] == []


def test_every_name_comes_back_as_it_was_and_deleted_chats_do_not(make: Callable[..., Path]) -> None:
    file = make("chats", "csv")
    assert {row["chat_id"]: row["agent_name"] for row in rows_of(file)} == NAMES
    assert "etc" not in file.name
    book = openpyxl.load_workbook(make("chats", "xlsx"))
    assert book.sheetnames == ["Léame", "Datos"]
    heads, *rows = book["Datos"].iter_rows()
    shown = [dict(zip([head.value for head in heads], row, strict=True)) for row in rows]
    read = {row["chat_id"].value: row["agent_name"].value for row in shown}
    assert read == {chat: name.replace("\r\n", "\n") for chat, name in NAMES.items()}  # as Excel ends lines
    assert all(cell.data_type != "f" and cell.hyperlink is None for row in rows for cell in row)
    first = next(row for row in shown if row["chat_id"].value == "1")
    assert (first["avg_reply_seconds"].value, first["is_office_hours"].value) == (91.5, True)
    assert first["created_at"].value == datetime(2026, 11, 9, 9, 30, 1)  # noqa: DTZ001  Excel knows no zones
    assert [row["classified_by"].value for row in shown].count("clasificado por reglas") == 1
    about = {row[0].value: row[1].value for row in book["Léame"].iter_rows()}
    assert about["avg_reply_seconds"] == "Mean time of a reply, in seconds."
    assert about["Zona horaria"] == "America/Bogota" and about["Filas"] == "14"


def test_json_lines_have_an_object_a_row_with_every_text_as_it_is(make: Callable[..., Path]) -> None:
    file = make("chats", "jsonl")
    rows = [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
    assert {row["chat_id"]: row["agent_name"] for row in rows} == NAMES
    first = next(row for row in rows if row["chat_id"] == "1")
    assert (first["avg_reply_seconds"], first["price"], first["is_office_hours"]) == (91.5, 12.5, True)
    assert first["created_at"] == "2026-11-09T09:30:01-05:00"
    assert next(row for row in rows if row["chat_id"] == "2")["price"] is None
    assert json.loads(Path(f"{file}.json").read_text())["rows"] == len(NAMES)


def test_parquet_keeps_the_types(make: Callable[..., Path]) -> None:
    read = parquet.read_table(make("chats", "parquet"))
    assert {name: str(kind) for name, kind in zip(read.schema.names, read.schema.types, strict=True)}.items() >= {
        "chat_id": "string",
        "created_at": "timestamp[us, tz=America/Bogota]",
        "created_local_date": "date32[day]",
        "is_office_hours": "bool",
        "avg_reply_seconds": "double",
        "reply_count": "int32",
        "price": "decimal128(8, 2)",
    }.items()
    row = next(row for row in read.to_pylist() if row["chat_id"] == "1")
    assert row["created_at"] == datetime(2026, 11, 9, 14, 30, 1, tzinfo=UTC)
    assert (row["price"], row["avg_reply_seconds"], row["agent_name"]) == (Decimal("12.50"), 91.5, NAMES["1"])


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (Filters(first=date(2026, 11, 10)), 0),
        (Filters(last=date(2026, 11, 8)), 0),
        (Filters(first=date(2026, 11, 9), last=date(2026, 11, 9), departments=["CAR"], channels=["whatsapp"]), 14),
        (Filters(agents=["ana", "luz"]), 14),
        (Filters(channels=["telegram"]), 0),
    ],
)
def test_filters_choose_the_chats(warehouse: str, filters: Filters, count: int) -> None:
    out = io.BytesIO()
    with psycopg.connect(warehouse) as conn:
        table = statements.chats(conn, filters, "es")
        assert csv_file.write(conn, out, table, excel=None, zone="UTC").rows == count
    assert out.getvalue().count(b"\r\n") >= count + 1  # the header is there where no chat is


@pytest.mark.parametrize("at_once", [1, 7, 14, 15])
def test_rows_are_neither_lost_nor_doubled_between_batches(
    warehouse: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "_BATCH_ROWS", at_once)
    out = io.BytesIO()
    with psycopg.connect(warehouse) as conn:
        assert csv_file.write(conn, out, statements.chats(conn, Filters(), "en"), excel="en", zone="UTC").rows == 14
    read = list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert [row[0] for row in read] == ["Chat", *NAMES]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (ExportRequest("chats", "csv", filters=Filters(agents=["nobody"])), "no agent 'nobody'"),
        (
            ExportRequest("chats", "csv", filters=Filters(channels=["fax"])),
            "no channel 'fax'",
        ),
        (
            ExportRequest("chats", "csv", filters=Filters(agents=["pena"])),
            r"no agent 'pena'; did you mean Ana Peña \(ana\)\?",
        ),
        (
            ExportRequest("chats", "csv", filters=Filters(agents=["Luz Diaz"])),
            "2 agents are called 'Luz Diaz': give the id, one of luz, luz.diaz@firma.example",
        ),
        (
            ExportRequest("chats", "csv", filters=Filters(agents=["x" * 300])),
            f"^there is no agent '{'x' * 60}…': there are",
        ),
        (
            ExportRequest("chats", "csv", filters=Filters(first=date(2031, 1, 1), last=date(2031, 1, 31))),
            "nothing to export of from 2031-01-01, to 2031-01-31: there are chats from 2026-11-09 to 2026-11-09",
        ),
        (
            ExportRequest("chats", "csv", filters=Filters(channels=["instagram"])),
            "nothing to export of channels instagram: there",
        ),
        (
            ExportRequest("chats", "parquet", filters=Filters(agents=["ñ" * 300])),
            "nothing to export of agents long: there",
        ),
        (ExportRequest("agents", "csv", filters=Filters(channels=["whatsapp"])), "filter by days and agents"),
        (ExportRequest("agents", "csv"), "there are no chats yet"),
        (ExportRequest("chats", "pdf"), "one of xlsx, csv, csv-excel, parquet"),
        (ExportRequest("table", "csv", mart="../../etc/passwd"), "no mart of that name"),
        (ExportRequest("table", "csv", mart="customer_analyses"), "there are analysis_kpis, chat_categories"),
        (ExportRequest("analysis", "csv", analysis_id="zz"), "no analysis zz"),
        (ExportRequest("analysis", "xlsx", analysis_id="a1b2", sections=True), "csv or csv-excel"),
        (ExportRequest("report", "pdf", scope="x"), "the scope of report"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_line(
    warehouse: str, tmp_path: Path, asked: ExportRequest, reason: str
) -> None:
    with pytest.raises(ExportFailed, match=reason):
        run_export(warehouse, Settings.load(exports_dir=tmp_path), asked, user="ana")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_agents_departments_and_channels_are_named_as_people_name_them(make: Callable[..., Path]) -> None:
    by_name = make("chats", "csv", filters=Filters(agents=["ana pena"], departments=["CARTERA"], channels=["WhatsApp"]))
    assert [row["chat_id"] for row in rows_of(by_name)] == ["1"]
    manifest = json.loads(Path(f"{by_name}.json").read_text())
    assert manifest["filters"] == {"agents": ["ana"], "departments": ["CAR"], "channels": ["whatsapp"]}


@pytest.mark.parametrize("channel", ["instagram", "fonochat"])  # one of the seed, one that only chats have
def test_any_channel_of_the_seed_or_of_the_chats_is_listed_filtered_and_exported(
    warehouse: str, make: Callable[..., Path], channel: str
) -> None:
    with psycopg.connect(warehouse, autocommit=True) as conn:
        conn.execute("insert into core.chats values (%s)", [channel])
        conn.execute(
            """insert into marts.chat_response_times
               select 'by-' || %s, 'luz', 'x', 'CAR', %s, '2026-11-12', '2026-11-12', true, null, 0, null, false, 1""",
            [channel, channel],
        )
        try:
            assert directory.find(conn, "channel", channel.upper()) == channel
            made = make("chats", "csv", filters=Filters(channels=[channel]))
            assert [(row["chat_id"], row["channel"]) for row in rows_of(made)] == [(f"by-{channel}", channel)]
        finally:
            conn.execute("delete from marts.chat_response_times where channel = %s", [channel])
            conn.execute("delete from core.chats where provider = 'fonochat'")


def test_no_two_scopes_share_a_files_name_and_none_holds_a_persons_name(warehouse: str, tmp_path: Path) -> None:
    week = Period.week(date(2026, 11, 9))
    filters = [
        Filters(),
        Filters(agents=["ana"]),
        Filters(agents=["ana", "luz"]),
        Filters(departments=["CAR"]),
        Filters(channels=["whatsapp"]),
    ]
    made = [
        run_export(
            warehouse, Settings.load(), ExportRequest("chats", "csv", filters=one), user="ana", own_file=tmp_path
        )
        for one in filters
    ]
    names = [one.file_name for one in made] + [
        f"b2chat-report-{requests.label(ExportRequest('report', 'pdf', period=week, scope=scope, scope_id=key))}.pdf"
        for scope, key in (
            ("all", "all"),
            ("agent", "ana"),
            ("agent", "luz.diaz@firma.example"),
            ("agent", "Luz Díaz"),
            ("agent", "ñ" * 300),
            ("department", "ana"),
            ("channel", "whatsapp"),
        )
    ]
    assert names[1] == "b2chat-chats-all-agent-ana.csv"
    assert names[6] == "b2chat-report-week-2026-11-09-agent-ana.pdf"
    assert len(set(names)) == len(names) == 12
    assert all(re.fullmatch(r"[a-z0-9_.-]{1,90}", name) and "diaz" not in name for name in names)


def test_a_file_of_ones_own_has_its_manifest_beside_it_and_neither_is_written_over(
    warehouse: str, tmp_path: Path
) -> None:
    settings, own = Settings.load(), tmp_path / "mine.csv"
    made = run_export(warehouse, settings, ExportRequest("chats", "csv"), user="ana", own_file=own)
    manifest = json.loads((tmp_path / "mine.csv.json").read_text())
    assert (manifest["sha256"], manifest["rows"], manifest["expires_at"]) == (made.sha256, 14, None)
    own.unlink()
    with pytest.raises(ExportFailed, match=r"mine.csv.json is there already"):
        run_export(warehouse, settings, ExportRequest("chats", "csv"), user="ana", own_file=own)
    assert not own.exists()
    with pytest.raises(ExportFailed, match="file name too long"):
        run_export(warehouse, settings, ExportRequest("chats", "csv"), user="ana", own_file=tmp_path / ("x" * 300))


def test_conversations_of_every_source_rooms_with_their_path_escalations_by_agent_and_what_is_not_there(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    marts = HandMadeMarts(new_database())
    settings = Settings.load(exports_dir=tmp_path)

    def rows(kind: Any, **filters: Any) -> list[dict[str, str]]:
        request = ExportRequest(kind, "csv", filters=Filters(**filters))
        return rows_of(Path(run_export(marts.url, settings, request, user="ana").place))

    marts.fill("escalation_steps")
    marts.fill("escalation_paths")
    marts.fill("room_response_times")
    for kind in ("rooms", "escalations"):
        with pytest.raises(ExportFailed, match="no conversation in a room has landed: ROOMS_DATABASE_URL"):
            rows(kind)
    day = date(2026, 3, 2)
    for number, is_deleted in enumerate((False, False, True)):
        key = {"chat_id": f"rooms:{number}", "is_deleted": is_deleted}
        marts.fill("room_response_times", key | {"created_local_date": day, "pickup_seconds": 90})
    marts.fill("escalation_paths", {"conversation_id": "rooms:1", "path": "T1>T2", "total_seconds": 6000})
    for agent in ("rooms:ana", "rooms:bea"):
        step = {"escalation_id": agent, "agent_id": agent, "created_local_date": day, "handover_seconds": 660}
        marts.fill("escalation_steps", step)
    for scope, key, name in (("agent", "rooms:ana", "Ana Rojas"), ("department", "CAR", "Cartera")):
        marts.fill("scope_members", {"scope": scope, "scope_id": key, "scope_name": name})
    found = {row["chat_id"]: (row["pickup_seconds"], row["path"], row["total_seconds"]) for row in rows("rooms")}
    assert found == {"rooms:0": ("90", "", ""), "rooms:1": ("90", "T1>T2", "6000")}
    for source, team in (("b2chat", "CAR"), ("rooms", None), ("calls", None)):
        own = {"conversation_id": f"{source}:1", "source": source, "team_id": team, "is_deleted": False}
        marts.fill("conversations", own | {"created_local_date": day})
    assert {row["source"] for row in rows("conversations", first=day)} == {"b2chat", "rooms", "calls"}
    [chat] = rows("conversations", departments=["cartera"])
    assert chat["conversation_id"] == "b2chat:1"
    [step] = rows("escalations", first=day, last=day, agents=["ana rojas"])
    assert (step["escalation_id"], step["handover_seconds"]) == ("rooms:ana", "660")


def test_calls_by_pool_and_day_coverage_of_the_pools_that_are_named_and_no_file_where_no_call_has_landed(
    new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marts = HandMadeMarts(new_database())
    monkeypatch.setenv("B2CHAT_EXPORTS_DIR", str(tmp_path))
    settings = Settings.load(exports_dir=tmp_path)

    def rows(kind: Any, **filters: Any) -> list[dict[str, str]]:
        request = ExportRequest(kind, "csv", filters=Filters(**filters))
        return rows_of(Path(run_export(marts.url, settings, request, user="ana").place))

    def materialized(kind: Any) -> int:
        resources = {"warehouse": Warehouse(url=marts.url)}
        with dg.DagsterInstance.ephemeral() as instance:
            run = dg.materialize([TABLE_EXPORTS[kind]], resources=resources, instance=instance)
            return len(run.asset_materializations_for_node(f"exports__{kind}"))

    for mart in ("call_times", "visits", "coverage_hourly", "funnel_daily", "staffing_need"):
        marts.fill(mart)
    with pytest.raises(ExportFailed, match="no call has landed: CALLS_DATABASE_URL"):
        rows("calls")
    assert materialized("calls") == 0
    marts.fill("scope_members", {"scope": "department", "scope_id": "calls:p", "scope_name": "Ventas"})
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    for number, (day, pool, is_deleted) in enumerate(
        ((monday, "calls:p", False), (tuesday, "calls:p", False), (monday, "calls:q", False), (monday, "calls:p", True))
    ):
        call = {"call_id": str(number), "pool_id": pool, "created_local_date": day, "is_deleted": is_deleted}
        marts.fill("call_times", call | {"outcome": "answered", "answer_seconds": 20})
    [call] = rows("calls", first=monday, last=monday, departments=["ventas"])
    assert (call["call_id"], call["outcome"], call["answer_seconds"], call["talk_seconds"]) == (
        "0",
        "answered",
        "20",
        "",
    )
    assert materialized("calls") == 1
    marts.fill("visits", {"visit_id": "v", "local_date": monday, "pool_id": "calls:p"})
    for scope, key in (("all", "all"), ("pool", "calls:p"), ("pool", "calls:q")):
        hour = {"local_date": monday, "hour": 9, "scope": scope, "scope_id": key, "uncovered_call_count": 1}
        marts.fill("coverage_hourly", hour)
        marts.fill("funnel_daily", {"local_date": monday, "scope": scope, "scope_id": key, "visit_count": 1})
    marts.fill("staffing_need", {"pool_id": "calls:p", "day_of_week": 1, "hour": 9, "call_count": 3})
    assert {row["scope_id"] for row in rows("coverage", first=monday)} == {"all", "calls:p", "calls:q"}
    for kind in ("coverage", "funnel"):
        assert [row["scope_id"] for row in rows(kind, departments=["ventas"])] == ["calls:p"]
    assert [row["visit_id"] for row in rows("visits", departments=["ventas"])] == ["v"]
    [cell] = rows("staffing", departments=["ventas"])
    assert (cell["call_count"], cell["needed_agent_count"]) == ("3", "")
    with pytest.raises(ExportFailed, match="staffing cannot be filtered by days and agents: filter by departments"):
        rows("staffing", first=monday, agents=["calls:ana"])


def test_kpis_come_in_the_long_form_with_a_row_for_no_data(make: Callable[..., Path]) -> None:
    rows = rows_of(make("kpis", "csv", filters=Filters(last=date(2026, 11, 9))))
    assert list(rows[0])[:6] == ["metric_type", "metric_name", "value", "agent_id", "department_id", "category"]
    assert sorted([tuple(row.values()) for row in rows]) == [
        (
            "RESPONSE_TIME",
            "first_response_p50",
            "90.5",
            "ana",
            "",
            "performance",
            "seconds",
            "4",
            "agent",
            "ana",
            "2026-11-09",
        ),
        ("RESPONSE_TIME", "sla_overall_rate", "", "", "CAR", "sla", "share", "0", "department", "CAR", "2026-11-09"),
        ("VOLUME", "chats_created", "12", "", "", "operational", "chats", "12", "all", "all", "2026-11-09"),
    ]
    only = rows_of(make("kpis", "csv", filters=Filters(agents=["ana"], channels=["whatsapp"])))
    assert sorted(row["scope_id"] for row in only) == ["ana", "whatsapp"]


def test_csv_for_excel_tells_times_in_minutes_by_their_unit(make: Callable[..., Path]) -> None:
    rows = rows_of(make("kpis", "csv-excel", filters=Filters(last=date(2026, 11, 9))), ";")
    assert sorted((row["Métrica"], row["Valor"], row["Unidad"]) for row in rows) == [
        ("chats_created", "12", "conversaciones"),
        ("first_response_p50", "1,51", "minutos"),
        ("sla_overall_rate", "", "parte de 1"),
    ]
    by_sections = make("analysis", "csv-excel", analysis_id="a1b2", sections=True).read_bytes().decode().split("\r\n")
    assert by_sections[0] == "\ufeffSección;Métrica;Valor;Unidad"
    assert by_sections[-3:] == [
        "Tiempos de respuesta;Primera respuesta: mediana;1,5;minutos",
        "Motivo de contacto (clasificado por reglas);Motivo de contacto: Pagos;0,75;parte de 1",
        "",
    ]


def test_an_analysis_comes_in_both_forms_and_says_who_categorized(make: Callable[..., Path]) -> None:
    rows = [tuple(row.values()) for row in rows_of(make("analysis", "csv", analysis_id="a1b2"))]
    assert sorted(rows) == [
        (
            "CUSTOMER_INTENT",
            "intent_share",
            "0.75",
            "",
            "",
            "customer_analysis",
            "PAYMENT",
            "share",
            "4",
            "all",
            "clasificado por reglas",
        ),
        ("RESPONSE_TIME", "first_response_p50", "", "ana", "", "performance", "", "seconds", "0", "agent", ""),
        ("RESPONSE_TIME", "first_response_p50", "90.25", "", "", "performance", "", "seconds", "4", "all", ""),
    ]
    by_sections = make("analysis", "csv", analysis_id="a1b2", sections=True).read_bytes().decode().split("\r\n")
    assert by_sections[0] == "Section,Metric,Value,Unit"
    assert {"Notas y definiciones,status,COMPLETED,", "Notas y definiciones,sample_rate,0.1,"} < set(by_sections)
    assert by_sections[-3:] == [
        "Tiempos de respuesta,Primera respuesta: mediana,90.25,segundos",
        "Motivo de contacto (clasificado por reglas),Motivo de contacto: Pagos,0.75,parte de 1",
        "",
    ]


def test_a_run_shows_where_the_file_is_and_how_to_open_it(
    warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("B2CHAT_EXPORTS_DIR", str(tmp_path))
    config = {"ops": {"exports__kpis": {"config": {"format": "csv-excel", "agents": ["ana"]}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"warehouse": Warehouse(url=warehouse)}
        run = dg.materialize([TABLE_EXPORTS["kpis"]], resources=resources, run_config=config, instance=instance)
        metadata = run.asset_materializations_for_node("exports__kpis")[0].metadata
        failed = dg.materialize(
            [period_report], resources={"warehouse": Warehouse(url=warehouse)}, instance=instance, raise_on_error=False
        )
    file = Path(str(metadata["file"].value))
    assert file.stat().st_size == metadata["size_bytes"].value and metadata["rows"].value == 1
    assert run.run_id[:8] in str(metadata["key"].value)
    with psycopg.connect(warehouse) as conn:
        found = conn.execute(
            "select id, user_id, sha256 from ops.export_logs where run_id = %s", [run.run_id]
        ).fetchone()
    assert found == (str(metadata["open_with"].value).split()[-1], "dagster", metadata["sha256"].value)
    assert not failed.success  # there is no heatmap in this warehouse, so no week either


def test_the_command_line_writes_a_file_and_tells_where(
    warehouse: str, b2chat: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = b2chat("export", "kpis", "--agent", "ana", "--out", str(tmp_path), "--json", DATABASE_URL=warehouse)
    made = json.loads(done.stdout)
    assert (made["rows"], made["place"]) == (1, str(tmp_path / "b2chat-kpis-all-agent-ana.csv"))
    assert len(rows_of(Path(made["place"]))) == 1
    link = b2chat("exports", "link", made["id"], DATABASE_URL=warehouse)
    assert (link.returncode, link.stdout.strip()) == (0, made["place"])
    refused = b2chat("exports", "link", "../../etc/passwd", DATABASE_URL=warehouse)
    assert (refused.returncode, refused.stderr) == (1, "b2chat: no export has an id that begins so\n")
