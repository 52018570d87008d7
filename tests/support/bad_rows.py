"""For each NOT NULL, CHECK, key and reference of a schema's catalogue, a row that breaks it: what the server said.

Each table holds sound rows. A bad row is one of them with one value changed, so that nothing else is wrong with it.
"""

import json
import uuid
from collections.abc import Mapping

import psycopg
from psycopg import sql

NOT_NULL, CHECK, UNIQUE, REFERENCE = "23502", "23514", "23505", "23503"
_TABLES = """
    select pg_class.relname from pg_class
    where relnamespace = %s::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname <> 'alembic_version'
"""
_REQUIRED = f"""
    select pg_class.relname, attname, attname = any(
        select name from pg_partitioned_table
        inner join pg_attribute as parts on parts.attrelid = partrelid and parts.attnum = any(partattrs)
        cross join lateral (select parts.attname) as part (name) where partrelid = pg_class.oid
    )
    from pg_attribute inner join pg_class on pg_class.oid = attrelid
    where attnum > 0 and attnotnull and relnamespace = %s::regnamespace and relname in ({_TABLES})
"""
_CONSTRAINTS = f"""
    select
        pg_class.relname, conname, contype::text,
        array(select attname::text from unnest(conkey) with ordinality as part (number, place)
            inner join pg_attribute on attrelid = conrelid and attnum = number order by place)
    from pg_constraint inner join pg_class on pg_class.oid = conrelid
    where connamespace = %s::regnamespace and contype in ('c', 'f', 'u', 'p') and relname in ({_TABLES})
        and conparentid = 0
    order by 1, 2
"""
_OF_PARENT = """
    with recursive above as (
        select oid, conname, conparentid from pg_constraint
        where conname = %s and connamespace = %s::regnamespace
        union all
        select up.oid, up.conname, up.conparentid
        from pg_constraint as up inner join above on up.oid = above.conparentid
    )
    select conname from above where conparentid = 0
"""


def unrefused(
    conn: psycopg.Connection, schema: str, bad_checks: Mapping[str, str], bad_references: Mapping[str, str]
) -> list[str]:
    """What the schema lets in, or refuses by another rule than the one that was broken; nothing, where all is well.

    Args:
        conn: of the owner, in a transaction; nothing is changed.
        bad_checks: by name of a CHECK, the SET clause that makes a row of its table break it.
        bad_references: likewise of a reference, where an unknown key breaks another rule first.
    """
    found = []
    for table, column, is_part_of_month in conn.execute(_REQUIRED, [schema, schema]).fetchall():
        said = _said(conn, _update(schema, table, f'"{column}" = null'), "replica")
        # A row without its month has no partition, which is looked for first.
        if said[0] != (CHECK if is_part_of_month else NOT_NULL):
            found.append(f"{table}.{column} null: {said}")
    constraints = conn.execute(_CONSTRAINTS, [schema, schema]).fetchall()
    keys = [(table, columns) for table, _, kind, columns in constraints if kind in "pu"]
    found += [f"{name} is gone" for name in bad_checks.keys() - {name for _, name, *_ in constraints}]
    for table, name, kind, columns in constraints:
        if kind == "c":
            said = _said(conn, _update(schema, table, bad_checks[name]), "replica")
        elif kind == "f":
            unknown = bad_references.get(name, f"{columns[0]} = '{uuid.uuid4()}'")
            said = _said(conn, _update(schema, table, unknown), "origin")
        else:
            others = {column for of, columns_of in keys if of == table for column in columns_of} - set(columns)
            changes = json.dumps({column: str(uuid.uuid4()) for column in others})
            said = _said(conn, _again(schema, table, changes), "replica")
        expected = {"c": CHECK, "f": REFERENCE, "p": UNIQUE, "u": UNIQUE}[kind]
        if said[0] != expected or name not in _names(conn, schema, said[1]):
            found.append(f"{table} {name}: {said}")
    return found


def _said(conn: psycopg.Connection, statement: sql.Composed, triggers: str) -> tuple[str | None, str | None]:
    """SQLSTATE and constraint of the refusal; triggers: replica, where what they write would hide the rule."""
    try:
        with conn.transaction():
            conn.execute(f"set local session_replication_role = {triggers}")
            changed = conn.execute(statement).rowcount
            raise psycopg.Rollback
    except psycopg.Rollback:
        return None, f"{changed} rows were written"
    except psycopg.Error as fault:
        return fault.sqlstate, fault.diag.constraint_name


def _names(conn: psycopg.Connection, schema: str, constraint: str | None) -> set[str]:
    """A constraint's own name and, of a partition, that of its parent."""
    return {name for (name,) in conn.execute(_OF_PARENT, [constraint, schema])} | {str(constraint)}


def _update(schema: str, table: str, change: str) -> sql.Composed:
    one = f'(tableoid, ctid) = (select tableoid, ctid from {schema}."{table}" limit 1)'
    return sql.SQL("update {} set {} where {}").format(
        sql.Identifier(schema, table),
        sql.SQL(change),  # type: ignore[arg-type]
        sql.SQL(one),  # type: ignore[arg-type]
    )


def _again(schema: str, table: str, changes: str) -> sql.Composed:
    return sql.SQL("insert into {0} select (jsonb_populate_record(sound, {1})).* from {0} as sound limit 1").format(
        sql.Identifier(schema, table), sql.Literal(changes)
    )
