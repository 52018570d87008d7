"""Import the bundle into a real Superset, ask each chart for its data and take a picture, after `make demo`.

python -m venv SUPERSET
SUPERSET/bin/pip install apache-superset==6.1.0 psycopg2-binary rich cachetools flask-caching==2.3.1 gunicorn
b2chat exec python -m scripts.try_superset SUPERSET/bin --picture docs/superset.png

This Superset lives in a temporary folder and on loopback, and is gone afterwards.
"""

import argparse
import io
import json
import math
import os
import secrets
import socket
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import psycopg
import yaml

from scripts.write_superset_datasets import BUNDLE
from tests.support.browser import browser

CONFIG = """
import os
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.environ["SUPERSET_HOME"] + "/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
"""
# What some charts should show in a week, by another table where there is one: columns of the chart, SQL for its rows.
EXPECTED = {
    "response_heatmap": (
        ("day_label_en", "hour_label", "first_response_p50"),
        """select day_label_en, hour_label, p50_first_response_seconds from marts.weekly_response_time_heatmap
           where week_start = %(week)s and scope = %(scope)s and scope_id = %(scope_id)s
             and direction_filter = 'incoming' and office_hours_filter = 'all'""",
    ),
    "traffic_heatmap": (
        ("day_label_en", "hour_label", "chats_created"),
        """select day_label_en, hour_label, chat_count from marts.conversation_traffic_heatmap
           where week_start = %(week)s and scope = %(scope)s and scope_id = %(scope_id)s""",
    ),
    "agents": (
        ("agent_id", "reply_mean"),
        """select scope_id, value from marts.kpi_weekly
           where period_start = %(week)s and scope = 'agent' and metric = 'reply_mean'""",
    ),
    "sla_by_week": (
        ("period_start", "metric", "sla_rate"),
        """select (extract(epoch from period_start) * 1000)::float8, metric, rate from marts.sla_by_direction
           where period = 'week' and scope = %(scope)s and scope_id = %(scope_id)s
             and direction = 'incoming' and clock = 'wall'""",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=Path, help="the folder of Superset's programs")
    parser.add_argument("--picture", type=Path, help="where to put a picture of the dashboard (needs Chromium)")
    asked = parser.parse_args()
    address = subprocess.run(["b2chat", "db", "bi-url"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as home, superset(asked.bin.resolve(), Path(home)) as server:
        import_bundle(server, address)
        week, whose = newest_week(address), shown_by_default(address)
        for path in sorted((BUNDLE / "charts").glob("*.yaml")):
            rows = ask(server, yaml.safe_load(path.read_text()), week, whose)
            print(f"{path.stem}: {len(rows)} rows")
            if path.stem in EXPECTED:
                compare(path.stem, rows, address, week, whose)
        if asked.picture:
            take(server, asked.picture)
            print(asked.picture)


@contextmanager
def superset(programs: Path, home: Path) -> Iterator[httpx.Client]:
    """An empty Superset; yields a client that its administrator has signed in."""
    password = secrets.token_hex(16)
    (home / "superset_config.py").write_text(CONFIG)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PYTHONPATH")},
        "SUPERSET_HOME": str(home),
        "SUPERSET_CONFIG_PATH": str(home / "superset_config.py"),
        "SUPERSET_SECRET_KEY": secrets.token_hex(32),
        "FLASK_APP": "superset",
        "SCARF_ANALYTICS": "false",
    }
    admin = ["--username", "admin", "--firstname", "A", "--lastname", "A", "--email", "admin@example.com"]
    for command in (
        ["db", "upgrade"],
        ["fab", "create-admin", *admin, "--password", password],
        ["init"],
    ):
        print("superset", *command[:2])
        done = subprocess.run([programs / "superset", *command], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
    port = _free_port()
    gunicorn = [programs / "gunicorn", "-b", f"127.0.0.1:{port}", "--threads", "8", "--timeout", "300"]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen([*gunicorn, "superset.app:create_app()"], env=environment, stdout=log, stderr=log)
        try:
            yield sign_in(f"http://127.0.0.1:{port}", password)
        finally:
            process.terminate()
            process.wait(60)


def sign_in(address: str, password: str) -> httpx.Client:
    client = httpx.Client(base_url=address, timeout=300, headers={"Referer": address})
    deadline = time.monotonic() + 300
    while True:
        try:
            client.get("/health").raise_for_status()
            break
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
    client.post("/login/", data={"username": "admin", "password": password})  # its session is the client's cookie
    return client


def import_bundle(server: httpx.Client, address: str) -> None:
    """Import as a person does: the file without a password, and the password beside it."""
    parts = urlsplit(address)
    password = unquote(parts.password or "")
    here = f"{parts.hostname}:{parts.port}{parts.path}"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for path in sorted(BUNDLE.rglob("*.yaml")):
            text = path.read_text().replace("localhost:5432/b2chat", here)
            bundle.writestr(f"superset/{path.relative_to(BUNDLE)}", text)
    answer = server.post(
        "/api/v1/dashboard/import/",
        files={"formData": ("b2chat.zip", file.getvalue(), "application/zip")},
        data={"passwords": json.dumps({"databases/B2Chat.yaml": password})},
    )
    if answer.is_error:
        raise SystemExit(f"import: {answer.status_code} {answer.text[:2000]}")
    print("imported:", answer.json()["message"])


def newest_week(address: str) -> str:
    with psycopg.connect(address) as connection:
        [week] = connection.execute("select last_full_week_start::text from marts.data_span").fetchone() or [None]
    assert week, "make the demo first"
    return str(week)


def shown_by_default(address: str) -> tuple[str, str]:
    """The scope and its member that have times: all, or with several sources the first."""
    with psycopg.connect(address) as connection:
        query = "select scope, scope_id from marts.scope_members where is_default"
        [(scope, scope_id)] = connection.execute(query).fetchall()
    return scope, scope_id


def ask(server: httpx.Client, chart: dict[str, Any], week: str, whose: tuple[str, str]) -> list[dict[str, Any]]:
    """The rows of a chart in a week: chats that customers began, all hours.

    Args:
        server: a client of Superset.
        chart: the chart's file.
        week: its Monday.
        whose: the scope and its member.
    """
    dataset = call(server, f"/api/v1/dataset/{chart['dataset_uuid']}")["result"]
    columns = {column["column_name"] for column in dataset["columns"]}
    params = chart["params"]
    dashboard = yaml.safe_load((BUNDLE / "dashboards" / "heatmap_and_kpis.yaml").read_text())
    place = next(
        one["meta"]["chartId"]
        for name, one in dashboard["position"].items()
        if name.startswith("CHART-") and one["meta"]["uuid"] == chart["uuid"]
    )
    member = "all" if whose[0] == "all" else ": ".join(whose)
    chosen = {"week_start": week, "whose": member, "direction_filter": "incoming", "office_hours_filter": "all"}
    filters = [
        {"col": one["subject"], "op": one["operator"], "val": one["comparator"]}
        for one in params["adhoc_filters"]
        if one["expressionType"] == "SIMPLE"
    ]
    for one in dashboard["metadata"]["native_filter_configuration"]:
        column = one["targets"][0]["column"]["name"]
        if place not in one["scope"]["excluded"] and column in columns:
            filters.append({"col": column, "op": "IN", "val": [chosen[column]]})
    groupby = params.get("groupby") or []
    dimensions = [groupby] if isinstance(groupby, str) else groupby
    query = {
        "filters": filters,
        "columns": [*([params["x_axis"]] if "x_axis" in params else []), *dimensions, *params.get("all_columns", [])],
        "metrics": params.get("metrics") or ([params["metric"]] if "metric" in params else None),
        "row_limit": 10000,
        "extras": {
            "where": " and ".join(one["sqlExpression"] for one in params["adhoc_filters"] if "sqlExpression" in one)
        },
    }
    body = {"datasource": {"id": dataset["id"], "type": "table"}, "queries": [query], "force": True}
    [result] = call(server, "/api/v1/chart/data", body)["result"]
    assert result["rowcount"] and not result["error"], chart["slice_name"]
    rows: list[dict[str, Any]] = result["data"]
    return rows


def compare(name: str, rows: list[dict[str, Any]], address: str, week: str, whose: tuple[str, str]) -> None:
    """Compare a chart's rows with the marts; fails where one differs."""
    columns, sql = EXPECTED[name]
    of = {"week": week, "scope": whose[0], "scope_id": whose[1]}
    shown = {tuple(row[column] for column in columns[:-1]): row[columns[-1]] for row in rows}
    with psycopg.connect(address) as connection:
        expected = {tuple(key): value for *key, value in connection.execute(sql, of)}
    assert len(shown) == len(rows) and shown.keys() == expected.keys(), name
    for key, value in expected.items():
        assert value == shown[key] or math.isclose(value, shown[key], rel_tol=1e-9), (name, key)
    print(f"  {len(rows)} as in the marts, {sum(value is None for value in expected.values())} of them empty")


def call(server: httpx.Client, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = server.request("POST" if body else "GET", path, json=body)
    if answer.is_error:
        raise SystemExit(f"{path}: {answer.status_code} {answer.text[:2000]}")
    found: dict[str, Any] = answer.json()
    return found


def take(server: httpx.Client, target: Path) -> None:
    with browser() as page:
        page.look(1500, 2000)
        for name, value in server.cookies.items():
            page.do("Network.setCookie", name=name, value=value, url=str(server.base_url))
        page.open(str(server.base_url.join("/superset/dashboard/b2chat/")))
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            page.tell("1")  # the browser's connection ends where nobody listens
            time.sleep(1)
        target.write_bytes(page.picture())


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    main()
