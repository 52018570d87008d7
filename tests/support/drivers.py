"""The three drivers that a warehouse is reached by, each used as its owner uses it."""

import os

import psycopg2
import sqlalchemy
import yaml

from dagster_project.orchestration.dbt_project import DBT_DIR
from dagster_project.warehouse import connection


def met_by_all(url: str, query: str) -> set[tuple[object, ...]]:
    """The row that a query gives psycopg, Dagster and dbt; puts the warehouse into this process's environment."""
    os.environ.update(connection.environment(url))
    with connection.connect(url) as conn:
        met = {tuple(conn.execute(query).fetchone() or ())}
    with sqlalchemy.create_engine(os.environ["DAGSTER_PG_URL"]).connect() as dagster:
        met.add(tuple(dagster.exec_driver_sql(query).one()))
    dbt = psycopg2.connect(**dbts_fields())
    with dbt.cursor() as cursor:
        cursor.execute(query)
        met.add(cursor.fetchone())
    dbt.close()
    return met


def dbts_fields() -> dict[str, object]:
    """What dbt hands to its driver: the fields of the profile as dbt renders them, and nothing else of libpq's."""
    from dbt.config.renderer import ProfileRenderer
    from dbt_common.context import set_invocation_context

    set_invocation_context(os.environ)
    file = yaml.safe_load((DBT_DIR / "profiles.yml").read_text())
    fields = ProfileRenderer({}).render_data(file)["b2chat"]["outputs"]["warehouse"]
    assert all(isinstance(fields[name], str) for name in ("host", "user", "password", "dbname"))
    return {name: fields[name] for name in ("host", "port", "user", "password", "dbname")}
