"""How the dashboard reads: as the role of BI, read only, in few sessions."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from dagster_project.dashboard.errors import DashboardFailed
from dagster_project.settings import Settings
from dagster_project.warehouse.access import bi_access

Made = TypeVar("Made")
_PASSING = (psycopg.OperationalError, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
SESSIONS = 5  # of the 20 that bi_reader may have (warehouse/connection_budget)
_WAIT_SECONDS = 10
# Of each transaction, not of the session: so it holds behind a pooler too. Compiling takes longer than the query.
_LIMITS = {"statement_timeout": "15s", "lock_timeout": "5s", "timezone": "UTC", "jit": "off"}
_SET_LIMITS = f"select {', '.join('set_config(%s, %s, true)' for _ in _LIMITS)}"


@dataclass(frozen=True)
class Reader:
    """Sessions of bi_reader."""

    pool: ConnectionPool

    def read(self, make: Callable[[psycopg.Connection], Made]) -> Made:
        """What `make` makes of the marts, in a transaction that may write nothing.

        Each statement sees the newest state: in one state for the whole page, a table that a refresh puts in another's
        place would look empty. A session that a refresh ends, because it was in its way, is begun anew once, and so
        is a page that looked for a table at the moment of its exchange.

        Raises:
            DashboardFailed: the warehouse cannot be reached, is busy, or took too long.
        """
        try:
            with contextlib.suppress(*_PASSING):
                return self._read(make)
            return self._read(make)
        except psycopg.Error as error:  # its text may hold values
            raise DashboardFailed(f"the warehouse does not answer ({type(error).__name__})") from None

    def _read(self, make: Callable[[psycopg.Connection], Made]) -> Made:
        try:
            with self.pool.connection() as connection:
                connection.execute(_SET_LIMITS, [part for limit in _LIMITS.items() for part in limit])
                return make(connection)
        except PoolTimeout:
            raise DashboardFailed("the warehouse has no session free for the dashboard") from None
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            raise DashboardFailed("a query of the dashboard took too long") from None


@contextmanager
def reader(settings: Settings, url: str) -> Iterator[Reader]:
    """A reader while this lasts.

    Args:
        url: the warehouse's own address; the password of bi_reader is looked up with it.

    Raises:
        SettingsError: there is no role bi_reader, or its password is not known.
    """
    with ConnectionPool(
        bi_access.url_with_password(settings, url),
        kwargs={"application_name": "b2chat dashboard", "connect_timeout": 15},
        min_size=1,
        max_size=SESSIONS,
        timeout=_WAIT_SECONDS,
        max_idle=60,
        reconnect_timeout=8,  # then the next reader tries anew: it waits longer and longer otherwise
        configure=_configure,
        check=ConnectionPool.check_connection,
        open=True,
    ) as pool:
        yield Reader(pool)


def _configure(connection: psycopg.Connection) -> None:
    connection.read_only = True
    connection.prepare_threshold = None  # a pooler may hand each transaction to another session
