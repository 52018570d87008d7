"""Sources that brought nothing: a refresh leaves out the models that only they need (their tag is the source's name).

Models that read all sources go no further than what is above them has read. So models that are left out count as
built of all that has landed by then: there is nothing in it for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.orchestration.builds.last_build import LastBuild
from dagster_project.settings import DATABASES
from dagster_project.sources.catalog import SOURCES


def leave_out(conn: psycopg.Connection, nodes: Iterable[Mapping[str, Any]], last: LastBuild) -> list[str]:
    """The sources of which nothing has come since their models were built; none in the first refresh of an hour, in
    which what depends on the time is counted anew.

    Args:
        nodes: of dbt's manifest.
        last: the last good build of the same project.
    """
    if not last.is_of_this_hour:
        return []
    tables, everything = {source.name: source.tables for source in SOURCES}, list(nodes)
    return [source for source in DATABASES if _is_left_out(conn, tables[source], _models(everything, source))]


def selector(left_out: Sequence[str]) -> str:
    """dbt's selector of a refresh (selectors.yml) without the models of some sources."""
    return "refresh" + (f"_without_{'_and_'.join(left_out)}" if left_out else "")


def _models(nodes: Iterable[Mapping[str, Any]], source: str) -> list[str]:
    return [
        node["alias"]
        for node in nodes
        if node["resource_type"] == "model"
        and source in node["config"]["tags"]
        and node["config"]["materialized"] == "incremental"
    ]


def _is_left_out(conn: psycopg.Connection, tables: Sequence[str], models: Sequence[str]) -> bool:
    with conn.transaction():
        known = conn.execute(
            "select count(*) = %s, coalesce(min(load_id), 0), (select max(load_id) from ops.page_loads) "
            "from ops.build_watermarks where model = any(%s)",
            [len(models), list(models)],
        ).fetchone()
        assert known
        are_built, read_up_to, landed_up_to = known
        if not are_built or not models or _has_landed(conn, tables, read_up_to):
            return False
        conn.execute(
            "update ops.build_watermarks set after_load_id = load_id, load_id = %s "
            "where model = any(%s) and load_id < %s",
            [landed_up_to, list(models), landed_up_to],
        )
    return True


def _has_landed(conn: psycopg.Connection, tables: Sequence[str], since: int) -> bool:
    parts = [
        sql.SQL("exists (select from {} where load_id > {})").format(sql.Identifier("raw", table), since)
        for table in tables
    ]
    return conn.execute(sql.SQL("select {}").format(sql.SQL(" or ").join(parts))).fetchone() != (False,)
