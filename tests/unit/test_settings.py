"""Settings: one clear line for each fault, secrets never shown, every variable documented."""

import re
from pathlib import Path

import pytest

from dagster_project.settings import PROJECT_ROOT, Settings, SettingsError, documented


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, _, _ in documented():
        monkeypatch.delenv(variable, raising=False)
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


def test_only_the_documented_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Europe/Paris")
    assert Settings.load().timezone == "America/Bogota"


def test_no_secret_is_ever_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana:canary1@db.example.test/chats")
    monkeypatch.setenv("B2CHAT_CLIENT_ID", "someone")
    monkeypatch.setenv("B2CHAT_CLIENT_SECRET", "canary2")
    shown = repr(Settings.load()) + str(Settings.load()) + Settings.load().model_dump_json()
    assert "canary" not in shown


def test_env_example_lists_every_variable_with_its_default() -> None:
    lines = (PROJECT_ROOT / ".env.example").read_text().splitlines()
    assert [f"#{variable}={default}" for variable, default, _ in documented()] == [
        line for line in lines if re.match(r"#[A-Z0-9_]+=", line)
    ]
