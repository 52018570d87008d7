"""The PDF of reports, read back with another library: its text, its tags, its pages as pictures."""

import re
from dataclasses import replace
from functools import cache

import pypdfium2
import pytest

from dagster_project.exports.i18n.catalogue import texts
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.about import Filter
from dagster_project.exports.report.data.kpis import Kpi
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.pdf import MISSING, _glyphs, _set, first_page_png, render_pdf
from dagster_project.exports.report.period import NoReport, Period
from dagster_project.exports.report.phrases import classified_by, not_categorized
from dagster_project.exports.report.view.charts import round_ticks
from dagster_project.exports.report.view.model import view_model
from tests.support import reports

HOSTILE = [
    '=HYPERLINK("http://x.example","clic")',
    '#read("/etc/passwd")',
    "../../etc/passwd",
    "*bold* _it_ $x$ @ref <lbl>",
    "Ñandú Çelik Łukasz Žižek",
    "עדן כהן",
    "A" * 300,
    "nul\x00 and\ttab",
    "\u202egnp.exe",
    "Ana 😀 中文",
]


@cache
def pdf(kind: str, language: Language = "es") -> bytes:
    made = reports.made(kind, HOSTILE)
    return render_pdf(made, language=language, timestamp=reports.MADE_AT, company="Constructora Ñ")


@cache
def pages(kind: str, language: Language = "es") -> list[str]:
    return [
        page.get_textpage().get_text_range().replace("\u200b", "")
        for page in pypdfium2.PdfDocument(pdf(kind, language))
    ]


def words(kind: str, language: Language = "es") -> str:
    return re.sub(r"\s+", " ", " ".join(pages(kind, language)))


def test_a_report_shows_its_numbers_as_spanish_readers_write_them() -> None:
    text = words("full")
    for shown in (
        "1.234",
        "1 min 31 s",
        "2 h 5 min",
        "1 d 1 h",
        "60,0 %",
        "lun 9 nov 2026",
        "dom 15 nov 2026",
        "▲ 23,4 %",
        "▼ 50,0 % · mejor",
        "▲ 50,0 % · peor",
        "▲ 10,0 puntos · mejor",
        "Óscar Zuluaga",
        "Constructora Ñ",
        "lun 16 nov 2026, 07:30",
        "clasificado por reglas",
    ):
        assert shown in text, shown


def test_hostile_names_are_printed_and_never_run() -> None:
    text = words("hostile")
    for name in (
        '#read("/etc/passwd")',
        "../../etc/passwd",
        "*bold* _it_ $x$ @ref",
        "Ñandú Çelik Łukasz Žižek",
        "nul and tab",
        "gnp.exe",
        "A" * 18,
    ):
        assert name in text, name
    assert re.search(r'=HYPERLINK\("http:// ?x', text)
    assert "root:" not in text
    assert b"/URI" not in pdf("hostile") and b"/JavaScript" not in pdf("hostile")


def test_signs_without_a_glyph_are_boxes_that_the_data_notes_count() -> None:
    assert f"Ana {MISSING} {MISSING * 2}" in words("hostile")
    assert re.search(rf"mostrados como {MISSING} 3\b", words("hostile"))
    assert re.search(rf"mostrados como {MISSING} 0\b", words("full"))


def test_right_to_left_names_keep_all_their_letters() -> None:
    assert set("עדן כהן") <= set(words("hostile"))


def test_every_character_that_is_let_through_has_a_glyph() -> None:
    signs = "".join(chr(code) for code in sorted(_glyphs()) if code > 0x20 and not chr(code).isspace())
    printed = view_model(reports.full_week(), language="es", timestamp=reports.MADE_AT)
    printed["summary"]["findings"] = [" ".join(signs)]
    [made] = _set(printed, format="pdf", pdf_standards=["ua-1"], timestamp=reports.MADE_AT)  # refuses one that has none
    assert made


def test_the_file_says_that_it_is_accessible_and_archivable() -> None:
    made = pdf("full")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in made
    assert b"<pdfaid:part>2</pdfaid:part>" in made and b"<pdfaid:conformance>A</pdfaid:conformance>" in made
    assert b"/MarkInfo" in made and b"/Lang" in made
    document_read = pypdfium2.PdfDocument(made)
    assert document_read.is_tagged()
    assert (
        document_read.get_metadata_dict()["Title"] == "Informe semanal de atención · lun 9 nov 2026 – dom 15 nov 2026"
    )
    titles = [bookmark.get_title() for bookmark in document_read.get_toc() if bookmark.level == 0]
    assert titles[:3] == ["Resumen", "Qué hacer", "Mapa de calor de la semana"]
    assert titles[-1] == "Notas y definiciones"


def test_the_same_data_and_timestamp_make_the_same_bytes() -> None:
    again = render_pdf(
        reports.full_week("Lina Duque", "Óscar Zuluaga"), timestamp=reports.MADE_AT, company="Constructora Ñ"
    )
    assert again == pdf("full")


def test_rooms_show_the_wait_between_levels_and_two_robots_compared_and_nothing_where_there_are_none() -> None:
    text = words("rooms")
    for shown in (
        *("5 de 20", "Terminadas en el primer nivel 75,0 %", "▼ 10,0 % · mejor"),
        *("T1 → T2 → gerencia 1 0 1 h 40 min 21 %", "sin asignar T1 → T2", "Ana Rojas 7 90 41"),
        "Lo que más dura es lo que contiene asistente: 67 % (n = 3); lo que menos, lo de pagos: 33 % (n = 3).",
        "Quien menos espera tras el traspaso viene de pagos: nueve de cada diez, 2 min o menos; quien más, de "
        "asistente: 8 min.",
        *("asistente 10 70 % 1 2,0 s 5,6 s", "Meses por archivar, con retraso", "septiembre de 2024"),
    ):
        assert shown in text, shown
    assert not re.search("Escalamientos|Robots|por archivar", words("full"))


def test_calls_have_pages_of_outcomes_coverage_staffing_and_the_funnel_and_nothing_where_there_are_none() -> None:
    text = words("calls")
    for shown in (
        *(
            "Contestadas en 20 s 62,5 % n = 8; meta 80 % ▲ 12,5 puntos · mejor",
            "Espera hasta contestar, 9 de cada 10 32 s",
        ),
        *("Ventas 10 75 % 62 % 12 % 12 % 16 s 32 s 4 min 5 s", "Los 10 con más, de 12."),
        *("Llamadas sin nadie conectado 25,0 % 1 de 4", "lun 08:00 1 2 2 5 50 %", "Ventas 75 % 1,2 2 20 25 % 4 25 %"),
        "Ana Rojas: ocupación de 90 % en todo el período. Es una alerta, no un logro",
        *("Ventas lun 09:00 800 100,0 3 min 14 6,0 −8,0 89 %", "Ventas mar 09:00 19 – – – 2,5 – –"),
        "Canal desconocido (páginas vistas del sitio)",
        *("Llegaron hasta el final 4,2 % n = 1.000", "Contestada 45 75 % – –", "Visitas de robots (no cuentan) 7"),
    ):
        assert shown in text, shown
    assert "Constructora Lina Duque" in " ".join(pages("calls")), "a name stands on one line"
    for kind in ("full", "no_calls"):
        assert not re.search("Llamadas|Cobertura|Embudo|Personal", words(kind)), kind


def test_times_of_several_sources_are_not_called_no_data_but_said_not_to_be_added_up() -> None:
    text = words("several")
    assert "sus tiempos no se suman: 20 s al teléfono y 40 min en un chat son dos promesas" in text
    assert "Primera respuesta 100 – – – – – –" in text and "Primera respuesta 100 sin datos" not in text
    assert text.count("varios sistemas de origen: sin tiempos") == 2  # in the place of both lines of first responses


def test_an_empty_week_says_that_there_is_no_data_and_shows_no_zero_times() -> None:
    text = words("empty")
    assert "No hay conversaciones en este período" in text
    assert text.count("sin datos") > 60
    assert "el período anterior no tiene todos sus días" in text
    assert not re.search(r"\b0 s\b|0,0 %", text)


def test_a_hundred_agents_fill_pages_with_the_heading_on_each() -> None:
    tables = [page for page in pages("crowd") if "Agente número" in page]
    assert 2 <= len(tables) <= 4
    assert all("1.ª resp. p90" in page and "Calidad" in page for page in tables)
    assert all(f"Agente número {number}" in words("crowd") for number in range(100))


@pytest.mark.parametrize("kind", ["full", "empty", "calls"])
def test_each_language_is_free_of_the_other(kind: str) -> None:
    letters = re.compile(r"[^\W\d_]{4,}")
    spoken = {
        number: {word for words in texts().values() for word in letters.findall(words[number].lower())}
        for number in (0, 1)
    }
    for language, foreign in (("es", spoken[1] - spoken[0]), ("en", spoken[0] - spoken[1])):
        found = set(letters.findall(words(kind, language).lower()))  # type: ignore[arg-type]
        names = {
            "cartera",
            "óscar",
            "zuluaga",
            "lina",
            "duque",
            "constructora",
            "messages",  # of core.messages, a table
            "whatsapp",
            "trámites",
            "escrituración",
        }
        assert found & foreign - names == set()


def test_the_number_of_pages_is_what_people_read() -> None:
    assert (
        "Página 2 de " in pages("full")[1]
        and f"Página {len(pages('full'))} de {len(pages('full'))}" in pages("full")[-1]
    )
    assert len(pages("crowd")) <= 13


@pytest.mark.parametrize("kind", ["full", "empty", "small", "crowd", "hostile"])
def test_one_page_is_for_an_executive_and_the_rest_begins_on_the_next(kind: str) -> None:
    assert "Conversaciones entrantes" in pages(kind)[0] and "Lo esencial" in pages(kind)[0]
    assert pages(kind)[1].splitlines()[1].strip() in ("Qué hacer", "Mapa de calor de la semana")


@pytest.mark.parametrize("kind", ["full", "empty", "small", "crowd"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_no_page_but_the_last_is_half_empty(kind: str, language: Language) -> None:
    for number, page in enumerate(list(pypdfium2.PdfDocument(pdf(kind, language)))[:-1], start=1):
        picture = page.render(scale=0.5)
        rows = [
            bytes(picture.buffer)[top : top + picture.stride]
            for top in range(0, picture.stride * picture.height, picture.stride)
        ]
        inked = [row for row, line in enumerate(rows[: int(picture.height * 0.93)]) if min(line) < 200]
        assert max(inked) > 0.62 * picture.height, f"page {number}: ends at {max(inked) / picture.height:.0%}"


def test_the_headline_is_of_chats_that_customers_began_and_each_figure_has_its_n() -> None:
    first = re.sub(r"\s+", " ", pages("full")[0])
    assert "Las cifras son de las conversaciones entrantes" in first
    assert "2.500 salientes, que iniciaron los agentes (antes 2.400); 3 de origen desconocido" in first
    for shown in ("n = 900", "n = 990; en 5 min o menos", "n = 1.000; meta 95 %", "34 de 1.234"):
        assert shown in first.replace("\u00a0", " "), shown
    outgoing = replace(reports.full_week(), filter=Filter("direction", "outgoing", "outgoing"))
    tiles = view_model(outgoing, language="es", timestamp=reports.MADE_AT)["summary"]["tiles"]
    assert tiles[0]["label"] == "Conversaciones salientes"


def test_what_to_do_names_chats_that_can_be_looked_up() -> None:
    text = words("full")
    assert "1. Martes de 9:00 a 10:00" in text and "3. Domingo de 23:00 a 24:00" in text
    assert text.count("00003e70-d7ad-43ca-a1e7-b80113e3f56e") == 4  # three slots, and breached and open
    assert "21 conversaciones del período incumplieron un objetivo" in text and "sin respuesta" in text
    assert "Ninguna franja tiene 5 respuestas o más" in words("small")


def test_targets_that_nobody_set_are_called_so() -> None:
    assert "la empresa no ha definido los suyos" in words("full")
    ours = view_model(replace(reports.full_week(), has_default_targets=False), language="es", timestamp=reports.MADE_AT)
    assert ours["summary"]["note"] == "" and "definidos por la empresa" in str(ours["notes"]["coverage"])


def test_a_cell_has_the_shade_of_its_band_and_the_legend_names_the_bands() -> None:
    cells = view_model(reports.full_week(), language="en", timestamp=reports.MADE_AT)["heatmap"]["first_response"]
    assert [cells["rows"][0][hour]["shade"] for hour in (0, 1, 9, 17)] == [0, 1, 3, 5]
    assert cells["legend"] == [
        {"shade": 1, "label": "Fast"},
        {"shade": 3, "label": "Average"},
        {"shade": 5, "label": "Slow"},
    ]


def test_a_cell_of_few_chats_has_its_figure_and_no_shade() -> None:
    cells = view_model(reports.small_week(), language="es", timestamp=reports.MADE_AT)["heatmap"]["first_response"]
    assert {cell["shade"] for row in cells["rows"] for cell in row} == {0}
    assert cells["rows"][0][1]["text"] == "50s" and cells["legend"] == []


def test_a_period_that_is_not_whole_is_marked() -> None:
    full = reports.full_week()
    history = (replace(full.history[0], is_whole=False), *full.history[1:])
    weeks = view_model(replace(full, history=history), language="es", timestamp=reports.MADE_AT)["summary"]["charts"][0]
    assert len(weeks["labels"]) == 13
    assert [label for label in weeks["labels"] if label.endswith("*")] == ["17 ago *"]


def test_pages_are_not_blank_as_pictures() -> None:
    for page in pypdfium2.PdfDocument(pdf("full")):
        pixels = bytes(page.render(scale=0.3).buffer)
        assert len(set(pixels)) > 30
        assert sum(pixel < 250 for pixel in pixels) > len(pixels) / 100


def test_the_first_page_is_a_small_picture() -> None:
    picture = first_page_png(reports.full_week("Lina Duque"), timestamp=reports.MADE_AT)
    assert picture.startswith(b"\x89PNG") and 2_000 < len(picture) < 40_000
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (248, 351)


@pytest.mark.parametrize(
    ("unit", "better", "value", "previous", "change", "verdict"),
    [
        ("seconds", "lower", 90.0, 60.0, 0.5, "worse"),
        ("seconds", "lower", 60.0, 90.0, -1 / 3, "better"),
        ("share", "higher", 0.6, 0.5, 0.1, "better"),
        ("share", "higher", 0.5, 0.5, 0.0, "same"),
        ("chats", None, 11.0, 10.0, 0.1, None),
        ("chats", "lower", 5.0, 0.0, None, None),
        ("seconds", "lower", None, 60.0, None, None),
    ],
)
def test_a_change_is_against_the_period_before(unit, better, value, previous, change, verdict) -> None:  # type: ignore
    kpi = Kpi("x", unit, better, value, 1, previous)
    assert kpi.change == pytest.approx(change) and kpi.verdict == verdict
    assert replace(kpi, is_comparable=False).change is None


@pytest.mark.parametrize(
    ("seconds", "spanish"),
    [
        (None, "sin datos"),
        (0, "0 s"),
        (45, "45 s"),
        (59.6, "1 min"),
        (91, "1 min 31 s"),
        (2412, "40 min"),
        (7500, "2 h 5 min"),
        (86390, "1 d"),
        (134876, "1 d 13 h"),
    ],
)
def test_durations_are_told_as_people_do(seconds: float | None, spanish: str) -> None:
    assert Wording("es").duration(seconds).replace("\u00a0", " ") == spanish


@pytest.mark.parametrize(
    ("highest", "ticks"), [(0, [0, 1]), (3, [0, 1, 2, 3]), (12, [0, 5, 10, 15]), (334, [0, 100, 200, 300, 400])]
)
def test_axes_have_round_numbers(highest: float, ticks: list[int]) -> None:
    assert round_ticks(highest) == ticks


def test_a_week_begins_on_a_monday_and_a_month_on_its_first() -> None:
    month = Period.month(reports.MONDAY)
    assert (month.start.day, month.end.day, month.previous_start.month, month.previous_end.day) == (1, 30, 10, 31)
    with pytest.raises(NoReport, match="began on 2026-11-09"):
        Period.week(reports.MONDAY.replace(day=11))


def test_the_badge_names_all_who_categorized() -> None:
    full = reports.full_week()
    for counts, spanish in (
        ({}, "clasificado por reglas"),
        ({"by_rules_count": 0, "by_model_count": 40}, "clasificado por un modelo de lenguaje"),
        ({"by_people_count": 3}, "clasificado por reglas y personas"),
        ({"by_rules_count": 0, "by_stand_in_count": 40}, "clasificado por un simulador, de prueba"),
        ({"by_model_count": 2, "by_people_count": 3}, "clasificado por reglas, un modelo de lenguaje y personas"),
        ({"by_rules_count": 0, "categorized_count": 0}, "sin clasificar"),
    ):
        assert classified_by(replace(full, insights=replace(full.insights, **counts)), Wording("es")) == spanish


def test_a_report_says_how_many_chats_a_language_model_has_not_categorized() -> None:
    insights = replace(reports.full_week().insights, waiting_count=1030, unanswered_count=2)
    assert not_categorized(insights, Wording("es")) == (
        " Sin categoría: 1.030 esperan la respuesta del modelo de lenguaje, 2 se quedaron sin ella."
    )
    assert not_categorized(reports.full_week().insights, Wording("es")) == ""


def test_a_report_of_the_whole_account_says_when_a_table_grows_too_large() -> None:
    assert "core.messages 4.000.000 60.000 10.000.000 dom 21 feb 2027" in words("full")
    assert "Cómo crece la base de datos" not in words("empty"), "nothing is projected"


def test_a_report_names_its_filter() -> None:
    data: ReportData = replace(reports.full_week(), filter=Filter("channel", "whatsapp", "whatsapp"))
    cover = view_model(data, language="en", timestamp=reports.MADE_AT)["cover"]
    assert cover["facts"][0] == ["Filters", "Channel: WhatsApp"]


def test_what_a_direction_has_no_numbers_of_is_left_out_and_the_notes_say_so() -> None:
    full = reports.full_week()
    summary = (*full.summary[:-1], replace(full.summary[-1], value=None, count=0))
    data = replace(
        full,
        filter=Filter("direction", "incoming", "incoming"),
        departments=(),
        channels=(),
        traffic=(),
        backlog=(),
        summary=summary,
    )
    made = pypdfium2.PdfDocument(render_pdf(data, timestamp=reports.MADE_AT))
    titles = [bookmark.get_title() for bookmark in made.get_toc() if bookmark.level == 0]
    assert titles == [
        "Resumen",
        "Qué hacer",
        "Mapa de calor de la semana",
        "Tiempos de respuesta",
        "Nivel de servicio (SLA)",
        "Motivos de contacto",
        "Calidad y pendientes",
        "Notas y definiciones",
    ]
    told = " ".join(page.get_textpage().get_text_range() for page in made)
    assert (
        "no se llevan por dirección" in told.replace("\r\n", " ") and "Conversaciones abiertas a medianoche" not in told
    )
