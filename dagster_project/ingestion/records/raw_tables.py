"""The tables of `raw` by an entity's specification, and what of a page goes by which name."""

from collections.abc import Iterable

from psycopg import sql

from dagster_project.sources.contract import EntitySpec, Page


def names_of(entity: EntitySpec) -> dict[str, sql.Composable]:
    """What statements over an entity's tables are made with: `current`, `versions`, `key`, and `, ` before each of
    its own `columns`."""
    return {
        "current": sql.Identifier("raw", entity.table),
        "versions": sql.Identifier("raw", entity.versions or entity.table),
        "key": sql.Identifier(entity.key),
        "columns": sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in entity.columns),
    }


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
