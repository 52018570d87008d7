"""The workbook of a report and its form by sections, read back with openpyxl and csv."""

import csv
import io
import warnings
from dataclasses import replace
from datetime import datetime, time
from functools import cache
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import to_excel

from dagster_project.exports.formats import csv_sections, excel_file
from dagster_project.exports.i18n.wording import Language
from dagster_project.exports.report import sections
from dagster_project.exports.report.book import workbook as report_workbook
from dagster_project.exports.report.data.about import Filter
from tests.support import reports

HOSTILE = [
    '=HYPERLINK("http://x.example","clic")',
    "@SUM(1)",
    "+57 300",
    "Ñandú 😀 中文",
    "עדן כהן",
    "A" * 300,
    "nul\x00\ttab",
    "http://x.example",
    "😀" * 40_000,
    "../../etc/passwd",
]
SHEETS = [
    "Resumen",
    "Léame",
    "Qué hacer",
    "Mapa de calor",
    "Tiempos",
    "Por día",
    "Historia",
    "SLA",
    "Agentes",
    "Departamentos",
    "Canales",
    "Motivos de contacto",
    "Clientes",
    "Tráfico",
    "Abiertas",
    "Calidad de datos",
]


@cache
def written(kind: str, language: Language = "es") -> bytes:
    out = io.BytesIO()
    report_workbook.write(out, reports.made(kind, HOSTILE), language, reports.MADE_AT)
    return out.getvalue()


@cache
def book(kind: str, language: Language = "es") -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl says that it drops data bars of newer kinds
        return openpyxl.load_workbook(io.BytesIO(written(kind, language)))


def rows(sheet: str, kind: str = "full", language: Language = "es") -> list[list[Any]]:
    return [[plain(value) for value in row] for row in book(kind, language)[sheet].iter_rows(values_only=True)]


def plain(value: Any) -> Any:
    """A duration as Excel keeps it, in days; openpyxl makes a time of day of it."""
    if isinstance(value, time) or (isinstance(value, datetime) and value.year < 1910):
        return to_excel(value)
    return value


def test_rooms_are_two_more_sheets_and_sections() -> None:
    assert set(book("rooms").sheetnames) - set(SHEETS) == {"Escalamientos", "Robots"}
    heads, everything, level, _ = rows("Escalamientos", "rooms")
    of = dict(zip(heads, everything, strict=True))
    assert (of["Cuál"], of["Creados"], of["Escaladas"]) == ("Todos", 5, 0.25)
    assert of["Espera entre niveles, mediana (h:mm)"] == pytest.approx(630 / 86400)
    assert level[:3] == ["Nivel", "T2", 4]
    assert [row[0] for row in rows("Robots", "rooms")[1:]] == ["asistente", "pagos"]
    told = list(sections.of_report(reports.made("rooms"), "es"))
    assert ("Robot: pagos", "Espera tras el traspaso, 9 de cada 10", 120.0, "segundos") in told
    assert ("Escalamientos", "Nivel gerencia: Espera entre niveles, mediana", 600.0, "segundos") in told


def test_calls_are_six_more_sheets_and_sections() -> None:
    of_calls = {"Llamadas", "Cobertura", "Cobertura por grupo", "Personal necesario", "Agentes de llamadas"}
    assert set(book("calls").sheetnames) - set(SHEETS) == of_calls | {"Embudo de visitas"}
    heads, everything, pool, *_ = rows("Llamadas", "calls")
    of = dict(zip(heads, everything, strict=True))
    assert (of["Cuál"], of["Llamadas"], of["Parte contestada a tiempo"], of["Contestación, p90 (s)"]) == (
        "Todos",
        10,
        0.625,
        32.5,
    )
    assert pool[:3] == ["Grupo", "Ventas", 10]
    assert rows("Cobertura", "calls")[1][:10] == ["lunes", *[0] * 8, 0.5]
    assert rows("Personal necesario", "calls")[2][:5] == ["Ventas", "martes", 9, 8, 19]
    told = list(sections.of_report(reports.made("calls"), "es"))
    assert ("Llamadas", "Grupo Ventas: Contestadas en 20 s", 0.625, "parte de 1") in told
    assert ("Embudo de visitas", "Completada", 42, "visitas") in told
    assert set(book("no_calls").sheetnames) == set(SHEETS)


def test_a_sheet_a_topic_each_with_a_header_that_stays_and_filters() -> None:
    assert book("full").sheetnames == SHEETS
    for sheet in book("full"):
        assert sheet.freeze_panes in ("B2", "A2"), sheet.title
        if sheet.title not in ("Léame", "Mapa de calor", "Tráfico"):  # those are no lists
            assert sheet.auto_filter.ref == sheet.dimensions, sheet.title
        assert sheet["A1"].font.bold and sheet["A1"].fill.start_color.rgb == "FF1F4E5F"


def test_it_opens_on_the_summary() -> None:
    assert book("full").active.title == "Resumen" and book("full", "en").active.title == "Summary"


def test_made_up_data_is_called_so_where_it_opens() -> None:
    out = io.BytesIO()
    report_workbook.write(out, replace(reports.full_week(), is_demo=True), "es", reports.MADE_AT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet = openpyxl.load_workbook(out).active
    assert sheet.title == "Resumen (demo)" and sheet["A2"].value == "Datos de demostración"
    assert sheet["C2"].value == "inventados por el sandbox, no son reales"


def test_numbers_are_numbers_in_the_unit_that_the_header_names() -> None:
    summary = {row[0]: row[1:] for row in rows("Resumen")}
    assert summary["Indicador"] == ["Valor", "Unidad", "Basado en (n)", "Población", "Antes", "Cambio", "Lectura"]
    assert summary["Conversaciones entrantes"] == [1234, "conversaciones", 1234, "entrantes", 1000, 0.234, None]
    assert summary["Abiertas (todas), último corte"][3] == "todas"
    assert summary["Tiempo de asignación, 9 de cada 10"] == [days(45), "h:mm", 900, "entrantes", days(30), 0.5, "peor"]
    assert summary["Siguiente respuesta, mediana"][4:6] == [None, None]
    share = summary["SLA cumplido"]
    assert (share[0], round(share[5], 6), share[6]) == (0.6, 10, "mejor")  # ten points
    change = next(row[6] for row in book("full")["Resumen"].iter_rows() if row[0].value == "SLA cumplido")
    assert change.number_format == '+0.0" pt";-0.0" pt";0.0" pt"'
    agents = rows("Agentes")
    assert [head for head in agents[0] if "mediana" in head] == [
        "1.ª respuesta, mediana (h:mm)",
        "Siguiente respuesta, mediana (h:mm)",
        "Resolución, mediana (h:mm)",
    ]
    assert agents[1][:7] == ["Lina Duque", 1234, 40, 90, 45, days(91), days(7500)]
    assert agents[1][-2:] == ["clasificado por reglas", "agent0"]


def days(seconds: float) -> Any:
    """A duration as Excel keeps it: in days."""
    return pytest.approx(seconds / 86400)


def test_durations_are_shown_as_hours_and_minutes_and_short_ones_in_seconds() -> None:
    value = next(row[1] for row in book("full")["Resumen"].iter_rows() if row[0].value == "Resolución, mediana")
    assert plain(value.value) == days(90000) and value.number_format == '[<0.000694]s" s";[h]:mm'


def test_the_heatmap_has_168_cells_from_monday_on_in_colours() -> None:
    sheet = book("full")["Mapa de calor"]
    grid = rows("Mapa de calor")
    assert [row[0] for row in grid[1:8]] == ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"]
    assert grid[0][1:] == [f"{hour:02}" for hour in range(24)]
    medians = [None, *(days(hour * 50) for hour in range(1, 24))]  # none where no chat was
    assert all(row[1:] == medians for row in grid[1:8])
    scales = {str(area.sqref): area.rules[0].type for area in sheet.conditional_formatting}
    assert scales == {"B2:Y8": "colorScale", "B12:Y18": "colorScale", "B22:Y28": "colorScale"}


def test_slots_of_few_chats_are_not_compared_but_shown() -> None:
    grid = rows("Mapa de calor", "small")
    assert grid[0][0] == "Primera respuesta, mediana (h:mm), franjas con 5 o más"
    assert not any(value for row in grid[1:8] for value in row[1:])
    assert grid[11][2] == days(50)


def test_the_chats_to_look_up_are_listed_with_their_ids() -> None:
    listed = rows("Qué hacer")
    assert listed[0][3:] == ["Conversación (id)", "Agente", "Departamento", "Creada", "Esperó"]
    assert len(listed) == 1 + 3 * 4 + 4
    assert listed[1][0] == "1. martes de 9:00 a 10:00" and listed[1][3].endswith("-b80113e3f56e")
    assert listed[-1][0] == "Incumplidas y todavía abiertas" and listed[-1][-1] is None


def test_leame_tells_filters_freshness_definitions_and_who_categorized() -> None:
    about = {row[0]: row[1] for row in rows("Léame")}
    assert about["Período"] == "lun 9 nov 2026 – dom 15 nov 2026"
    assert about["Filtros"] == "Todas las conversaciones"
    assert about["Datos hasta"] == "lun 16 nov 2026, 07:30"
    assert about["Población"].startswith("Las cifras son de las conversaciones entrantes")
    assert about["Categorías"].startswith("Clasificado por reglas: 40 de 1.234 conversaciones")
    assert about["Celdas recortadas"].startswith("0 ")
    assert about["Primera respuesta"] and about["Agentes"] == "Un agente por fila"
    assert all(row[-1] == "clasificado por reglas" for row in rows("Clientes")[1:])


def test_hostile_names_stay_text_and_what_no_cell_can_hold_is_cut_and_counted() -> None:
    for sheet in book("hostile"):
        assert all(cell.data_type != "f" and cell.hyperlink is None for row in sheet.iter_rows() for cell in row)
    names = [row[0] for row in rows("Agentes", "hostile")[1:]]
    kept = [name for name in HOSTILE if len(name) < 1000 and "\x00" not in name]
    assert [name for name in names if name in kept] == kept
    longest = max(names, key=len)
    assert longest == "😀" * 16_383 + "…"
    assert {row[0]: row[1] for row in rows("Léame", "hostile")}["Celdas recortadas"].startswith("1 ")


def test_an_empty_week_has_every_sheet_and_neither_a_zero_time_nor_an_invented_one() -> None:
    assert book("empty").sheetnames == [name for name in SHEETS if name != "Motivos de contacto"]
    assert [row[1] for row in rows("Resumen", "empty")[1:]] == [None] * 17
    assert all(row[3:10] == [None] * 7 for row in rows("Tiempos", "empty")[1:])
    assert {row[0]: row[1] for row in rows("Léame", "empty")}["Categorías"].startswith("Sin clasificar")
    assert not any(value for row in rows("Mapa de calor", "empty")[1:8] for value in row[1:])


def test_a_filter_leaves_out_the_sheets_that_it_empties_and_says_so() -> None:
    data = replace(reports.full_week(), filter=Filter("direction", "incoming", "incoming"), backlog=())
    out = io.BytesIO()
    report_workbook.write(out, data, "es", reports.MADE_AT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = openpyxl.load_workbook(out)
    left_out = {"Agentes", "Departamentos", "Canales", "Abiertas"}
    assert made.sheetnames == [name for name in SHEETS if name not in left_out]
    about = [row[1] for row in made["Léame"].iter_rows(values_only=True)]
    assert any(text and text.startswith("El filtro es una dirección") for text in about)


def test_a_hundred_agents_are_a_hundred_rows() -> None:
    assert len(rows("Agentes", "crowd")) == 101
    assert book("crowd")["Agentes"].auto_filter.ref == "A1:U101"


def test_english_is_english_throughout() -> None:
    assert book("full", "en").sheetnames[:4] == ["Summary", "Read me", "What to do", "Heatmap"]
    texts = " ".join(
        str(value)
        for sheet in book("full", "en").sheetnames
        for row in rows(sheet, "full", "en")
        for value in row
        if isinstance(value, str)
    )
    assert "classified by rules" in texts
    for word in ("reglas", "Conversaciones", "mediana", "semana", "Agente", "lunes", "sin datos"):
        assert word not in texts, word


def test_the_same_report_and_time_make_the_same_bytes() -> None:
    out = io.BytesIO()
    report_workbook.write(out, reports.full_week("Lina Duque", "Óscar Zuluaga"), "es", reports.MADE_AT)
    assert out.getvalue() == written("full")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b[c]:d*e?f\\g", "a b c  d e f g"),
        ("'quoted'", "quoted"),
        ("x" * 40, "x" * 31),
        ("", "1"),
        ("[]", "1"),
    ],
)
def test_any_name_makes_a_sheet_that_excel_takes(name: str, safe: str) -> None:
    made = excel_file.Book(io.BytesIO(), title="x", zone="UTC", made_at=reports.MADE_AT)
    assert made.sheet(name).get_name() == safe
    assert len({made.sheet(name).get_name().lower() for _ in range(11)} | {safe.lower()}) == 12
    made.close()


def test_by_sections_a_report_is_four_columns_in_either_profile() -> None:
    data = replace(reports.full_week("=1+1"), channels=())
    machine, excel = io.BytesIO(), io.BytesIO()
    count = csv_sections.write(machine, sections.of_report(data, "es"), excel=None).rows
    csv_sections.write(excel, sections.of_report(data, "es"), excel="es")
    read = list(csv.reader(io.StringIO(machine.getvalue().decode(), newline="")))
    assert read[0] == ["Section", "Metric", "Value", "Unit"] and len(read) == count + 1
    assert {len(row) for row in read} == {4}
    assert ["Notas y definiciones", "Datos hasta", "2026-11-16T07:30:00-05:00", ""] in read
    assert ["Resumen", "SLA cumplido", "0.6", "parte de 1"] in read
    assert ["Agente: =1+1", "Primera respuesta, mediana", "91", "segundos"] in read
    assert ["Motivo de contacto (clasificado por reglas)", "Pagos", "0.75", "parte de 1"] in read
    assert ["Resumen", "Siguiente respuesta, mediana", "45", "segundos"] in read
    text = excel.getvalue().decode("utf-8-sig")
    assert excel.getvalue().startswith(b"\xef\xbb\xbf") and "Resumen;SLA cumplido;0,6;parte de 1\r\n" in text
    assert text.startswith("Sección;Métrica;Valor;Unidad\r\n")
    assert "Agente: =1+1;Primera respuesta, mediana;1,52;minutos\r\n" in text
