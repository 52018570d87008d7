"""What fills a warehouse: an account, files, or a sandbox, whose data is made up.

The first sync of each source notes it, and no other kind is let in after it (`ingestion/origin.py`).
"""

from datetime import datetime
from typing import Literal

import psycopg

Kind = Literal["b2chat", "sandbox"]


def kind_of(conn: psycopg.Connection) -> Kind | None:
    """ "sandbox" if any of the data is made up, else the kind of the first source; None where nothing was read."""
    row = conn.execute(
        "select kind from ops.data_source order by kind = 'sandbox' desc, first_used_at limit 1"
    ).fetchone()
    return row[0] if row else None


def is_demo(conn: psycopg.Connection) -> bool:
    """Whether the data is made up: whatever shows it must say so."""
    return kind_of(conn) == "sandbox"


def account_since(conn: psycopg.Connection) -> datetime | None:
    """Since when an account is read, whose data cannot be made anew; None where none is."""
    row = conn.execute("select min(first_used_at) from ops.data_source where kind <> 'sandbox'").fetchone()
    return row[0] if row else None
