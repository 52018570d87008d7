"""The dashboard as people meet it: in a browser, from a built warehouse, with names that mean harm.

The account's zone is America/Bogota: UTC−5 all year. The week is that of Monday 2025-09-29.
"""

import importlib.util
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from dagster_project.dashboard import site
from dagster_project.dashboard.errors import DashboardFailed
from dagster_project.dashboard.pages.catalogue import PAGES
from dagster_project.dashboard.reader import Reader, reader
from dagster_project.dashboard.server import Dashboard
from dagster_project.settings import Settings
from tests.support.browser import Browser, browser, program
from tests.support.listed import ListedSource, chat, message, serving
from tests.support.waiting import wait_until
from tests.support.world import World

pytestmark = pytest.mark.skipif(program() is None, reason="Chromium is not here")
WEEK = date(2025, 9, 29)
HARMFUL = "<script>document.title='owned'</script>"
RIGHT_TO_LEFT = "\u202eحسن 🙂 " + "muy largo " * 12
AGENTS = [
    {"email": "a@example.test", "name": HARMFUL, "username": "a'b\"&who=agent:bea"},
    {"email": "b@example.test", "name": RIGHT_TO_LEFT, "username": "bea"},
]
AXE = importlib.util.find_spec("axe_core_python")


def _answered(key: str, at: str, minutes: int, agent: dict[str, str], **fields: Any) -> dict[str, Any]:
    """A chat that a customer began, answered after so many minutes."""
    began = datetime.fromisoformat(at)
    answered, closed = began + timedelta(minutes=minutes), began + timedelta(hours=9)
    return chat(
        key,
        created_at=at,
        opened_at=at,
        agent=agent,
        picked_up_at=str(answered),
        responded_at=str(answered),
        closed_at=str(closed),
        provider="WHATSAPP",
        department={"name": "<b>Ventas</b>", "code": "VEN"},
        messages=[message(at), message(str(answered), incoming=False)],
        **fields,
    )


# Monday at 9: six chats of two agents. Tuesday at 10: five, all slower. Sunday at 23: one alone, a small sample.
CHATS = [
    *(
        _answered(f"mon-{n}", f"2025-09-29 09:{n:02}:00", wait, AGENTS[n % 2])
        for n, wait in enumerate((2, 3, 4, 4, 5, 6))
    ),
    *(_answered(f"tue-{n}", f"2025-09-30 10:{n:02}:00", 60, AGENTS[0]) for n in range(5)),
    _answered("sun", "2025-10-05 23:30:00", 1, AGENTS[1]),
    # A week later: on Thursday at 11 the median is 1 minute and, of one long wait, the mean 100; on Friday both are 60.
    *(
        _answered(f"{day}-{n}", f"2025-10-{day} {hour}:{n:02}:00", wait, AGENTS[0])
        for day, hour, waits in (("09", 11, (1, 1, 1, 1, 496)), ("10", 12, (60,) * 5))
        for n, wait in enumerate(waits)
    ),
    *(_answered(f"next-{n}", f"2025-10-08 15:{n:02}:00", 3, AGENTS[n % 2]) for n in range(2)),
]


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(ListedSource(list(CHATS), [])) as sandbox:
        made = World(new_database(), sandbox)
        made.sync()
        built = made.dbt(
            *("build", "--select", "+exposure:dashboard"),
            *("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"),
        )
        assert built.returncode == 0, built.stdout[-4000:]
        yield made


@pytest.fixture(scope="module")
def marts(world: World, new_folder: Callable[[], str]) -> Iterator[Reader]:
    with reader(Settings.load(data_dir=new_folder()), world.url) as made:
        yield made


@dataclass
class Served:
    """A served dashboard and a browser on it."""

    url: str
    browser: Browser

    def open(self, path: str) -> None:
        self.browser.open(f"{self.url}{path}")

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.browser.tell(
            f"[...document.querySelectorAll({json.dumps(selector)})].map(one => one.textContent.trim())"
        )
        return found


@pytest.fixture(scope="module")
def served(marts: Reader, unused_port: int) -> Iterator[Served]:
    app = Dashboard(marts, timezone="America/Bogota", company=HARMFUL, language="es").app()
    with _running(app, unused_port), browser() as tab:
        yield Served(f"http://127.0.0.1:{unused_port}", tab)


@contextmanager
def _running(app: Any, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield
    server.should_exit = True
    thread.join(10)


def test_every_cell_of_the_written_heatmap_is_the_marts(
    world: World, marts: Reader, served: Served, tmp_path: Path
) -> None:
    made = site.build(marts, tmp_path, languages=("es", "en"), weeks=2, timezone="America/Bogota", company=None)
    assert made.weeks == (date(2025, 10, 6), WEEK)
    assert made.file_count == 2 * 2 * len(PAGES) + 1
    cells = world.ask(
        """
        select mean_first_response_seconds as mean, has_enough_chats as enough from marts.weekly_response_time_heatmap
        where week_start = %s and scope = 'all' and direction_filter = 'incoming' and office_hours_filter = 'all'
        order by (day_of_week + 6) %% 7, hour
        """,
        WEEK,
    )
    for language in ("es", "en"):
        served.browser.open((tmp_path / language / str(WEEK) / "heatmap.html").as_uri())
        shown = served.texts(".heat td")
        assert len(shown) == len(cells) == 168
        assert [_seconds(text) for text in shown] == [cell["mean"] for cell in cells]
        assert len(served.texts(".heat td.few")) == sum(
            cell["mean"] is not None and not cell["enough"] for cell in cells
        )
    # The week that is no longer kept goes, and nothing of somebody else's.
    (tmp_path / "es" / str(WEEK) / "note.txt").write_text("mine")
    shutil.rmtree(tmp_path / "en" / str(WEEK))  # as somebody may have done already
    site.build(marts, tmp_path, languages=("es",), weeks=1, timezone="America/Bogota", company=None)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and "2025-10-06" not in str(path)) == [
        "index.html",
        "note.txt",
        "site.json",
    ]


def test_a_filter_changes_what_it_should_and_a_cells_chats_are_those_that_it_counts(
    world: World, served: Served
) -> None:
    served.open(f"/es/heatmap?week={WEEK}&measure=chats")
    shown = {place: text for place, text in enumerate(served.texts(".heat td")) if text != "–"}
    assert shown == {9: "6", 24 + 10: "5", 6 * 24 + 23: "1"}
    served.open(f"/es/heatmap?week={WEEK}&measure=chats&hours=non_office_hours")
    assert [text for text in served.texts(".heat td") if text != "–"] == ["1"]
    served.open(f"/es/heatmap?week={WEEK}&measure=chats&direction=outgoing")
    assert set(served.texts(".heat td")) == {"–"}
    served.open(f"/es/heatmap?week={WEEK}&measure=chats")
    # All chats come from one source.
    served.open(f"/es/heatmap?week={WEEK}&measure=chats&who=source:b2chat")
    assert {place: text for place, text in enumerate(served.texts(".heat td")) if text != "–"} == shown
    served.browser.tell("document.querySelector('select[name=who]').value = 'agent:bea'")
    served.browser.follow("document.querySelector('form.filters button').click()")
    assert [text for text in served.texts(".heat td") if text != "–"] == ["3", "1"]
    # By keyboard: the cell is a link, and Enter opens it.
    served.browser.tell("document.querySelector('.heat td a').focus()")
    served.browser._loaded = False
    served.browser.press("Enter", 13)
    served.browser.wait()
    assert served.texts(".card .value")[0] == "3"
    chats = served.texts("section:last-of-type tbody th")
    assert chats == ["mon-5", "mon-3", "mon-1"]  # the longest wait first
    assert "agent=bea" not in served.browser.tell("location.href") and "who=agent%3Abea" in served.browser.tell(
        "location.href"
    )


def test_the_tone_of_a_cell_is_of_the_figure_that_it_shows(served: Served) -> None:
    def cells(measure: str) -> list[tuple[str, int]]:
        """What Thursday at 11 and Friday at 12 show, and how dark they are."""
        served.open(f"/en/heatmap?week=2025-10-06&measure={measure}")
        kinds = served.browser.tell("[...document.querySelectorAll('.heat td')].map(one => one.className)")
        shown = served.texts(".heat td")
        return [(shown[place], int(kinds[place][1])) for place in (3 * 24 + 11, 4 * 24 + 12)]

    (mean, long), (other_mean, short) = cells("mean")
    assert (mean, other_mean) == ("2h", "60m") and long > short
    legend = [text for text in served.texts(".legend li") if "Slow" in text]
    assert legend == ["Slow (1\u00a0h 40\u00a0min)"]  # which mean is slow in this week
    (median, short), (other_median, long) = cells("p50")
    assert (median, other_median) == ("60s", "60m") and long > short
    assert "Slow" not in str(served.texts(".legend li"))


def test_weeks_follow_each_other_and_end_where_the_data_does(served: Served) -> None:
    served.open(f"/en/sla?week={WEEK}")
    served.browser.follow("document.querySelector('a[rel=next]').click()")
    assert "week=2025-10-06" in served.browser.tell("location.href")
    served.browser.follow("document.querySelector('a[rel=prev]').click()")
    assert f"week={WEEK}" in served.browser.tell("location.href")
    assert served.browser.tell("document.querySelector('a[rel=prev]')") is None


def test_the_first_key_leads_to_the_content(served: Served) -> None:
    served.open("/es/overview")
    served.browser.press("Tab", 9)
    assert served.browser.tell("document.activeElement.textContent") == "Ir al contenido"
    served.browser.press("Enter", 13)
    assert served.browser.tell("location.hash") == "#content"


def test_harmful_names_are_text_and_pages_ask_for_nothing_else(served: Served) -> None:
    served.browser.asked.clear()
    for name in PAGES:
        served.open(f"/es/{name}?week={WEEK}")
        assert served.browser.tell("document.scripts.length") == 0
        assert HARMFUL[:18] in served.browser.tell("document.querySelector('.company').textContent")
    assert served.browser.tell("document.title").startswith("Operación · <script>")
    served.open(f"/es/agents?week={WEEK}")
    names = [text.replace("\u200b", "") for text in served.texts("tbody th")]
    assert HARMFUL in names and "<b>Ventas</b>" in names
    assert any(name.startswith("\u202eحسن 🙂 muy largo") and name.endswith("…") for name in names)
    served.browser.follow("document.querySelector('tbody th a').click()")  # an id that looks like a filter
    assert served.browser.tell("document.querySelector('select[name=who]').value") == "agent:" + AGENTS[0]["username"]
    asked = [address for address in served.browser.asked if not address.startswith("data:")]  # Chromium's date field
    assert len(asked) > len(PAGES) and all(address.startswith(f"{served.url}/") for address in asked)
    assert served.browser.complaints == []


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_pages_can_be_read_by_everybody(served: Served, width: int, dark: bool) -> None:
    assert AXE and AXE.origin
    axe = (Path(AXE.origin).parent / "axe.min.js").read_text()
    served.browser.look(width, dark=dark)
    for path in (*PAGES, f"heatmap/cell?week={WEEK}&day=1&hour=9", "traffic?week=2025-09-29&who=agent:bea"):
        served.open(f"/en/{path}")
        served.browser.tell(axe)
        faults = served.browser.tell(
            "axe.run().then(all => all.violations.map(one => [one.id, one.nodes.map(node => node.html)]))"
        )
        assert faults == [], path
        assert served.browser.tell("document.documentElement.scrollWidth <= innerWidth"), path
    served.browser.look(1440)


def test_pages_of_the_menu_are_made_before_somebody_asks(marts: Reader) -> None:
    made: list[str] = []

    class Watched(Reader):
        def read(self, make: Callable[..., Any]) -> Any:
            made.append(threading.current_thread().name)
            return super().read(make)

    [full_week] = marts.read(lambda conn: conn.execute("select last_full_week_start from marts.data_span").fetchone())
    pages = Dashboard(Watched(marts.pool), timezone="America/Bogota", company=None, language="es")
    with TestClient(cast(Any, pages.app()), base_url="http://127.0.0.1") as client, pages.kept_warm():
        wait_until(lambda: sum(name.startswith("make anew") for name in made) == len(PAGES))
        for name in PAGES:
            assert client.get(f"/es/{name}").status_code == 200
            assert client.get(f"/es/{name}?week={full_week}&who=all").status_code == 200  # the same by another address
        assert not [name for name in made if name.startswith("make_")]
        assert client.get("/es/sla?who=source:b2chat").status_code == 200
        assert len([name for name in made if name.startswith("make_")]) == 1


def test_what_is_not_there_is_said_in_words(served: Served) -> None:
    for path, status in {
        "/es/nothing": 404,
        "/fr/sla": 404,
        "/es/sla?week=yesterday": 404,
        "/es/sla?who=agent:nobody": 404,
        "/es/heatmap/cell?day=7&hour=1": 404,
        f"/es/sla?who={'x' * 600}": 404,
        "/es/sla?week=1999-01-01": 200,  # the first week that there is
    }.items():
        answer = httpx.get(f"{served.url}{path}")
        assert (answer.status_code, "<script>" in answer.text) == (status, False), path
    assert "/es/overview" in httpx.get(f"{served.url}/").headers["location"]


def test_a_warehouse_without_marts_or_chats_has_pages_too(
    new_database: Callable[[], str], new_folder: Callable[[], str], unused_port: int
) -> None:
    with (
        reader(Settings.load(data_dir=new_folder()), new_database()) as empty,
        _running(Dashboard(empty, timezone="America/Bogota", company=None, language="en").app(), unused_port + 1),
    ):
        answer = httpx.get(f"http://127.0.0.1:{unused_port + 1}/en/overview")
    assert (answer.status_code, "b2chat refresh" in answer.text) == (503, True)


def test_the_dashboard_reads_as_bi_reader_and_can_write_nothing(marts: Reader) -> None:
    assert marts.read(lambda conn: conn.execute("select current_user").fetchone()) == ("bi_reader",)
    with pytest.raises(DashboardFailed, match="ReadOnlySqlTransaction"):
        marts.read(lambda conn: conn.execute("create temporary table t (n int)"))


def _seconds(text: str) -> float | None:
    """What a cell of the heatmap says, in seconds; the waits here are whole minutes, or half ones."""
    if text == "–":
        return None
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]
