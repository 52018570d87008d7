"""How many connections the parts take at most at their usual work, against what the server gives."""

import psycopg

# Each process of Dagster keeps a connection for runs, one for events and one for schedules, and opens more where
# threads ask at once. A run also holds its lock; dbt has a connection a thread and one of its own; a sync has two.
BUDGET = {
    "webserver": 9,
    "daemon": 10,
    "code server": 3,
    "runs (4 at a time, 11 each)": 44,
    "a command of `b2chat`": 11,
    "bi_reader": 20,  # the dashboard's five among them
}
NEEDED = sum(BUDGET.values())


class TooFewConnections(Exception):
    """The server gives fewer connections than all parts together may take."""


def check(conn: psycopg.Connection) -> str:
    """What the server gives and what is needed.

    Raises:
        TooFewConnections: it is too little for all parts at once.
    """
    row = conn.execute("""
        select current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
            - coalesce(current_setting('reserved_connections', true)::integer, 0),
            nullif(datconnlimit, -1), nullif(rolconnlimit, -1)
        from pg_database, pg_roles
        where datname = current_database() and rolname = current_user
    """).fetchone()
    assert row is not None
    server, of_database, of_user = row
    ours = NEEDED - BUDGET["bi_reader"]
    limits = (
        ("max_connections, less the reserved ones,", server, NEEDED),
        ("the database's limit", of_database, NEEDED),
        ("our user's limit", of_user, ours),
    )
    for what, limit, needed in limits:
        if limit is not None and limit < needed:
            raise TooFewConnections(
                f"{what} is {limit}, but all parts together take up to {needed} (docs/operations.md): raise it, or "
                "start fewer parts"
            )
    return f"{server} connections for the {NEEDED} that all parts together take at most"
