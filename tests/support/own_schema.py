"""A schema of ours as the catalogue has it, in the words of tests that are written by hand."""

import psycopg

EVERYWHERE = "created_at timestamptz!=now(), updated_at timestamptz!=now(), row_xid bigint!=own transaction"


def columns(conn: psycopg.Connection, schema: str, table: str) -> set[str]:
    """The columns of a table: name, type where it is not text, `!` where it is never NULL, its default after `=`.

    The clock of rooms is now() for all but its owner, and its new ids are any ids: tests of their own hold that.
    """
    rows = conn.execute(
        "select attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) "
        "from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        [f"{schema}.{table}"],
    ).fetchall()
    found = set()
    for name, kind, is_required, default in rows:
        kind = {"text": "", "timestamp with time zone": " timestamptz"}.get(kind, f" {kind}")
        if name == "row_xid":
            assert default == "((pg_current_xact_id())::text)::bigint"
            default = "own transaction"
        elif default == f"{schema}.clock()":
            default = "now()"
        elif default == f"{schema}.new_id('{table}'::text)":
            default = "gen_random_uuid()"
        found.add(f"{name}{kind}{'!' if is_required else ''}{f'={default}' if default else ''}")
    return found


def tables(conn: psycopg.Connection, schema: str) -> set[str]:
    """Its tables, without partitions and Alembic's."""
    rows = conn.execute(
        "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'p') "
        "and not relispartition and relname <> 'alembic_version'",
        [schema],
    ).fetchall()
    return {name for (name,) in rows}


def indexes(conn: psycopg.Connection, schema: str) -> dict[str, str]:
    """Its indexes by name, without those of partitions: table, method, columns, predicate."""
    rows = conn.execute(
        "select indexname, tablename || split_part(indexdef, ' USING', 2) from pg_indexes "
        "inner join pg_class on relname = tablename and relnamespace = schemaname::regnamespace "
        "where schemaname = %s and not relispartition and relname <> 'alembic_version'",
        [schema],
    ).fetchall()
    return dict(rows)


def keys(conn: psycopg.Connection, schema: str) -> dict[str, str]:
    """Its primary, unique and foreign keys by name."""
    conn.execute("select set_config('search_path', %s, true)", [schema])
    rows = conn.execute(
        "select conname, pg_get_constraintdef(oid) from pg_constraint "
        "where connamespace = %s::regnamespace and conparentid = 0 and contype in ('p', 'u', 'f') "
        "and conrelid <> 'alembic_version'::regclass",
        [schema],
    ).fetchall()
    conn.execute("select set_config('search_path', '', true)")
    return dict(rows)


def monthly(conn: psycopg.Connection, schema: str) -> dict[str, tuple[str, int]]:
    """Its monthly tables: the column that says the month, and how many there are. None has a default partition."""
    rows = conn.execute(
        "select relname, attname, partdefid, count(inhrelid) from pg_partitioned_table "
        "inner join pg_class on pg_class.oid = partrelid "
        "inner join pg_attribute on attrelid = partrelid and attnum = partattrs[0] "
        "left join pg_inherits on inhparent = partrelid "
        "where relnamespace = %s::regnamespace group by 1, 2, 3",
        [schema],
    ).fetchall()
    assert {row[2] for row in rows} <= {0}
    return {row[0]: (row[1], row[3]) for row in rows}
