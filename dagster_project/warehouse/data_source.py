"""Which kind of source fills a warehouse: an account of B2Chat, or the sandbox, whose data is made up.

The first sync writes it down, and no other kind is let in after it (`ingestion/source.py`).
"""

from typing import Literal

import psycopg

Kind = Literal["b2chat", "sandbox"]


def kind_of(conn: psycopg.Connection) -> Kind | None:
    """The kind of source; None where nothing was read yet."""
    row = conn.execute("select kind from ops.data_source").fetchone()
    return row[0] if row else None


def is_demo(conn: psycopg.Connection) -> bool:
    """Whether the data is made up: whatever shows it must say so."""
    return kind_of(conn) == "sandbox"
