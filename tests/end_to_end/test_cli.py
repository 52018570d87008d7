"""The command line as a user meets it: on the embedded Postgres, and when something is wrong."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(new_folder: Callable[[], str], b2chat: Run) -> Iterator[str]:
    made = new_folder()
    yield made
    b2chat("db", "down", B2CHAT_DATA_DIR=made)


def test_help_names_every_command_and_what_it_needs(b2chat: Run) -> None:
    done = b2chat("--help")
    assert done.returncode == 0
    for word in ("demo", "ui", "check", "sync", "build", "sandbox", "db", "B2CHAT_CLIENT_ID", "Exit codes"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"B2CHAT_TIMEZONE": "Mars/Olympus"}, "B2CHAT_TIMEZONE"),
        ({"DATABASE_URL": "postgresql://ana:canary@127.0.0.1:1/none"}, "DATABASE_URL"),
        ({"B2CHAT_CLIENT_SECRET": "canary"}, "B2CHAT_CLIENT_ID is missing"),
    ],
)
def test_a_wrong_setting_stops_at_start_with_one_line_that_names_it(
    b2chat: Run,
    variables: dict[str, str],
    says: str,
) -> None:
    done = b2chat("check", **variables)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "canary" not in done.stderr + done.stdout


def test_sync_without_an_account_says_which_settings_are_missing(b2chat: Run, folder: str) -> None:
    done = b2chat("sync", B2CHAT_DATA_DIR=folder)
    assert done.returncode == 2
    assert "B2CHAT_CLIENT_ID" in done.stderr and "B2CHAT_SANDBOX=generated" in done.stderr


def test_the_embedded_server_stays_up_for_bi_tools_until_db_down(b2chat: Run, folder: str) -> None:
    assert b2chat("db", "up", B2CHAT_DATA_DIR=folder).returncode == 0
    url = b2chat("db", "url", B2CHAT_DATA_DIR=folder).stdout.strip()
    with psycopg.connect(url) as conn:
        assert conn.execute("select count(*) from raw.b2chat_chats").fetchone() == (0,)
    asked = b2chat("db", "psql", "-At", "-c", "select 6 * 7", B2CHAT_DATA_DIR=folder)
    assert asked.stdout.strip() == "42"
    assert b2chat("db", "down", B2CHAT_DATA_DIR=folder).returncode == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=3)


def test_check_looks_at_everything_and_fails_where_the_account_does_not_answer(
    b2chat: Run,
    database_url: str,
    unused_port: int,
    tmp_path: Path,
) -> None:
    done = b2chat(
        "check",
        "--json",
        DATABASE_URL=database_url,
        B2CHAT_EXPORTS_DIR=str(tmp_path),
        B2CHAT_API_URL=f"http://127.0.0.1:{unused_port}",
        B2CHAT_CLIENT_ID="someone",
        B2CHAT_CLIENT_SECRET="canary",
    )
    assert done.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["checks"]}
    assert not findings["account"]["ok"]
    assert f"127.0.0.1:{unused_port} cannot be reached: connection refused" in findings["account"]["text"]
    assert all(finding["ok"] for name, finding in findings.items() if name != "account")
    assert "by rules" in findings["categories"]["text"]
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    assert "canary" not in done.stdout + done.stderr


def test_a_sync_that_reaches_nobody_says_whom_and_ends_soon(b2chat: Run, database_url: str, unused_port: int) -> None:
    began = time.monotonic()
    done = b2chat(
        "sync",
        "--json",
        DATABASE_URL=database_url,
        B2CHAT_API_URL=f"http://127.0.0.1:{unused_port}",
        B2CHAT_CLIENT_ID="someone",
        B2CHAT_CLIENT_SECRET="canary",
    )
    assert done.returncode == 1
    assert time.monotonic() - began < 60  # 3 s of it are waits; Dagster's own retries alone would wait 90 s
    reason = f"127.0.0.1:{unused_port} cannot be reached: connection refused after 3 attempts"
    errors = json.loads(done.stdout)["errors"]
    assert errors and all(error.endswith(reason) for error in errors)


def test_a_login_in_the_options_of_the_address_is_neither_printed_nor_given_to_bi(
    b2chat: Run, database_url: str
) -> None:
    parts = conninfo_to_dict(database_url)
    password = str(parts["password"])
    place = f"postgresql://{parts['host']}:{parts['port']}/{parts['dbname']}"
    given = {"DATABASE_URL": f"{place}?user={parts['user']}&password={password}", "B2CHAT_BI_PASSWORD": "b/i@%2f ñ#"}
    checked = b2chat("check", "--json", **given)
    findings = {check["name"]: check for check in json.loads(checked.stdout)["checks"]}
    assert findings["drivers"]["ok"] and "dbt" in findings["drivers"]["text"]
    assert f"{parts['user']}:***@" in findings["warehouse"]["text"]
    address = b2chat("db", "bi-url", **given)
    assert password not in checked.stdout + checked.stderr + address.stdout + address.stderr
    with psycopg.connect(address.stdout.strip()) as conn:
        row = conn.execute("select session_user::text, current_database()").fetchone()
    assert row == ("bi_reader", parts["dbname"])


def test_a_heatmap_before_the_first_run_says_what_to_run(b2chat: Run, database_url: str) -> None:
    done = b2chat("heatmap", "--week", "2999-01-07", DATABASE_URL=database_url)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
