"""Looking at what was built, for the UI, within a time."""

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from dagster_project.orchestration.ui import table_metadata


def test_a_look_that_runs_out_of_time_at_any_moment_leaves_the_connection_as_it_was(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_metadata, "TIMEOUT", "5ms")
    cut = 0
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("create schema if not exists core")
        for number in range(200):
            rows = int(5_000 * 1.02**number)  # up to 260,000: from a millisecond to far more than there is
            conn.execute(f"create or replace view core.slow as select 1 as one from generate_series(1, {rows})")
            cut += "dagster/row_count" not in table_metadata.of_table(conn, "core", "slow")
            assert conn.info.transaction_status == TransactionStatus.IDLE
            assert conn.execute("show statement_timeout").fetchone() == ("0",)
    assert 0 < cut < 200


def test_a_name_in_a_mart_cannot_put_markup_or_a_link_into_the_ui(database_url: str) -> None:
    names = ["<b>Ana</b>", "![x](http://e.example)", "Ventas | Sur", "www.e.example", "`x` **y**"]
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("create schema if not exists marts")
        conn.execute("create table marts.hostile (tag text, department text, chat_count integer)")
        conn.cursor().executemany("insert into marts.hostile values (%s, %s, 1)", [(name, name) for name in names])
        shown = table_metadata.of_table(conn, "marts", "hostile")["preview"].value
    lines = str(shown).splitlines()
    assert len(lines) == 2 + len(names)
    assert lines[2:] == [
        r"| \<b\>Ana\</b\> | \<b\>Ana\</b\> | 1 |",
        "| " + r"\!\[x\](http:⁠//e.example) | " * 2 + "1 |",
        r"| Ventas \| Sur | Ventas \| Sur | 1 |",
        "| " + "www⁠.e.example | " * 2 + "1 |",
        r"| \`x\` \*\*y\*\* | \`x\` \*\*y\*\* | 1 |",
    ]


def test_rows_are_counted_and_where_that_is_dear_they_are_said_to_be_about(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("create schema if not exists core")
        conn.execute("create table core.few as select generate_series(1, 4000) as one")
        conn.execute("analyze core.few")
        conn.execute("insert into core.few select generate_series(1, 974)")  # of which the planner knows nothing
        counted = table_metadata.of_table(conn, "core", "few")
        assert counted["dagster/row_count"].value == 4974
        assert table_metadata.rows_told(counted) == "4,974 rows"
        monkeypatch.setattr(table_metadata, "MAX_COUNTED", 1000)
        about = table_metadata.of_table(conn, "core", "few")
        assert "dagster/row_count" not in about
        assert table_metadata.rows_told(about) == "about 4,000 rows"
        conn.execute("create table core.never_analyzed as select generate_series(1, 2000) as one")
        assert table_metadata.rows_told(table_metadata.of_table(conn, "core", "never_analyzed")) is None
