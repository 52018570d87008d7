"""The parts' connections against the server's: told before a night's runs find out."""

import re

import psycopg
import pytest
from psycopg import sql

from dagster_project.settings import PROJECT_ROOT
from dagster_project.warehouse import connection_budget


def test_a_database_with_too_few_connections_is_told(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        assert "connections for the 97" in connection_budget.check(conn)
        name = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("alter database {} connection limit 96").format(name))
        with pytest.raises(connection_budget.TooFewConnections, match=r"limit is 96, but all .* take up to 97"):
            connection_budget.check(conn)
        conn.execute(sql.SQL("alter database {} connection limit -1").format(name))


def test_the_page_of_operations_says_the_same_figures() -> None:
    page = (PROJECT_ROOT / "docs" / "operations.md").read_text()
    assert (
        dict(re.findall(r"^\| ([^|]+) \| (\d+) \|", page, re.MULTILINE)).items()
        >= {
            who: str(count)
            for who, count in (connection_budget.BUDGET | {"together": connection_budget.NEEDED}).items()
        }.items()
    )
