"""MetricFlow's SQL for a question to the semantic layer, run on a database: without a process or a profile of dbt's."""

import functools
import json
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dagster_project.orchestration.dbt_project import manifest


class SemanticLayer:
    """The semantic layer as dbt parsed it, over one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url) as conn:
            self._engine = _engine(conn.info.dbname)

    def ask(self, *metrics: str, by: tuple[str, ...] = (), where: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """The rows that MetricFlow answers with: columns by the names of metrics and of what they are grouped by."""
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        request = MetricFlowQueryRequest.create(
            metric_names=metrics, group_by_names=by, where_constraints=where or None, order_by_names=by
        )
        return self._run(request)

    def saved(self, name: str) -> list[dict[str, Any]]:
        """The rows of a saved query."""
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        return self._run(MetricFlowQueryRequest.create(saved_query_name=name))

    def _run(self, request: Any) -> list[dict[str, Any]]:
        sql = self._engine.explain(request).sql_statement.sql
        with psycopg.connect(self.url, row_factory=dict_row) as conn:
            return conn.execute(sql).fetchall()


@functools.cache
def _engine(database: str) -> Any:
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    class Postgres:
        sql_engine_type = SqlEngine.POSTGRES
        sql_plan_renderer = PostgresSQLSqlPlanRenderer()

    text = (manifest().parent / "semantic_manifest.json").read_text()
    parsed = parse_manifest_from_dbt_generated_manifest(json.dumps(_in_database(json.loads(text), database)))
    return MetricFlowEngine(SemanticManifestLookup(parsed), Postgres())  # type: ignore[arg-type]


def _in_database(node: Any, database: str) -> Any:
    """Relations of the database that the project was parsed for, as those of another."""
    if isinstance(node, list):
        return [_in_database(one, database) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _in_database(value, database) for key, value in node.items()}
    if "schema_name" in made and "alias" in made:
        made |= {"database": database}
        made["relation_name"] = f'"{database}"."{made["schema_name"]}"."{made["alias"]}"'
    return made
