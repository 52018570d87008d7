"""Settings: one clear line for each fault, secrets never shown, every variable documented."""

import os
import re
from pathlib import Path

import pytest

from dagster_project import settings as settings_module
from dagster_project.cli import health_checks
from dagster_project.deployment import environment, own_schemas
from dagster_project.deployment.environment import Deployment
from dagster_project.settings import (
    PROJECT_ROOT,
    Settings,
    SettingsError,
    documented,
    secret_variables,
    variable_name,
)
from dagster_project.warehouse import conninfo


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [*(row[1] for row in documented()), *(f"{name}_FILE" for name in secret_variables())]:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv("B2CHAT_ENV_FILE", raising=False)
    monkeypatch.setattr(settings_module, "PROJECT_ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("B2CHAT_TIMEZONE", "Bogota", "IANA"),
        ("B2CHAT_REQUESTS_PER_SECOND", "fast", "number"),
        ("B2CHAT_PAGE_SIZE", "5000", "1000"),
        ("DATABASE_URL", "mysql://here", "postgresql://"),
        ("B2CHAT_START_DATE", "01/02/2026", "date"),
        ("B2CHAT_CLIENT_ID", "someone", "B2CHAT_CLIENT_SECRET is missing"),
        ("POSTGRES_HOST", "db.example.test", "POSTGRES_USER is missing"),
        ("SYNC_INTERVAL", "7", "divide 60"),
        ("B2CHAT_SANDBOX", "replay", "B2CHAT_SANDBOX_FILES is missing"),
        ("B2CHAT_SANDBOX_CLOCK", "2026-01-01T00:00:00", "offset"),
    ],
)
def test_a_wrong_or_missing_setting_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    says: str,
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    text = str(caught.value)
    assert says in text
    assert re.search(r"[A-Z0-9_]{6,}", text)
    assert "\n" not in text


def test_settings_come_from_the_environment_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("B2CHAT_TIMEZONE=America/Santiago\nB2CHAT_LOOKBACK_DAYS=10\n")
    monkeypatch.setenv("B2CHAT_LOOKBACK_DAYS", "20")
    settings = Settings.load()
    assert (settings.timezone, settings.lookback_days) == ("America/Santiago", 20)


def test_settings_are_the_same_in_every_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("B2CHAT_TIMEZONE=America/Santiago\nB2CHAT_DATA_DIR=data\nB2CHAT_AUDIT_FOLDER=mail\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    here = Settings.load()
    monkeypatch.chdir(elsewhere)
    assert Settings.load() == here
    assert (here.timezone, here.data_path, here.audit_folder) == (
        "America/Santiago",
        tmp_path / "data",
        tmp_path / "mail",
    )


def test_another_env_file_is_refused_until_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (elsewhere / ".env").write_text("SOMEBODY_ELSES=1\n")
    assert Settings.load().timezone == "America/Bogota"
    (elsewhere / ".env").write_text("B2CHAT_TIMEZONE=America/Santiago\n")
    with pytest.raises(SettingsError, match="B2CHAT_ENV_FILE="):
        Settings.load()
    monkeypatch.setenv("B2CHAT_ENV_FILE", str(elsewhere / ".env"))
    assert Settings.load().timezone == "America/Santiago"
    monkeypatch.setenv("B2CHAT_ENV_FILE", str(elsewhere / "gone"))
    with pytest.raises(SettingsError, match="there is no"):
        Settings.load()


@pytest.mark.parametrize("variable", ["B2CHAT_API_URL", "ANTHROPIC_BASE_URL"])
@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://api.b2chat.io", True),
        ("http://127.0.0.1:8642/", True),
        ("http://localhost:8642", True),
        ("http://[::1]:8642", True),
        ("HTTPS://api.b2chat.io", True),
        ("http://api.b2chat.io", False),
        ("http://192.168.1.7:8642", False),
        ("http://0.0.0.0:8642", False),
        ("http://localhost.example.test", False),
        ("http://127.0.0.1.example.test", False),
        ("http://127.0.0.1@example.test", False),
        ("https://someone:canary@example.test", False),
        ("https://", False),
        ("https://example.test:notaport", False),
        ("ftp://example.test", False),
    ],
)
def test_a_secret_is_sent_over_https_or_stays_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str, is_taken: bool
) -> None:
    monkeypatch.setenv(variable, url)
    if is_taken:
        Settings.load()
        return
    with pytest.raises(SettingsError, match=variable) as caught:
        Settings.load()
    assert "canary" not in str(caught.value)


def test_only_the_documented_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Europe/Paris")
    assert Settings.load().timezone == "America/Bogota"


@pytest.mark.parametrize("secret", secret_variables())
@pytest.mark.parametrize("place", ["environment", "file"])
def test_each_secret_may_stand_in_a_file_of_its_own(
    secret: str, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    is_address = secret.startswith("DATABASE_URL")
    value = "postgresql://h/d" if is_address else f"https://127.0.0.1/{secret} %$#'\\ñ "
    (tmp_path / "secret").write_text(f"{value}\n")
    if place == "environment":
        monkeypatch.setenv(f"{secret}_FILE", str(tmp_path / "secret"))
        (tmp_path / ".env").write_text(f"{secret}=postgresql://not/this\n")
    else:
        (tmp_path / ".env").write_text(f"{secret}_FILE={tmp_path / 'secret'}\n")
    if secret == "B2CHAT_CLIENT_SECRET":
        monkeypatch.setenv("B2CHAT_CLIENT_ID", "someone")
    monkeypatch.setenv("B2CHAT_SEPARATE_ROLES", "true")
    settings = Settings.load()
    found = [getattr(settings, name) for name in Settings.model_fields if variable_name(name) == secret]
    assert [one.get_secret_value() for one in found] == [value]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"ANTHROPIC_API_KEY_FILE": "sk-canary"}, "ANTHROPIC_API_KEY_FILE names no file"),
        ({"ANTHROPIC_API_KEY_FILE": "/"}, "ANTHROPIC_API_KEY_FILE names no file"),
        ({"ANTHROPIC_API_KEY_FILE": os.devnull}, "ANTHROPIC_API_KEY_FILE names an empty file"),
        (
            {"ANTHROPIC_API_KEY_FILE": os.devnull, "ANTHROPIC_API_KEY": "sk-canary"},
            "ANTHROPIC_API_KEY and ANTHROPIC_API_KEY_FILE are both set",
        ),
    ],
)
def test_a_secret_file_that_does_not_serve_is_one_line_without_what_was_written_there(
    variables: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{says}") as caught:
        Settings.load()
    assert "\n" not in str(caught.value) and "canary" not in str(caught.value)


def test_children_of_a_command_find_one_word_on_each_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://ana:x@127.0.0.1/chats")
    (tmp_path / "secret").write_text("s")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("B2CHAT_CLIENT_ID", "someone")
    monkeypatch.setenv("B2CHAT_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("B2CHAT_DATA_DIR", str(tmp_path))
    settings = Settings.load()
    assert settings.database_url
    for name, value in environment.environment(settings, settings.database_url.get_secret_value()).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("B2CHAT_ENV_FILE")
    assert Settings.load() == settings


PLAIN = "postgresql://ana:x@{}/chats"


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        (PLAIN.format("127.0.0.1"), None),
        (PLAIN.format("localhost,[::1]"), None),
        (PLAIN.format("%2Frun%2Fpostgresql"), None),
        ("postgresql:///chats", None),
        (PLAIN.format("db.example.test") + "?hostaddr=127.0.0.1", None),
        (PLAIN.format("inner"), None),
        (PLAIN.format("inner,127.0.0.1") + "?sslmode=disable", "disable"),
        (PLAIN.format("db.example.test"), "require"),
        (PLAIN.format("localhost,db.example.test"), "require"),
        (PLAIN.format("localhost") + "?hostaddr=192.0.2.7", "require"),
        (PLAIN.format("db.example.test") + "?sslrootcert=/ca", "verify-full"),
        (PLAIN.format("db.example.test") + "?sslmode=verify-ca&sslrootcert=/ca", "verify-ca"),
        (PLAIN.format("db.example.test") + "?sslmode=prefer", SettingsError),
        (PLAIN.format("db.example.test") + "?sslmode=disable", SettingsError),
    ],
)
def test_a_server_on_another_machine_is_met_over_tls_unless_its_host_is_named(
    address: str, mode: str | type[Exception] | None
) -> None:
    parameters = conninfo.read(address)
    if mode is SettingsError:
        with pytest.raises(SettingsError, match="B2CHAT_PLAIN_HOSTS"):
            conninfo.protected(parameters, ["inner"])
    else:
        assert conninfo.protected(parameters, ["inner"]).get("sslmode") == mode


def test_a_bucket_on_another_machine_is_met_over_tls_unless_its_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2CHAT_EXPORTS_S3_ENDPOINT", "http://minio.example.test:9000")
    with pytest.raises(SettingsError, match="B2CHAT_PLAIN_HOSTS"):
        Settings.load()
    monkeypatch.setenv("B2CHAT_PLAIN_HOSTS", "minio.example.test")
    assert Settings.load().exports_s3_endpoint


def test_the_demo_hands_its_settings_on_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("B2CHAT_ALERTS_WEBHOOK_URL", "https://hooks.example.test/x")
    monkeypatch.setenv("B2CHAT_DATA_DIR", str(tmp_path))
    settings = environment.for_demo(Settings.load())
    assert settings.alerts_webhook_url
    assert settings.alerts_webhook_url.get_secret_value() == "https://hooks.example.test/x"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"B2CHAT_SANDBOX": "generated"}, ["rooms", "calls"]),
        ({"B2CHAT_SANDBOX": "generated", "CALLS_DATABASE_URL": "warehouse"}, ["rooms"]),
        ({"B2CHAT_SANDBOX": "generated", "DATABASE_URL": "postgresql://ours@localhost/ours"}, []),
        ({}, []),
    ],
)
def test_the_sandbox_fills_rooms_and_calls_only_where_nobody_named_a_place(
    given: dict[str, str], made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert [source for source in ("rooms", "calls") if own_schemas.is_made(settings, source)] == made


def test_no_secret_is_ever_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana:canary1@db.example.test/chats")
    monkeypatch.setenv("B2CHAT_CLIENT_ID", "someone")
    monkeypatch.setenv("B2CHAT_CLIENT_SECRET", "canary2")
    shown = repr(Settings.load()) + str(Settings.load()) + Settings.load().model_dump_json()
    assert "canary" not in shown


def test_env_example_lists_every_variable_with_its_default() -> None:
    lines = (PROJECT_ROOT / ".env.example").read_text().splitlines()
    assert [f"#{variable}={default}" for _, variable, default, _ in documented()] == [
        line for line in lines if re.match(r"#[A-Z0-9_]+=", line)
    ]


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o644, True), (0o660, True)])
def test_check_says_that_others_can_read_the_file_of_the_secrets(mode: int, is_open: bool, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("B2CHAT_CLIENT_ID=ana\nB2CHAT_CLIENT_SECRET=canary\n")
    (tmp_path / ".env").chmod(mode)
    [found, *_] = health_checks._results(Deployment(Settings.load(), ""), [("settings", health_checks._settings)])
    assert found.ok and ("chmod 600" in found.text) == is_open
