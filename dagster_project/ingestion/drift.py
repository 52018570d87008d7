"""Schema drift: every field that B2Chat ever sent, with its JSON types, and which of them are new.

Names only, never values. Names that an account chooses (custom attributes, whatever does not look like a field) count
as `*`: they may be personal data, and there is no end of them.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg

from dagster_project.b2chat.records import Entity

MAX_DEPTH = 8
MAX_FIELDS = 2000  # of one entity: what comes after these is not catalogued
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,59}")
_FREE_NAMES = "custom_attributes"
_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}

Field = tuple[str, str]


def note_fields(
    conn: psycopg.Connection, entity: Entity, values: Iterable[dict[str, Any]], sync_id: str, load_id: int,
    at: datetime,
) -> list[str]:
    """Add the fields of some records to ops.field_catalog.

    Returns:
        Those to report, as `path type`: never seen before, after a first sync of the entity has succeeded. That a
        known field is null is no news.
    """
    fields = sorted(fields_of(values))
    added = conn.execute(
        """
        insert into ops.field_catalog (entity_type, path, json_type, first_seen_at, first_load_id)
        select %(entity)s, path, json_type, %(at)s, %(load_id)s
        from unnest(%(paths)s::text[], %(types)s::text[]) as found (path, json_type)
        where (select count(*) from ops.field_catalog where entity_type = %(entity)s) < %(max)s
        on conflict do nothing
        returning path, json_type
        """,
        {"entity": entity, "at": at, "load_id": load_id, "max": MAX_FIELDS,
         "paths": [path for path, _ in fields], "types": [kind for _, kind in fields]},
    ).fetchall()
    if not added or _is_first_sync(conn, entity, sync_id):
        return []
    known = {row[0] for row in conn.execute(
        "select path from ops.field_catalog where entity_type = %s and first_load_id < %s", (entity, load_id))}
    return [f"{path} {kind}" for path, kind in added if kind != "null" or path not in known]


def fields_of(values: Iterable[dict[str, Any]]) -> set[Field]:
    """The path and the JSON type of every field: `messages[].location` object."""
    found: set[Field] = set()
    inner_of_shape: dict[tuple[Any, ...], list[tuple[str, str]]] = {}

    def look(value: dict[str, Any], path: str, depth: int) -> None:
        # Thousands of messages have a handful of shapes: what is inside is worked out once for each.
        shape = (path, *value, *map(type, value.values()))
        inner = inner_of_shape.get(shape)
        if inner is None:
            inner = inner_of_shape[shape] = []
            for name, member in value.items():
                place = _place(path, name)
                found.add((place, _TYPES.get(type(member), "null")))
                if isinstance(member, dict | list) and depth < MAX_DEPTH:
                    inner.append((name, place))
        for name, place in inner:
            member = value[name]
            if isinstance(member, dict):
                look(member, place, depth + 1)
            else:
                look_through(member, f"{place}[]", depth + 1)

    def look_through(members: list[Any], path: str, depth: int) -> None:
        kinds = set(map(type, members))
        found.update((path, _TYPES.get(kind, "null")) for kind in kinds)
        if dict in kinds or list in kinds:
            for member in members:
                if isinstance(member, dict):
                    look(member, path, depth)
                elif isinstance(member, list) and depth < MAX_DEPTH:
                    look_through(member, f"{path}[]", depth + 1)

    for value in values:
        look(value, "", 0)
    return found


def _place(path: str, name: str) -> str:
    if path.endswith(_FREE_NAMES) or not _FIELD_NAME.fullmatch(name):
        name = "*"
    return f"{path}.{name}" if path else name


def _is_first_sync(conn: psycopg.Connection, entity: Entity, sync_id: str) -> bool:
    """Whether no sync before this one has succeeded, or none has filled the catalog."""
    row = conn.execute(
        """
        select exists (
            select from ops.sync_logs where entity_type = %(entity)s and status = 'success' and id <> %(sync_id)s
        ) and exists (
            select from ops.field_catalog as f join ops.page_loads as p on p.load_id = f.first_load_id
            where f.entity_type = %(entity)s and p.sync_id <> %(sync_id)s
        )
        """,
        {"entity": entity, "sync_id": sync_id},
    ).fetchone()
    return row is not None and not row[0]
