"""Postgres: the embedded server, connections, migrations."""
