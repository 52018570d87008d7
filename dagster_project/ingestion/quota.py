"""The day's quota of requests, counted in Postgres: it holds across restarts and across processes."""

from collections.abc import Callable
from datetime import date
from types import TracebackType
from typing import Self

from dagster_project.warehouse.connection import connect


class PostgresQuota:
    """A quota in ops.api_usage, for `B2ChatClient(quota=…)`. It keeps a connection of its own: close it.

    Args:
        source: the name of the source that is asked.
        account: whose requests are counted together.
        requests_per_day: the limit, at least 1.
        today: says which day it is, so that a run past midnight draws on the new day's quota.
    """

    def __init__(self, url: str, source: str, account: str, requests_per_day: int, today: Callable[[], date]) -> None:
        if requests_per_day < 1:
            raise ValueError("requests_per_day must be at least 1")
        self._conn = connect(url, autocommit=True)
        self._source, self._account, self._limit, self._today = source, account, requests_per_day, today
        self._left: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()

    def take(self) -> bool:
        """Take one request from what is left of the day; False when nothing is left."""
        row = self._conn.execute(
            """
            insert into ops.api_usage as u (source, account, usage_day, request_count) values (%s, %s, %s, 1)
            on conflict (source, account, usage_day) do update set request_count = u.request_count + 1
            where u.request_count < %s
            returning request_count
            """,
            (self._source, self._account, self._today(), self._limit),
        ).fetchone()
        self._left = self._limit - row[0] if row else 0
        return row is not None

    def left(self) -> int | None:
        """How many requests are left of the day, as of the last one taken; None before that."""
        return self._left
