"""Settings at run time: valid like the environment's, over it, and never a secret."""

import json
import logging
from collections.abc import Callable, Iterator

import psycopg
import pytest
from pydantic import SecretStr

from dagster_project.cli.main import app
from dagster_project.settings import Settings, SettingsError, variable_name
from dagster_project.warehouse import system_settings
from dagster_project.warehouse.access import users


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as conn, conn.transaction(force_rollback=True):
        yield conn


def test_a_value_counts_over_the_environments_until_it_is_unset(conn: psycopg.Connection) -> None:
    given = Settings.load(exports_keep_days=3)
    assert system_settings.effective(conn, given) is given
    assert system_settings.change(conn, "b2chat_exports_keep_days", "14") == "B2CHAT_EXPORTS_KEEP_DAYS"
    system_settings.change(conn, "review_share", "0.5")
    now = system_settings.effective(conn, given)
    assert (now.exports_keep_days, now.review_share, now.timezone) == (14, 0.5, given.timezone)
    system_settings.change(conn, "B2CHAT_EXPORTS_KEEP_DAYS", "15")
    assert system_settings.effective(conn, given).exports_keep_days == 15
    assert system_settings.reset(conn, "B2CHAT_EXPORTS_KEEP_DAYS") is True
    assert system_settings.reset(conn, "B2CHAT_EXPORTS_KEEP_DAYS") is False
    assert system_settings.effective(conn, given).exports_keep_days == 3


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("B2CHAT_EXPORTS_KEEP_DAYS", "0", "B2CHAT_EXPORTS_KEEP_DAYS: Input should be greater"),
        ("B2CHAT_EXPORTS_LANGUAGE", "fr", "B2CHAT_EXPORTS_LANGUAGE: Input should be 'es' or 'en'"),
        ("B2CHAT_AI_MONTHLY_USD", "canary", "B2CHAT_AI_MONTHLY_USD: Input should be a valid number"),
        ("B2CHAT_AI_MONTHLY_USD", "inf", "B2CHAT_AI_MONTHLY_USD: Input should be a finite number"),
        ("B2CHAT_FRESHNESS_MINUTES", "99999999999", "B2CHAT_FRESHNESS_MINUTES: Input should be less"),
        ("B2CHAT_COMPANY", " ", "B2CHAT_COMPANY: no value"),
        ("B2CHAT_COMPANY", "canary\nBcc: eva@example.test", "B2CHAT_COMPANY: String should match"),
        ("B2CHAT_TIMEZONE", "UTC", "in the environment alone"),
        ("SYNC_INTERVAL", "5", "in the environment alone"),
        ("B2CHAT_EXPORT_KEEP_DAY", "5", "B2CHAT_EXPORTS_KEEP_DAYS?"),
    ],
)
def test_a_value_that_the_environment_could_not_have_is_refused(
    conn: psycopg.Connection, name: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        system_settings.change(conn, name, value)
    assert says in str(caught.value)
    assert "canary" not in str(caught.value)
    assert conn.execute("select count(*) from ops.system_settings").fetchone() == (0,)


def test_every_secret_is_refused_by_name_and_by_the_table(conn: psycopg.Connection) -> None:
    secrets = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert len(secrets) > 12 and SecretStr not in system_settings.CHANGEABLE
    for name in secrets:
        with pytest.raises(SettingsError, match="is a secret"):
            system_settings.change(conn, variable_name(name), "canary")
        with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
            conn.execute(
                "insert into ops.system_settings (key, value, category, is_system_setting) "
                "values (%s, 'x', 'app', true)",
                [variable_name(name)],
            )


def test_what_was_written_by_hand_and_is_not_valid_does_not_count_and_is_said(
    conn: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    for key, value in (("B2CHAT_EXPORTS_KEEP_DAYS", "never"), ("B2CHAT_TIMEZONE", "UTC"), ("B2CHAT_REVIEW_SHARE", "1")):
        conn.execute(
            "insert into ops.system_settings (key, value, category, is_system_setting) values (%s, %s, 'app', true)",
            [key, value],
        )
    given = Settings.load()
    with caplog.at_level(logging.WARNING):
        now = system_settings.effective(conn, given)
    assert (now.exports_keep_days, now.timezone, now.review_share) == (given.exports_keep_days, given.timezone, 1)
    assert "B2CHAT_EXPORTS_KEEP_DAYS" in caplog.text
    faults = {one.key: one.fault for one in system_settings.listed(conn, given) if one.fault}
    assert list(faults) == ["B2CHAT_EXPORTS_KEEP_DAYS"]


def test_the_commands_change_users_and_settings_in_the_name_of_the_account_that_runs_them(
    url: str, new_folder: Callable[[], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("B2CHAT_DATA_DIR", new_folder())
    monkeypatch.setenv("LOGNAME", "somebody_else")
    monkeypatch.setattr(users, "account", lambda: "root_of_tests")

    def run(*arguments: str) -> dict[str, object]:
        with pytest.raises(SystemExit) as ended:
            app([*arguments, "--json"])
        assert ended.value.code == 0, capsys.readouterr().err
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    assert run("users", "add", "ana@acme.co", "--role", "manager", "--id", "root_of_tests")["kind"] == "person"
    assert run("settings", "set", "B2CHAT_COMPANY", "Acme")["key"] == "B2CHAT_COMPANY"
    assert run("settings", "unset", "B2CHAT_COMPANY") == {"was_changed": True}
    with pytest.raises(users.NotAllowed, match="takes an Admin"):
        app(["users", "role", "root_of_tests", "admin"])
    found = run("users", "log", "ANA@acme.co", "--event", "settings.")["events"]
    assert [one["details"] for one in found] == [  # type: ignore[attr-defined]
        {"old": {"value": "Acme", "category": "app"}},
        {"new": {"value": "Acme", "category": "app"}},
    ]
    with psycopg.connect(url) as conn:
        done = conn.execute('select user_id, user_email, event_type, resource from ops.audit_logs order by "timestamp"')
        assert done.fetchall() == [
            ("root_of_tests", "ana@acme.co", "data.create", "user:root_of_tests"),
            ("root_of_tests", "ana@acme.co", "settings.update", "setting:B2CHAT_COMPANY"),
            ("root_of_tests", "ana@acme.co", "settings.update", "setting:B2CHAT_COMPANY"),
            ("root_of_tests", "ana@acme.co", "permission.denied", None),
        ]
        conn.execute("delete from ops.users where id = 'root_of_tests'")
