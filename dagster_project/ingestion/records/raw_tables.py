"""The tables of `raw` by an entity's specification, and what of a page goes by which name."""

from collections.abc import Iterable, Sequence
from typing import LiteralString

from psycopg import sql

from dagster_project.sources.contract import Copied, EntitySpec, Page


def names_of(entity: EntitySpec) -> dict[str, sql.Composable]:
    """What statements over an entity's tables are made with: `current`, `versions`, `key`, and `, ` before each of
    its own `columns`."""
    return {
        "current": sql.Identifier("raw", entity.table),
        "versions": sql.Identifier("raw", entity.versions or entity.table),
        "key": sql.Identifier(entity.key),
        "columns": sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in entity.columns),
    }


def fields_of(payload: LiteralString, fields: Sequence[str]) -> sql.Composable:
    """SQL: the texts of some fields of a payload, with commas between them."""
    return sql.SQL(", ").join(sql.SQL(payload + " ->> {}").format(sql.Literal(name)) for name in fields)


def month_of(payload: LiteralString, field: str) -> sql.Composable:
    """SQL: the month of a time in a payload, as it is written there; of what is no time, a month before all others."""
    return sql.SQL(
        "case when {text} ~ '^(199\\d|20\\d\\d|2100)-(0[1-9]|1[0-2])-' "
        "then make_date(left({text}, 4)::integer, substr({text}, 6, 2)::integer, 1) else '1990-01-01'::date end"
    ).format(text=fields_of(payload, [field]))


def is_row(payload: LiteralString, copied: Copied, fields: Sequence[str]) -> sql.Composable:
    """SQL: whether a row of a table in `raw` is the one whose key is in some fields of another row's payload."""
    same = sql.SQL("row_key = concat_ws('|', {})").format(fields_of(payload, fields))
    if copied.month not in copied.keys:
        return same
    field = fields[copied.keys.index(copied.month)]
    return sql.SQL("{} and row_month = {}").format(same, month_of(payload, field))


def kinds_of(entity: EntitySpec) -> list[str]:
    """What of an entity can be in quarantine: its records, and parts of them."""
    return [entity.name, *entity.parts]


def keys_of(page: Page) -> list[str]:
    """The keys that a page brings, of records that can land and of others."""
    return [record.key for record in page.records] + [one.key for one in page.rejected if one.key is not None]


def text_array(texts: Iterable[str]) -> str:
    """Texts as Postgres writes an array of them. A page's keys go to it several times, and psycopg dumps one by one."""
    listed = list(texts)
    joined = "\0".join(listed).replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{joined}"}}' if listed else "{}"
