"""The demo is on its own, and what it made up is never taken for a firm's numbers."""

import csv
import json
import os
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import psycopg
import pypdfium2
import pytest
from typer.testing import CliRunner

from dagster_project.cli import main as cli
from dagster_project.cli.command_line import console
from dagster_project.cli.sources_side_by_side import print_sources
from dagster_project.database_audit import audit, snapshots
from dagster_project.exports import export_log
from dagster_project.exports.formats.registry import formats_of
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.pictures.heatmap import last_full_week
from dagster_project.exports.requests import ExportRequest
from dagster_project.exports.run import run_export
from dagster_project.settings import Settings
from dagster_project.sources.rooms.ledger import Ledger
from dagster_project.sources.rooms.sandbox.fill import history
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.people import ROBOTS
from dagster_project.warehouse import connection, embedded
from tests.support import rooms_oracle

Run = Callable[..., subprocess.CompletedProcess[str]]
SMALL = {
    "B2CHAT_SANDBOX_DAYS": "15",
    "B2CHAT_SANDBOX_CHATS_PER_DAY": "20",
    "B2CHAT_SANDBOX_ROOMS_PER_DAY": "8",
    "B2CHAT_SANDBOX_SEED": "7",
}


@dataclass
class Listener:
    """A port of this machine that counts who comes."""

    port: int
    visits: list[object] = field(default_factory=list)


@pytest.fixture(scope="module")
def real() -> Iterator[Listener]:
    """Where the firm's Postgres, B2Chat and Claude are."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server.getsockname()[1])

        def count() -> None:
            while True:
                try:
                    visitor, address = server.accept()
                except OSError:
                    return
                listener.visits.append(address)
                visitor.close()

        threading.Thread(target=count, daemon=True).start()
        yield listener


@dataclass(frozen=True)
class Demo:
    """A demo that was run where the settings name something real."""

    done: subprocess.CompletedProcess[str]
    folder: str
    url: str


@pytest.fixture(scope="module")
def demo(b2chat: Run, real: Listener, new_folder: Callable[[], str]) -> Iterator[Demo]:
    folder = new_folder()
    left_open(Path(folder) / "demo")
    settings = Path(folder) / "settings"
    settings.write_text(
        f"DATABASE_URL=postgresql://ana:canary@127.0.0.1:{real.port}/firm\n"
        f"B2CHAT_API_URL=http://127.0.0.1:{real.port}\n"
        "B2CHAT_CLIENT_ID=firm\n"
        "B2CHAT_CLIENT_SECRET=canary\n"
        f"B2CHAT_AUDIT_FOLDER={folder}\n"
    )
    key = {
        "PGHOSTADDR": "127.0.0.2",
        "PGSERVICE": "firm",
        "ANTHROPIC_API_KEY": "canary",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{real.port}",
    }
    done = b2chat("demo", "--json", B2CHAT_DATA_DIR=folder, B2CHAT_ENV_FILE=str(settings), **SMALL, **key)
    with embedded.running(Path(folder) / "demo" / "pg") as url:
        yield Demo(done, f"{folder}/demo", url)


def test_the_demo_touches_nothing_that_the_settings_name_and_says_so(demo: Demo, real: Listener) -> None:
    assert demo.done.returncode == 0, demo.done.stderr + demo.done.stdout
    answer = json.loads(demo.done.stdout)
    assert answer["status"] == "success"
    assert answer["tables"]["raw.b2chat_chats"] > 100
    assert answer["data_source"] == "sandbox"
    assert real.visits == []
    for variable in ("DATABASE_URL", "B2CHAT_CLIENT_SECRET", "ANTHROPIC_API_KEY", "B2CHAT_AUDIT_FOLDER"):
        assert variable in demo.done.stderr
    assert "canary" not in demo.done.stderr + demo.done.stdout


@pytest.fixture(scope="module")
def ledger(demo: Demo) -> Ledger:
    """The books of the demo's rooms: what the sandbox made, without a database."""
    state = json.loads((Path(demo.folder) / "sandbox.json").read_text())
    per_day, seed = int(SMALL["B2CHAT_SANDBOX_ROOMS_PER_DAY"]), int(SMALL["B2CHAT_SANDBOX_SEED"])
    firm = Firm(date.fromisoformat(state["first_day"]), days=20, rooms_per_day=per_day, seed=seed)
    return history(firm, datetime.fromisoformat(state["clock"]))


def told_by(url: str, query: str) -> dict[str, tuple[Any, ...]]:
    """The rows of a query, by the id at the end of the first column, seconds as numbers."""
    with psycopg.connect(url) as conn:
        rows = conn.execute(query).fetchall()  # type: ignore[arg-type]
    return {
        str(key).split(":")[-1]: tuple(float(one) if isinstance(one, Decimal) else one for one in told)
        for key, *told in rows
    }


def test_the_times_of_the_demos_rooms_are_those_that_plain_python_works_out(demo: Demo, ledger: Ledger) -> None:
    names = ("pickup", "first_response", "response", "resolution", "handling", "avg_reply")
    told = told_by(
        demo.url,
        f"select conversation_id, {', '.join(f'{name}_seconds' for name in names)}, reply_count "
        "from marts.chat_response_times where source = 'rooms'",
    )
    expected = rooms_oracle.conversations(ledger)
    assert set(told) == set(expected) and len(told) > 40
    for conversation, one in expected.items():
        waits = [(answered - first).total_seconds() for first, _, answered in one.turns()]
        mean = sum(waits) / len(waits) if waits else None
        # Seconds are whole where one span is told, so a second is as near as two of them can be.
        assert told[conversation] == pytest.approx((*one.seconds().values(), mean, len(waits)), abs=1), conversation


def test_escalations_and_presence_in_the_demos_rooms_are_those_that_plain_python_works_out(
    demo: Demo, ledger: Ledger
) -> None:
    steps = told_by(demo.url, "select escalation_id, assign_seconds, start_seconds from marts.escalation_steps")
    expected = rooms_oracle.escalation_times(ledger)
    assert set(steps) == set(expected)
    for step, times in expected.items():
        assert steps[step] == pytest.approx(tuple(times.values()), abs=1)
    stays = told_by(
        demo.url,
        "select room_id || '/' || split_part(participant_id, ':', 2), stint_count, "
        "case when not is_present then present_seconds end from marts.participant_activity",
    )
    assert len(stays) == len(ledger.rows["room_participants"])
    for seat, (count, seconds) in stays.items():
        stints = rooms_oracle.stints(ledger, *seat.split("/"))
        left = [(end - start).total_seconds() for start, end in stints if end]
        assert count == len(stints)
        assert seconds == pytest.approx(sum(left) if len(left) == count else None, abs=count)


def test_what_robots_do_in_the_demos_rooms_is_what_plain_python_counts(demo: Demo, ledger: Ledger) -> None:
    robots = told_by(
        demo.url,
        "select 'all', sum(handed_over_count), sum(contained_count), sum(lapsed_count), sum(open_count), "
        "sum(completed_count), sum(failed_count), sum(interaction_count) from marts.robot_daily where robot_id = 'all'",
    )
    outcomes = Counter(one.robot_outcome for one in rooms_oracle.conversations(ledger).values())
    states = Counter(row["status"] for row in ledger.rows["robot_interactions"].values())
    assert robots["all"] == (
        *(outcomes[name] for name in ("handed_over", "contained", "lapsed", "open")),
        *(states["completed"], states["failed"], states.total()),
    )


def test_the_sources_of_a_week_stand_side_by_side_each_with_its_own_times(demo: Demo) -> None:
    with psycopg.connect(demo.url) as conn, console.capture() as capture:
        week = last_full_week(conn)
        assert week
        print_sources(console, conn, week)
    lines = [line.split() for line in capture.get().splitlines()]
    assert {"b2chat", "rooms"} <= {line[0] for line in lines if line}
    robots = {line[1].rstrip(":") for line in lines if line[:1] == ["Robot"]}
    assert robots and robots <= set(ROBOTS)


def left_open(data: Path) -> None:
    """What a version that did not close its files left in the data folder."""
    (data / "dagster" / "storage").mkdir(parents=True)
    for path in (data / "dagster" / "storage" / "old.out", data / "old.log", data.parent / "outside"):
        path.write_text("what a customer said")
        path.chmod(0o644)
    for folder in (data, data / "dagster", data / "dagster" / "storage"):
        folder.chmod(0o755)
    (data / "link").symlink_to(data.parent / "outside")


def test_all_that_a_run_leaves_is_its_owners_alone_also_what_an_older_version_left_open(demo: Demo) -> None:
    data = Path(demo.folder)
    seen = []
    for place, folders, files in os.walk(data):
        folders[:] = [name for name in folders if Path(place, name) != data / "pg"]  # the server's own
        seen += [path for path in (Path(place), *(Path(place, name) for name in files)) if not path.is_symlink()]
    assert {"old.out", "old.log", "dbt.log", "sandbox.json", "partial_parse.msgpack"} <= {path.name for path in seen}
    # The account of the embedded server may go through the data folder.
    assert [path for path in seen if path.stat().st_mode & (0o067 if path == data else 0o077)] == []
    assert (data.parent / "outside").stat().st_mode & 0o777 == 0o644


def test_a_postgres_of_ones_own_is_not_filled_by_the_sandbox_because_a_demo_was_run(
    demo: Demo, b2chat: Run, database_url: str
) -> None:
    done = b2chat("sync", DATABASE_URL=database_url, B2CHAT_DATA_DIR=demo.folder)
    assert done.returncode == 2
    assert "B2CHAT_CLIENT_ID" in done.stderr


@pytest.mark.parametrize("command", ["heatmap", "status", "analyses"])
def test_the_terminal_says_that_demo_data_is_demo_data(demo: Demo, command: str) -> None:
    settings = {"DATABASE_URL": demo.url, "B2CHAT_DATA_DIR": demo.folder}
    done, plain = (CliRunner().invoke(cli.app, [command, *more], env=settings) for more in ([], ["--json"]))
    assert "datos de demostración" in done.stdout
    assert json.loads(plain.stdout)["data_source"] == "sandbox"


@pytest.mark.parametrize("form", [one.name for one in formats_of("chats")])
def test_a_table_of_demo_data_says_so_in_its_name_and_its_manifest(demo: Demo, form: str, tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    made = run_export(demo.url, settings, ExportRequest("chats", form), user="test")
    assert "demo" in made.file_name and "demo" in Path(made.place).name
    assert json.loads(Path(f"{made.place}.json").read_text())["data_source"] == "sandbox"
    own = tmp_path / "firm.file"
    named = Path(run_export(demo.url, settings, ExportRequest("chats", form), user="test", own_file=own).place)
    assert named == tmp_path / "firm-demo.file"
    if form == "csv":  # a program's file stays as programs read it
        with named.open(newline="") as file:
            assert "chat_id" in next(csv.reader(file))


@pytest.mark.filterwarnings("ignore::UserWarning")  # openpyxl does not know the bars in cells
@pytest.mark.parametrize(("language", "words"), [("es", "datos de demostración"), ("en", "demo data")])
def test_reports_and_workbooks_of_demo_data_say_so_on_every_page_and_sheet(
    demo: Demo, language: Language, words: str, tmp_path: Path
) -> None:
    def filled(kind: export_log.Kind, form: str) -> Path:
        order = ExportRequest(kind, form, language)
        return Path(run_export(demo.url, Settings.load(data_dir=tmp_path), order, user="test").place)

    with pypdfium2.PdfDocument(filled("report", "pdf")) as pdf:
        for page in pdf:
            assert words in " ".join(page.get_textpage().get_text_bounded().split())
    assert words in filled("report", "csv").read_text().lower()
    for workbook in (filled("report", "xlsx"), filled("agents", "xlsx")):
        sheets = openpyxl.load_workbook(workbook).worksheets
        assert all("demo" in sheet.title for sheet in sheets)
        assert all(words in str(sheet.oddHeader.center.text) for sheet in sheets)
        assert words in " ".join(str(cell.value).lower() for row in sheets[0].iter_rows() for cell in row)


def test_the_audit_finds_no_error_and_no_warning_in_a_warehouse_of_ours(demo: Demo) -> None:
    """What it would find is mended, or excepted with a reason and a date in the seed audit_exceptions."""
    settings = {"DATABASE_URL": demo.url, "B2CHAT_DATA_DIR": demo.folder}
    done = CliRunner().invoke(cli.app, ["audit", "--json", "--fail-on", "warning"], env=settings)
    found = json.loads(done.stdout)["findings"]
    grave = [one for one in found if one["severity"] in ("error", "warning") and not one["exception"]]
    assert (grave, done.exit_code) == ([], 0)
    assert {one["rule"] for one in found if one["object"] == "*"} == {"D02", "D03", "D09", "D10", "D12", "D15"}


@pytest.mark.parametrize(
    ("one", "ten"),
    [
        (
            ["export", "chats", "--from", "{day}", "--to", "{day}"],
            ["export", "chats"],
        ),
        (
            ["export", "agents", "--from", "{day}", "--to", "{day}"],
            ["export", "agents"],
        ),
        (["export", "kpis", "--from", "{day}", "--to", "{day}"], ["export", "kpis"]),
        (["export", "table", "agent_daily"], ["export", "table", "kpi_daily"]),
        (["exports", "list", "--limit", "1"], ["exports", "list", "--limit", "10"]),
        (["review", "list", "--limit", "1"], ["review", "list", "--limit", "10"]),
        (["list", "channels"], ["list", "agents"]),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_ten_times_as_many_rows_take_no_more_statements(
    demo: Demo, one: list[str], ten: list[str], tmp_path: Path
) -> None:
    """A statement for each row would be one of a thousand at a thousand rows (rule D10 of the audit)."""
    settings = {"DATABASE_URL": demo.url, "B2CHAT_DATA_DIR": demo.folder, "B2CHAT_EXPORTS_DIR": str(tmp_path)}
    counted = (
        "select sum(calls) from ops.pg_stat_statements where dbid = (select oid from pg_database where datname = %s)"
    )
    with psycopg.connect(demo.url, autocommit=True) as conn:
        [day] = conn.execute("select max(created_local_date) from marts.chat_response_times").fetchone() or [None]

        def statements(words: list[str]) -> int:
            before, after = 0, 0
            before = (conn.execute(counted, [conn.info.dbname]).fetchone() or [0])[0]
            done = CliRunner().invoke(cli.app, [word.format(day=day) for word in words], env=settings)
            assert done.exit_code == 0, done.output
            after = (conn.execute(counted, [conn.info.dbname]).fetchone() or [0])[0]
            return int(after - before)

        statements(one)  # what only a first call does
        assert statements(ten) <= statements(one)


def test_the_audit_sees_no_query_for_each_row_in_what_our_commands_do(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"DATABASE_URL": demo.url, "B2CHAT_DATA_DIR": demo.folder, "B2CHAT_EXPORTS_DIR": str(tmp_path)}
    commands = (
        "export chats",
        "export agents",
        "export report --format pdf",
        "export table kpi_daily",
        "exports list",
        "review list",
        "list agents",
        "status",
        "heatmap",
        "analyses",
        "audit",
    )

    def work(_: float) -> None:
        for command in commands:
            done = CliRunner().invoke(cli.app, command.split(), env=settings)
            assert done.exit_code == 0, done.output

    monkeypatch.setattr(snapshots, "time", SimpleNamespace(monotonic=time.monotonic, sleep=work))
    with connection.connect(demo.url, autocommit=True) as conn:
        found = audit.run(conn, Settings.load().zone, watch_seconds=60)
    assert [one.evidence for one in found.findings if one.check == "n_plus_one_by_sample"] == []
