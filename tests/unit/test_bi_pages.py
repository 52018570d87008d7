"""The SQL that the pages on BI tools show reads columns that the marts have."""

import json
import re

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from dagster_project.orchestration.dbt_project import manifest
from dagster_project.settings import PROJECT_ROOT

SQL = [
    (page.name, block)
    for page in sorted((PROJECT_ROOT / "docs").glob("bi*.md"))
    for block in re.findall(r"^ *```sql\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
    if "marts." in block
]


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, dict[str, str]]]:
    nodes = json.loads(manifest().read_text())["nodes"].values()
    marts = [node for node in nodes if node["schema"] == "marts" and node["resource_type"] == "model"]
    return {"marts": {one["alias"]: {c["name"]: c["data_type"] for c in one["columns"].values()} for one in marts}}


@pytest.mark.parametrize(("page", "sql"), SQL, ids=[f"{page}-{number}" for number, (page, _) in enumerate(SQL)])
def test_each_column_is_one_of_the_table_it_is_read_from(
    page: str, sql: str, schema: dict[str, dict[str, dict[str, str]]]
) -> None:
    query = qualify(sqlglot.parse_one(sql, dialect="postgres"), schema=schema, dialect="postgres")
    tables = list(query.find_all(exp.Table))
    assert tables and all(table.name in schema["marts"] for table in tables), page


def test_each_tool_has_a_page_that_says_whether_it_was_tried() -> None:
    for tool in ("metabase", "power_bi", "looker_studio", "grafana"):
        page = PROJECT_ROOT / "docs" / f"bi_{tool}.md"
        assert "not tried on the product" in " ".join(page.read_text().split()), page.name
