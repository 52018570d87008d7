"""Who was forgotten in a source's own database stays so, also where a backup of it, or of the warehouse, came back.

The list of erased people knows them by hashes of their ids. So whoever is in the database under a name again is found
there, and goes the whole way once more, under the token of then.
"""

import logging

import psycopg

from dagster_project.erasure import files, rooms
from dagster_project.settings import Settings
from dagster_project.sources.people import by_user
from dagster_project.sources.rooms.entities import NAME
from dagster_project.warehouse import suppression
from dagster_project.warehouse.connection import connect

log = logging.getLogger(__name__)

_USERS = "select id::text from rooms.users"
_WITH_A_NAME = " where not starts_with(username, 'erased-')"


def known_in_rooms(url: str, source_url: str, *, by_name: bool = True) -> dict[str, str]:
    """Users of rooms who were erased, each with the token of then.

    Args:
        url: the warehouse's.
        source_url: the Postgres that holds the schema rooms.
        by_name: only those who have a name there again; else all.

    Raises:
        suppression.WrongSalt: nobody can tell who was erased.
    """
    with connect(url) as conn:
        hashed = suppression.reader(conn)
        if not hashed:
            return {}
        with connect(source_url) as source:
            found = source.execute(_USERS + (_WITH_A_NAME if by_name else "")).fetchall()
        hashes = {hashed(by_user(NAME, user)): user for (user,) in found}
        return {hashes[one]: token for one, token in suppression.tokens(conn, hashes).items()}


def forget_in_rooms(
    url: str, source_url: str, settings: Settings, store: files.Store, by: str, *, by_name: bool = True
) -> int:
    """Erase them once more; what the schema's database refuses is told, and hinders nothing: nothing of them lands.

    Args:
        by: who does it, an id of ops.users.
        by_name: as `known_in_rooms`; after a restore of the warehouse all, for raw may hold what rooms no longer does.

    Returns:
        how many there were.

    Raises:
        AlreadyRunning: a sync is at work; run it again.
        ArchiveFailed, StoreFailed: a file could not be read or written; run it again.
    """
    try:
        again = known_in_rooms(url, source_url, by_name=by_name)
        for user, token in again.items():
            rooms.erase(url, source_url, settings, store, user, by, token)
    except psycopg.Error as error:
        log.warning("users of rooms who were erased could not be looked for there: %s", type(error).__name__)
        return 0
    if again:
        log.warning("%d users of rooms who were erased were there again, and are erased again", len(again))
    return len(again)
