"""Forgets a user of chat rooms: at the source, in what was read of it, in archived months, in what classifiers said.

Each step does nothing a second time, so whoever is killed is run again. What is built of the rows follows with the next
build, for they come in loads of their own.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import psycopg
from psycopg import sql

from dagster_project.erasure import analyses, files
from dagster_project.erasure.copied_rows import less_copied, less_in_month, less_that_hang_on
from dagster_project.erasure.person import MARK, NoSuchPerson
from dagster_project.ingestion.single_writer import writer
from dagster_project.settings import Settings
from dagster_project.sources.people import by_user
from dagster_project.sources.rooms.entities import ENTITIES, ERASED, MESSAGES, NAME
from dagster_project.warehouse import suppression
from dagster_project.warehouse.access import audit_log
from dagster_project.warehouse.archive import states, steps
from dagster_project.warehouse.connection import connect

_READ = f"raw.{MESSAGES.table}"
_THEIRS = """
    select payload ->> 'id' from {} where conversation_id = any(%(places)s) or payload ->> 'sender_id' = %(user)s
"""
# What was read, in months.
_MONTHS = {f"raw.{one.table}": one for one in ENTITIES if one.copied and one.copied.month and one.copied.personal}
_IN_FILES = {
    "rooms.messages": "update {} set content = %(erased)s, content_metadata = '{{}}' "
    "where (sender_id = %(user)s::uuid or room_id = any(%(places)s::uuid[])) "
    "and (content <> %(erased)s or content_metadata <> '{{}}')",
    "rooms.chat_file_attachments": "update {} set original_filename = %(erased)s, thumbnail_url = null "
    "where (owner_id = %(user)s::uuid or message_id = any(%(messages)s::uuid[])) "
    "and (original_filename <> %(erased)s or thumbnail_url is not null)",
    "rooms.robot_interactions": "update {} set request_data = '{{}}', observation_data = null, response_data = null, "
    "error_message = null where message_id = any(%(messages)s::uuid[]) and (request_data <> '{{}}' "
    "or num_nonnulls(observation_data, response_data, error_message) > 0)",
    "rooms.user_presence_changes": "update {} set to_status = %(erased)s where user_id = %(user)s::uuid "
    "and to_status <> %(erased)s",
}


@dataclass(frozen=True)
class _Person:
    """A user, the rooms that are about them, the roots of these, and the messages that go."""

    user: str
    places: Sequence[str]
    roots: Sequence[str]
    messages: Sequence[str] = ()


def erase(
    url: str, source_url: str, settings: Settings, store: files.Store, user: str, by: str, token: str | None = None
) -> dict[str, int]:
    """Take a user out of rooms, raw, archives and classifications.

    Args:
        source_url: the Postgres that holds the schema rooms.
        user: the id in rooms.users.
        by: who does it, an id of ops.users.
        token: of an erasure that is done again. Default: a new one.

    Returns:
        how many rows or files changed, by place.

    Raises:
        NoSuchPerson: there is no such user.
        AlreadyRunning: a sync is at work: nothing has changed at the warehouse, run it again.
        ArchiveFailed, StoreFailed: a file could not be read or written; run it again.
    """
    token = token or MARK + secrets.token_hex(8)
    person, counts = _at_the_source(source_url, user)
    with writer(url, "erase a user of rooms") as conn, conn.transaction():
        known = [by_user(NAME, one) for one in (user, *person.places)]
        suppression.add(conn, map(suppression.writer(conn, settings), known), token)
        person = replace(person, messages=_theirs(conn, sql.Identifier(*_READ.split(".")), person))
        counts |= _in_raw(conn, person)
        counts |= analyses.erase(conn, [f"{NAME}:{root}" for root in person.roots], user, token)
    counts["archived files"], archived = _in_archives(url, store, person, token)
    if archived:
        with writer(url, "erase a user of rooms") as conn, conn.transaction():
            known = [by_user(NAME, one) for one in archived]
            suppression.add(conn, map(suppression.writer(conn, settings), known), token)
            for entity in ENTITIES:
                if entity.copied and entity.copied.belongs_to and entity.copied.personal:
                    counts[f"raw.{entity.table}"] += less_that_hang_on(conn, entity, archived)
    with connect(url, autocommit=True) as conn:
        suppression.keep_copy(conn, settings)
        audit_log.record(
            conn, "erasure.complete", resource="erasure", resource_id=token, user=by, metadata={"counts": counts}
        )
    return {place: count for place, count in counts.items() if count}


def _at_the_source(url: str, user: str) -> tuple[_Person, dict[str, int]]:
    with connect(url) as conn:
        try:
            found = conn.execute(
                "select array_agg(id::text), array_agg(distinct root_room_id::text) from rooms.chat_rooms "
                "where id = any(rooms.rooms_about(%s::uuid))",
                [user],
            ).fetchone() or (None, None)
            erased = conn.execute("select * from rooms.erase_user(%s::uuid)", [user]).fetchall()
        except psycopg.errors.InvalidTextRepresentation:
            raise NoSuchPerson("a user of rooms has an id such as 7c9e6679-7425-40de-944b-e07fc1f90ae7") from None
        except psycopg.Error as error:
            if error.sqlstate == "RM011":
                raise NoSuchPerson("there is no such user of rooms") from None
            raise
    places, roots = found
    return _Person(user, places or [], roots or []), {f"{NAME}.{table}": count for table, count in erased}


def _in_raw(conn: psycopg.Connection, person: _Person) -> dict[str, int]:
    """Also of months that are archived at the source, which no sync reads again."""
    counts = {}
    for entity in ENTITIES:
        copied = entity.copied
        assert copied
        if copied.personal:
            counts[f"raw.{entity.table}"] = less_copied(conn, entity, [person.user, *person.places])
    return counts


def _theirs(conn: psycopg.Connection, table: sql.Identifier, person: _Person) -> list[str]:
    """The messages of a table of raw, or of a month of it, that are about a person."""
    given = {"places": list(person.places), "user": person.user}
    return [one for (one,) in conn.execute(sql.SQL(_THEIRS).format(table), given).fetchall()]


def _in_archives(url: str, store: files.Store, person: _Person, token: str) -> tuple[int, list[str]]:
    """Files of months that held a word of theirs are written anew.

    Returns:
        how many, and the messages that are known of them alone: they, too, keep what hangs on them from coming back.
    """
    changed, archived = 0, set[str]()

    def redact(name: str, conn: psycopg.Connection, table: sql.Identifier) -> int:
        if name == _READ:
            archived.update(_theirs(conn, table, person))
        if name in _MONTHS:
            return less_in_month(conn, table, _MONTHS[name], [person.user, *person.places])
        given = {"erased": ERASED, "user": person.user, "places": list(person.places)}
        given["messages"] = [*person.messages, *archived]
        return conn.execute(sql.SQL(_IN_FILES[name]).format(table), given).rowcount

    with connect(url, autocommit=True) as conn, steps.alone(conn):
        found = states.archives(conn, ("exported", "verified", "detached", "dropped", "restored"))
        for archive in sorted(found, key=lambda one: one.table_name != _READ):  # what hangs on messages after them
            if archive.table_name in _MONTHS or archive.table_name in _IN_FILES:
                changed += files.rewrite(url, store, archive, token, partial(redact, archive.table_name))
    return changed, sorted(archived.difference(person.messages))
