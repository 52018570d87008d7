"""The way to the marts: as BI's role, read only, a few sessions, each question from one state of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import IsolationLevel

from dagster_project.questions.errors import QuestionFailed

SESSIONS = 3  # of the 20 that bi_reader may have (warehouse/connection_budget)
_WAIT_SECONDS = 20
_SECONDS = 15  # that a statement may take
_NOT_BUILT = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
)


class Marts:
    """Sessions of bi_reader, opened for a question and closed after it."""

    def __init__(self, url: str, timezone: str) -> None:
        """Args:
        url: the address of bi_reader, with its password.
        timezone: the account's, in which times are shown.
        """
        self._url = url
        self._timezone = timezone
        self._free = threading.BoundedSemaphore(SESSIONS)

    @contextmanager
    def snapshot(self, seconds: int = _SECONDS) -> Iterator[psycopg.Connection]:
        """A transaction that sees one state of the marts, and may write nothing.

        Raises:
            QuestionFailed: the warehouse does not answer, is busy, is not built, or took too long.
        """
        if not self._free.acquire(timeout=_WAIT_SECONDS):
            raise QuestionFailed("All sessions are in use by other questions: ask again in a moment.")
        try:
            with psycopg.connect(self._url, application_name="b2chat mcp", connect_timeout=15) as conn:
                conn.read_only = True
                conn.isolation_level = IsolationLevel.REPEATABLE_READ
                limits = {
                    "statement_timeout": f"{seconds}s",
                    "lock_timeout": "5s",
                    "timezone": self._timezone,
                    "jit": "off",
                }
                for name, value in limits.items():
                    conn.execute("select set_config(%s, %s, true)", [name, value])
                yield conn
                conn.rollback()
        except psycopg.errors.QueryCanceled:
            raise QuestionFailed(f"It took more than {seconds} seconds: ask for a shorter period or fewer.") from None
        except _NOT_BUILT:
            raise QuestionFailed("The marts are not built, or older than this program: run `b2chat build`.") from None
        except psycopg.OperationalError as error:
            raise QuestionFailed(
                f"The warehouse does not answer, or refuses bi_reader ({type(error).__name__}): try again; if it stays "
                "so, start `b2chat mcp` anew, which looks the password up again."
            ) from None
        finally:
            self._free.release()
