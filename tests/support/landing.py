"""Pages of records as a test lists them, landed as a sync does."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg

from dagster_project.ingestion.records.landing import PageResult, land_page
from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.records import Entity
from dagster_project.sources.b2chat.windows import ExportPage, Window, read_window
from dagster_project.sources.contract import Page

DAY = date(2025, 10, 1)


def page_of(*records: Any, entity: Entity = "chats") -> Page:
    """A page that does not say that nothing else is there (see test_deletion)."""
    items = [
        Item(n, one if isinstance(one, str) else json.dumps(one), json.loads(one) if isinstance(one, str) else one)
        for n, one in enumerate(records)
    ]
    count = len(items)
    whole = next(
        read_window(Window(entity, DAY, DAY), lambda offset: ExportPage(items, count, count, offset, 99, 512, 7))
    )
    return replace(whole, keys=None)


def land(conn: psycopg.Connection, *records: Any, entity: Entity = "chats") -> PageResult:
    return land_page(conn, page_of(*records, entity=entity), "sync-1")
