"""What a user types first: every command of the README and of `docs/` as it is written, and the usual slips.

All on one demo's warehouse, in this process.
"""

import contextlib
import json
import os
import re
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dagster_project.cli import main as cli
from dagster_project.cli.command_line import console
from dagster_project.settings import PROJECT_ROOT
from dagster_project.warehouse import embedded
from tests.support import pages

DEMO = {
    "B2CHAT_SANDBOX": "generated",
    "B2CHAT_SANDBOX_CLOCK": "2026-03-16T05:00:00+00:00",
    "B2CHAT_SANDBOX_CHATS_PER_DAY": "40",
}
NOT_RUN = {
    "make demo": "it installs the project; what it runs then is this module's demo",
    "make test": "it is what runs this",
    "make ui": "it is `b2chat ui`",
    "make install": "it writes the folder of the program, which other tests read",
    "b2chat ui": "it serves until it is stopped: test_dagster_ui.py",
    "b2chat fake-claude": "it serves until it is stopped: test_claude.py",
    "b2chat dashboard serve": "it serves until it is stopped: test_dashboard.py",
    "b2chat drill": "it starts a server: test_backup.py",
    "b2chat restore": "the other commands' warehouse would be another's: test_backup.py",
    "b2chat exec": "it needs two variables, which the page sets: test_main_job.py asks MetricFlow",
    "b2chat rooms import": "it takes another system's history: test_rooms_import.py",
    "b2chat mcp": "it serves until it is stopped: test_questions.py",
}
REFUSED = {  # nobody has a key for Claude here, and nothing is archived: the exit code, and what the one line says
    "b2chat archive restore core.messages 2024-10": (1, "is not archived"),
    "b2chat evaluate chats.jsonl --classifier claude": (2, "ANTHROPIC_API_KEY"),
    "b2chat analyze --dry-run": (2, "ANTHROPIC_API_KEY"),
    "b2chat person --contact 4711 --out person.json": (1, "no such contact"),
    "b2chat erase --contact 4711": (1, "no such contact"),
    "b2chat erase --contact 4711 --dry-run": (1, "no such contact"),
}


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def folder(new_folder: Callable[[], str]) -> str:
    return new_folder()


@pytest.fixture(scope="module")
def run(folder: str) -> Iterator[Run]:
    """Runs the command line in this process, in a folder with the files that the commands name."""
    before, here = dict(os.environ), Path.cwd()
    blind = PROJECT_ROOT / "tests" / "data" / "ai_dev.jsonl"
    lexicon = PROJECT_ROOT / "dagster_project" / "analysis" / "rules" / "lexicon.yml"
    for name, content in (("chats.jsonl", blind), ("new.yml", lexicon), ("old.yml", lexicon)):
        Path(folder, name).write_bytes(content.read_bytes())
    os.chdir(folder)
    # What a command of another module's tests has left would lead to another warehouse.
    ours = ("ANTHROPIC_", "B2CHAT_", "DAGSTER_", "DATABASE_URL", "PG", "POSTGRES_")
    for name in [name for name in os.environ if name.startswith(ours)]:
        del os.environ[name]
    os.environ |= DEMO | {"B2CHAT_DATA_DIR": folder, "B2CHAT_ENV_FILE": os.devnull, "COLUMNS": "120"}
    start = dict(os.environ)

    def invoke(*words: str, **variables: str) -> Done:
        code = 0
        os.environ |= variables
        console.width = int(os.environ["COLUMNS"])
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            try:
                with (
                    pytest.MonkeyPatch.context() as patch,
                    contextlib.redirect_stdout(out),
                    contextlib.redirect_stderr(err),
                ):
                    patch.setattr(sys, "argv", ["b2chat", *words])
                    cli.main()
            except SystemExit as end:
                code = int(end.code or 0)
            finally:  # each command finds what the first found
                os.environ.clear()
                os.environ.update(start)
            out.seek(0), err.seek(0)
            return Done(code, out.read(), err.read())

    mask, on_stop = os.umask(0o077), signal.getsignal(signal.SIGTERM)
    try:
        with embedded.running(Path(folder) / "pg"):
            demo = invoke("demo")
            assert demo.code == 0, demo
            yield invoke
    finally:
        os.umask(mask)
        signal.signal(signal.SIGTERM, on_stop)
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.parametrize("command", pages.blocks())
def test_a_command_of_the_readme_does_what_it_says(run: Run, command: str) -> None:
    if reason := next((why for start, why in NOT_RUN.items() if command.startswith(start)), None):
        pytest.skip(reason)
    done = run(*filled(run, shlex.split(command)[1:]))
    code, reason = REFUSED.get(command, (0, ""))
    assert done.code == code, done
    if code:
        assert reason in done.err and len(done.err.splitlines()) == 1
    else:
        assert done.out.strip()


def test_figures_for_prometheus_are_those_of_the_warehouse_and_name_nobody(run: Run, folder: str) -> None:
    file = Path(folder, "b2chat.prom")
    assert run("metrics", "--out", str(file)).code == 0
    assert file.stat().st_mode & 0o777 == 0o644
    families = {family.name: family for family in text_string_to_metric_families(file.read_text())}
    assert all(family.type == "gauge" and family.documentation for family in families.values())
    found = {
        (name.removeprefix("b2chat_"), *sample.labels.values()): sample.value
        for name, family in families.items()
        for sample in family.samples
    }
    with psycopg.connect(json.loads(run("db", "url", "--json").out)["url"]) as conn:
        (marts, chats, began) = conn.execute(
            "select (select count(*) from marts.data_freshness), (select count(*) from raw.b2chat_chats), "
            "(select extract(epoch from last_sync_timestamp) from ops.sync_states where entity_type = 'chats')"
        ).fetchone() or (None, None, None)
        people = {
            row[0] for row in conn.execute("select name from core.agents union select full_name from core.contacts")
        }
    assert sum(value for key, value in found.items() if key[0] == "marts") == marts
    assert found["records_landed_today", "b2chat", "chats", "new"] == chats
    assert found["last_successful_sync_timestamp_seconds", "b2chat", "chats"] == pytest.approx(float(began or 0))
    assert found["notifications_open", "error"] == found["quarantined_records", "b2chat", "chats"] == 0
    assert found["ai_budget_month_usd",] == 25
    assert not [name for name in people if name and name in file.read_text()]


def test_the_page_of_dbt_asks_no_server_and_shows_no_secret_and_no_path(run: Run, folder: str) -> None:
    page = Path(folder, "page.html")
    done = run("docs", "--out", str(page))
    assert done.code == 0, done
    text = page.read_text()
    loaded = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=.?https?:|<link[^>]*\shref=.?https?:|@import", text)
    assert loaded == []
    assert "One row per chat" in text and "kpi_daily" in text
    password = urlsplit(json.loads(run("db", "url", "--json").out)["url"]).password
    assert password and not [shown for shown in (password, folder, str(PROJECT_ROOT)) if shown in text]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("heatmap --week 2031-01-06", "no heatmap of the week of 2031-01-06: there are weeks from 2026-02-02 to "),
        ("export report --month 2031-01", "the month of 2031-01-01 has not begun yet"),
        ("export chats --from 2031-01-01 --to 2031-01-31", "nothing to export of from 2031-01-01, to 2031-01-31: "),
        ("export agents --week last --agent Paula", "there is no agent 'Paula'; did you mean Paula "),
        (
            "export report --channel fax",
            "there is no channel 'fax': ",
        ),
        ("heatmap --agent Zenaida", "there is no agent 'Zenaida': `b2chat list agents` names them"),
    ],
)
def test_what_is_not_there_is_said_in_a_line_with_what_is(run: Run, words: str, says: str) -> None:
    done = run(*words.split())
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"b2chat: {says}") and len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("sync --from 2031-01-01", "2031-01-01 is in the future: today is 2026-03-16"),
        ("sync --from 2026-03-02 --to 2026-03-01", "2026-03-02 is after 2026-03-01"),
        ("analyze --from 2026-03-02 --to 2026-03-01", "2026-03-02 is after 2026-03-01"),
        ("export kpis --from 2026-03-02 --to 2026-03-01", "2026-03-02 is after 2026-03-01"),
        ("sync --from 2026-02-30", "'2026-02-30' is not a day such as 2026-01-05"),
        ("export chats --month 2026-13", "'2026-13' is not a month such as 2026-01, or last"),
        ("heatmap --week now", "'now' is not a day such as 2026-01-05"),
    ],
)
def test_days_that_cannot_be_meant_are_refused_before_anything_is_done(run: Run, words: str, says: str) -> None:
    done = run(*words.split())
    assert done.code == 2
    assert says in " ".join(done.err.replace("│", " ").split())


def test_days_before_the_start_date_are_read_when_they_are_asked_for(run: Run) -> None:
    asked = ("sync", "--from", "2026-02-10", "--to", "2026-02-11", "--json")
    (sync,) = (
        one for one in json.loads(run(*asked, B2CHAT_START_DATE="2026-03-01").out)["syncs"] if one["entity"] == "chats"
    )
    assert sync["status"] == "success" and sync["read"] > 20


def test_a_name_of_300_characters_does_in_lists_reports_and_file_names(run: Run, folder: str) -> None:
    name = ("Ñandú de la Cordillera " * 14)[:300]
    with psycopg.connect(run("db", "url").out.strip()) as conn:
        shown = "update intermediate.int_agent_identities set agent_name = %s where id = 'paulaandrade'"
        conn.execute(shown, [name])
    listed = run("list", "agents", COLUMNS="80")
    assert max(map(len, listed.out.splitlines())) <= 80
    assert listed.out.count("Cordillera") >= 13 and "…" not in listed.out
    assert [one["name"] for one in json.loads(run("list", "agents", "--json").out)["agents"]].count(name) == 1
    assert run("heatmap", "--agent", name).code == 0
    for form in ("pdf", "xlsx", "csv"):
        made = run("export", "report", "--agent", name, "--format", form, "--out", folder, "--json")
        assert made.code == 0, made
        assert json.loads(made.out)["file_name"] == f"b2chat-report-demo-week-2026-03-02-agent-paulaandrade.{form}"


@pytest.mark.parametrize("words", ["status", "exports list", "heatmap", "analyses", "evaluate chats.jsonl"])
def test_nothing_is_cut_at_80_columns(run: Run, words: str) -> None:
    shown = run(*words.split(), COLUMNS="80")
    assert shown.code == 0 and "…" not in shown.out


def filled(run: Run, words: list[str]) -> list[str]:
    """The words, with what a user would put for ID and CHAT_ID."""
    if "labels.csv" in words:
        Path("labels.csv").write_text(f"chat_id,intent,by\n{chat_id(run)},LEGAL,Marta\n")
    values = {"CHAT_ID": chat_id, "ID": export_id if words[0] == "exports" else analysis_id}
    return [values[word](run) if word in values else word for word in words]


def chat_id(run: Run) -> str:
    return str(json.loads(run("review", "list", "--json").out)["chats"][0]["chat_id"])


def analysis_id(run: Run) -> str:
    return str(json.loads(run("analyses", "--json").out)["analyses"][0]["id"])


def export_id(run: Run) -> str:
    made = json.loads(run("exports", "list", "--json").out)["exports"]
    return next(str(one["id"]) for one in made if one["status"] == "completed")
