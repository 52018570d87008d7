"""The schemas that are audited, and what differs between them."""

from dataclasses import dataclass

import psycopg


@dataclass(frozen=True)
class House:
    """What the rules make of a schema.

    Attributes:
        is_made_by_dbt: no foreign keys stand between its tables, and a unique index is key enough.
        has_keys: its tables have keys; without, only dbt's tests hold them.
        is_read_whole: builds and exports read whole tables of it, and should.
    """

    is_made_by_dbt: bool = False
    has_keys: bool = True
    is_read_whole: bool = False


_BY_DBT = House(is_made_by_dbt=True, is_read_whole=True)
OURS = {
    "raw": House(is_read_whole=True),
    "ops": House(),
    "analysis": House(is_read_whole=True),
    "intermediate": House(is_made_by_dbt=True, has_keys=False, is_read_whole=True),
    "core": _BY_DBT,
    "marts": _BY_DBT,
    "marts_pii": _BY_DBT,
    "marts_admin": _BY_DBT,
    "rooms": House(),
    "calls": House(),
}
DATABASE = "database"  # the place of findings of the database as a whole


class NoSuchSchema(Exception):
    """There is no schema of the name that was asked for."""


def fill(conn: psycopg.Connection, wanted: list[str]) -> None:
    """Say in a temporary table which schemas this audit looks at; another than ours goes by the rules of `ops`.

    Raises:
        NoSuchSchema: one is not there.
    """
    conn.execute(
        "create temporary table audited_schemas (schema_name text primary key, is_made_by_dbt boolean, "
        "has_keys boolean, is_read_whole boolean) on commit drop"
    )
    for name in wanted:
        if not conn.execute("select to_regnamespace(quote_ident(%s)) is not null", [name]).fetchone() == (True,):
            raise NoSuchSchema(f"there is no schema {name!r}")
        house = OURS.get(name, House())
        conn.execute(
            "insert into audited_schemas values (%s, %s, %s, %s)",
            [name, house.is_made_by_dbt, house.has_keys, house.is_read_whole],
        )


def existing(conn: psycopg.Connection) -> list[str]:
    """Those of ours that are there."""
    rows = conn.execute("select nspname::text from pg_namespace where nspname = any(%s)", [list(OURS)]).fetchall()
    return sorted((row[0] for row in rows), key=list(OURS).index)
