"""How a migration runs its files of SQL."""

from pathlib import Path

from sqlalchemy import Connection

SQL = Path(__file__).parent / "sql"


def run_files(connection: Connection, *names: str) -> None:
    """Run files of `sql/` on the connection of a migration, in this order, in its transaction."""
    cursor = connection.connection.cursor()
    for name in names:
        cursor.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    cursor.close()
