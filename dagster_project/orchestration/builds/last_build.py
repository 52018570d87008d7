"""The last good build of all models, and what has come since: what did not change need not be built again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.sources.catalog import SOURCES

# What dbt reads with a load id on each row; all else in raw and ops is read live, by views.
_LANDED = tuple(table for source in SOURCES for table in source.tables)
_LAST = """
    with newest as (select (select loaded_at from ops.page_loads order by load_id desc limit 1) as as_of)
    select
        last.began_at,
        last.as_of,
        newest.as_of,
        last.began_at > now() - interval '1 hour'
            and date_trunc('hour', last.as_of, %(zone)s) = date_trunc('hour', newest.as_of, %(zone)s)
    from ops.last_build as last cross join newest
    where last.project = %(project)s
        and last.as_of is not null
        and not exists (select from unnest(%(relations)s::text[]) as one (name) where to_regclass(one.name) is null)
"""


@dataclass(frozen=True)
class LastBuild:
    """A build of the whole project whose tests passed, and that nothing but syncs followed: its views and seeds stand.

    Attributes:
        began_at: when it began.
        as_of: the time of the newest load that was landed by then.
        is_current: whether another one now would change nothing.
        is_of_this_hour: no full hour has begun since.
    """

    began_at: datetime
    as_of: datetime
    is_current: bool
    is_of_this_hour: bool


def last_good(
    conn: psycopg.Connection, nodes: Iterable[Mapping[str, Any]], *, project: str, zone: str
) -> LastBuild | None:
    """The last run of dbt, if it was a good build of this same project and all that it made is there; else None.

    It is current until a record lands, a deadline passes or a full hour begins, which the backlog counts; and for an
    hour at most.

    Args:
        nodes: of dbt's manifest.
        project: what `dbt_project.fingerprint` says now.
        zone: the account's zone, in which hours begin.
    """
    built = [node for node in nodes if node["resource_type"] in {"model", "seed"}]
    relations = [f"{node['schema']}.{node['alias']}" for node in built]
    row = conn.execute(_LAST, {"project": project, "zone": zone, "relations": relations}).fetchone()
    if not row:
        return None
    began_at, as_of, known_until, is_of_this_hour = row
    has_come = _has_landed(conn) or any(_is_due(conn, node, as_of, known_until) for node in built)
    return LastBuild(began_at, as_of, is_of_this_hour and not has_come, is_of_this_hour)


def is_first(conn: psycopg.Connection) -> bool:
    """Whether nothing was ever built here: the next build makes every relation, and asks tests as it does."""
    return conn.execute("select not exists (select from ops.build_fingerprints)").fetchone() == (True,)


def note_good_build(conn: psycopg.Connection, invocation_id: str, project: str) -> None:
    """Remember that a run of dbt built all of a project and every test passed; nothing where another run began since.

    Args:
        invocation_id: dbt's id of the run.
        project: what `dbt_project.fingerprint` said before it.
    """
    conn.execute(
        "update ops.last_build set project = %s where invocation_id = %s and has_all_versions",
        [project, invocation_id],
    )


def _has_landed(conn: psycopg.Connection) -> bool:
    parts = [
        sql.SQL("exists (select from {} where load_id > last.load_id)").format(sql.Identifier("raw", table))
        for table in _LANDED
    ]
    found = conn.execute(
        sql.SQL("select {} from ops.last_build as last").format(sql.SQL(" or ").join(parts))
    ).fetchone()
    return found != (False,)


def _is_due(conn: psycopg.Connection, node: Mapping[str, Any], known_before: datetime, known_until: datetime) -> bool:
    """Whether a row of the model counts otherwise since the last build although nothing landed: its column
    meta.falls_due says when; an index on it makes the look cheap."""
    column = node["config"]["meta"].get("falls_due")
    if not column:
        return False
    query = sql.SQL("select exists (select from {} where {} between %s and %s)")
    names = sql.Identifier(node["schema"], node["alias"]), sql.Identifier(column)
    return conn.execute(query.format(*names), [known_before, known_until]).fetchone() != (False,)
