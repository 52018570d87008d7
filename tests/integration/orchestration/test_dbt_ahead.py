"""dbt is started ahead of what it is to do, and is then the dbt that any build starts."""

import os
from collections.abc import Callable
from pathlib import Path

from psycopg import sql

from dagster_project.orchestration import single_dbt
from dagster_project.orchestration.dbt_project import DBT_DIR, executable
from dagster_project.warehouse import connection

COMMAND = [executable("b2chat-dbt"), "--version"]
SECONDS = 120


def test_what_was_started_ahead_takes_over_the_command_and_its_environment(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    (tmp_path / "parsed").write_bytes(b"by another version of dbt")
    single_dbt.start_ahead(tmp_path / "parsed")
    [ahead] = single_dbt._ahead
    process = single_dbt.start(COMMAND, single_dbt._kept(os.environ) | connection.environment(new_database()), DBT_DIR)
    told, _ = process.communicate(timeout=SECONDS)
    assert (process, process.returncode, process.args) == (ahead, 0, COMMAND)
    assert b"Core:" in told


def test_what_was_started_ahead_speaks_to_the_server_as_our_sessions_do_whatever_its_defaults(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    url = new_database()
    with connection.connect(url, autocommit=True) as conn:
        conn.execute(
            sql.SQL("alter database {} set statement_timeout = '59s'").format(sql.Identifier(conn.info.dbname))
        )
    asked = "select current_setting('statement_timeout') || ', ' || current_setting('jit') as settings"
    command = [*COMMAND[:1], "show", "--inline", asked, "--profiles-dir", ".", "--target-path", str(tmp_path)]
    single_dbt.start_ahead(tmp_path / "nothing")
    process = single_dbt.start(command, single_dbt._kept(os.environ) | connection.environment(url), DBT_DIR)
    told, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0 and b"| 0, off" in told, told.decode()


def test_what_waits_for_a_command_knows_no_secret_and_ends_where_none_comes(tmp_path: Path) -> None:
    single_dbt.start_ahead(tmp_path / "nothing")
    process = single_dbt._ahead.pop()
    known = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"PATH=" in known
    assert not any(secret in known for secret in (b"DATABASE_URL=", b"PGPASSWORD=", b"_SECRET=", b"_API_KEY="))
    told, _ = process.communicate(timeout=SECONDS)  # which closes its input
    assert (process.returncode, told) == (0, b"")


def test_where_what_was_started_ahead_was_killed_a_build_starts_dbt_anew(tmp_path: Path) -> None:
    single_dbt.start_ahead(tmp_path / "nothing")
    [ahead] = single_dbt._ahead
    ahead.kill()
    ahead.wait()
    process = single_dbt.start(COMMAND, single_dbt._kept(os.environ), DBT_DIR)
    process.kill()
    process.wait()
    assert process is not ahead
