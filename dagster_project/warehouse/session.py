"""What each session of ours has, whatever the server, the database or the role has as its default.

Dates, intervals and strings are read as they are written, a build is not ended by a timeout that is meant for others,
and a transaction sees what was committed before each statement of it.
"""

_VALUES = {
    "timezone": "UTC",
    "datestyle": "ISO,MDY",
    "intervalstyle": "postgres",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "search_path": "public",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": r"read\ committed",
    "row_security": "on",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
# As libpq's `options`, so that it holds for each driver: psycopg, SQLAlchemy's (Dagster) and psycopg2 (dbt). Only what
# any role may set: with anything else the server refuses the connection.
OPTIONS = " ".join(f"-c {name}={value}" for name, value in _VALUES.items())
