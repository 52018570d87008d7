"""Marts as tables with the columns of their contracts, filled by a test: what reads them needs no build of dbt."""

import json
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.orchestration.dbt_project import manifest


class HandMadeMarts:
    """A migrated database with marts; columns that a row leaves out are empty."""

    def __init__(self, url: str) -> None:
        self.url = url
        nodes = json.loads(manifest().read_text())["nodes"].values()
        self._columns = {
            node["name"]: {column["name"]: column["data_type"] for column in node["columns"].values()}
            for node in nodes
            if node["resource_type"] == "model" and node["schema"] == "marts"
        }
        self._made: set[str] = set()

    def fill(self, mart: str, *rows: dict[str, Any]) -> None:
        """Put rows into a mart."""
        with psycopg.connect(self.url) as conn:
            if mart not in self._made:
                columns = [
                    sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))
                    for name, type_ in self._columns[mart].items()
                ]
                table = sql.Identifier("marts", mart)
                conn.execute("create schema if not exists marts")
                conn.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
                self._made.add(mart)
            for row in rows:
                statement = sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier("marts", mart),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(row)),
                )
                conn.execute(statement, list(row.values()))

    def fresh(self, through: datetime, first: date, last: date, full_week: date, *weeks: date) -> None:
        """All marts that were filled so far are fresh, and there are chats from the first day to the last."""
        self.fill("data_freshness")
        for mart in sorted(self._made):
            named = {"mart": mart, "data_through": through, "refreshed_at": through, "freshness": "fresh"}
            self.fill("data_freshness", named)
        span = {"first_date": first, "last_date": last, "last_full_week_start": full_week}
        self.fill("data_span", span | {"first_week_start": min(weeks), "last_week_start": max(weeks)})
