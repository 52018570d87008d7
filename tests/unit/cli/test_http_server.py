"""Serving by HTTP: what a user reads where it cannot be."""

import pytest

from dagster_project.cli import http_server
from dagster_project.cli.main import app
from dagster_project.settings import Settings


def test_an_address_that_is_taken_is_a_failure_of_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            http_server.listen("127.0.0.1", port)
        # Not 3, uvicorn's own code: that says here that a quota is used up.
        assert (ended.value.code, capsys.readouterr().err.count("\n")) == (1, 1)
        monkeypatch.setattr(Settings, "load", lambda: Settings(_env_file=None))
        for command in ("sandbox", "fake-claude"):
            with pytest.raises(SystemExit) as ended:
                app([command, "--port", str(port)])
            said = capsys.readouterr().err
            assert (ended.value.code, f"cannot listen at 127.0.0.1:{port}: Address already in use" in said) == (1, True)


def test_a_host_that_is_not_there_is_a_failure_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        http_server.listen("nowhere.invalid", 8765)
    assert (ended.value.code, "cannot listen at nowhere.invalid:8765" in capsys.readouterr().err) == (1, True)
