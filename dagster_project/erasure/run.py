"""Forgets a person, step by step: each is written down before the next begins, and does nothing a second time."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice

import psycopg

from dagster_project.erasure import analyses, files, leftovers, requests, rows
from dagster_project.erasure.files import Store
from dagster_project.erasure.person import MARK, NoSuchPerson, Person, find
from dagster_project.erasure.requests import Request
from dagster_project.ingestion.single_writer import writer
from dagster_project.settings import Settings
from dagster_project.sources.people import by_chat, by_contact, known_by
from dagster_project.warehouse import locks, suppression
from dagster_project.warehouse.access import audit_log
from dagster_project.warehouse.archive import states
from dagster_project.warehouse.connection import connect, has_relation

log = logging.getLogger(__name__)

_IDS_AT_A_TIME = 100_000
# Whoever writes what a person said from what it has read before: each is waited for.
_OTHERS = (("dbt build", "warehouse"), ("ask", "claude"))


class _TakenBack(Exception):
    """The end of a dry run: all of it is rolled back."""


def dry_run(url: str, settings: Settings, store: Store, contact_id: str, user: str) -> Mapping[str, int]:
    """What erasing would change, by place: it is done, counted and taken back. Nothing else can count as well.

    Raises:
        NoSuchPerson: there is none.
        AlreadyRunning: a sync is at work.
    """
    counts: dict[str, int] = {}
    try:
        with writer(url, "erase --dry-run") as conn, conn.transaction():
            counts = _erase(conn, settings, find(conn, contact_id), MARK + "dry-run")
            if has_relation(conn, "core.chats"):
                token = MARK + "dry-run"
                counts["exports"] = len(files.exports_that_may_show(conn, token))
                counts["archived files, at most"] = len(states.holding(conn, token))
            raise _TakenBack
    except _TakenBack:
        with connect(url, autocommit=True) as conn:
            audit_log.record(conn, "erasure.dry_run", resource="erasure", user=user, metadata={"counts": counts})
        return counts


def erase(url: str, settings: Settings, store: Store, request: Request) -> Request:
    """Take a person out of tables, archives and exports; what follows from the tables is built by whoever calls.

    Raises:
        AlreadyRunning: a sync is at work; the request waits.
        ArchiveFailed, StoreFailed: a file could not be read or written; the tables are clean, and the rest waits.
    """
    if request.state == "requested":
        with _alone(url, f"erase, request {request.id}") as conn, conn.transaction():
            person = _person(conn, request)
            counts = _erase(conn, settings, person, request.token)
            requests.move_on(conn, request, "erased", counts, searched=person.texts)
        request = _again(url, request)
    if request.state == "erased":
        with connect(url, autocommit=True) as conn:
            if has_relation(conn, "core.chats"):
                files.erase_archives(url, store, request.token)
                files.erase_exports(conn, store, request.token)
            suppression.keep_copy(conn, settings)
            requests.move_on(conn, request, "stored", {})
        request = _again(url, request)
    return request


def finish(url: str, settings: Settings, request: Request) -> Request:
    """Once the tables are built: vacuum them, look for the person in logs and runs, and forget who it was."""
    if request.state != "stored":
        return request
    with connect(url, autocommit=True) as conn:
        orphans = analyses.forget_orphans(conn)
        gone = _forget_former(conn, request)
        leftovers.vacuum(conn)
        left = leftovers.search(conn, settings.data_path, list(request.searched or ()))
        for place, count in left.items():
            log.warning("request %d: the person is still named: %s: %d", request.id, place, count)
        kept = leftovers.kept_databases(conn)
        if kept:
            log.warning("request %d: databases that a restore kept are as they were, drop them: %s", request.id, kept)
            left["databases that a restore kept"] = len(kept)
        with conn.transaction():
            requests.move_on(conn, request, "done", {"classifications of nobody": orphans} | gone | left)
            done = requests.of_id(conn, request.id)
            audit_log.record(
                conn,
                "erasure.complete",
                resource="erasure",
                resource_id=done.token,
                user=done.requested_by,
                metadata={"counts": dict(done.counts)},
            )
        conn.execute("vacuum ops.erasure_requests")
    return done


def reapply(url: str, settings: Settings, store: Store, requested_by: str) -> list[Request]:
    """After a restore: forget again whom the restored database still knows. Call it before anything else runs on it.

    A backup is older than what was erased since. The copy of the list in the data folder (`erased_people`, beside
    `erasure_salt`) knows those people by their hashes: each contact and chat of the database is hashed and looked up,
    and who is found goes the whole way again, under the token of then. The caller builds the models, and then calls
    `finish` with each of the requests. Running it twice changes nothing.

    Raises:
        WrongSalt: the salt is not the one of the list.
        AlreadyRunning, ArchiveFailed, StoreFailed: as `erase`; what is done so far stays, and it can be run again.
    """
    with connect(url, autocommit=True) as conn:
        added = suppression.take_copy(conn, settings)
        for contact_id, token in _still_known(conn).items():
            conn.execute("delete from ops.erasure_requests where token = %s and contact_id is null", [token])
            requests.ask(conn, contact_id, requested_by, token)
        waiting = requests.unfinished(conn)
    log.info("%d hashes were not in the restored list; %d people are erased again", added, len(waiting))
    return [erase(url, settings, store, request) for request in waiting]


def _still_known(conn: psycopg.Connection) -> dict[str, str]:
    """Contacts that are on the list and in the database, each with its token."""
    hashed = suppression.reader(conn)
    if not hashed:
        return {}
    query = "select contact_id from raw.b2chat_contacts where not starts_with(contact_id, %(mark)s)"
    if has_relation(conn, "core.contacts"):
        query += " union select id from core.contacts where not starts_with(id, %(mark)s)"
    contacts = _listed(conn, hashed, by_contact, conn.execute(query, {"mark": MARK}))
    # Of somebody who is there by a chat alone: whose chat it is now says the chat, whose it was then the list.
    chats = _listed(conn, hashed, by_chat, conn.execute("select chat_id from raw.b2chat_chats"))
    owners = conn.execute(
        """
        select distinct owner from raw.b2chat_chats
        cross join coalesce(payload -> 'contact' ->> 'id', payload -> 'contact' ->> 'contact_id') as owner
        where chat_id = any(%s) and not starts_with(owner, %s)
        """,
        [list(chats), MARK],
    )
    return contacts | _listed(conn, hashed, by_contact, owners)


def _listed(
    conn: psycopg.Connection, hashed: suppression.Hash, form: Callable[[str], str | None], rows: Iterable[tuple[str]]
) -> dict[str, str]:
    """Those of the ids that are on the list, each with the token of its person."""
    found: dict[str, str] = {}
    ids = (one for (one,) in rows)
    while part := tuple(islice(ids, _IDS_AT_A_TIME)):
        known = {hashed(text): one for one in part if (text := form(one))}
        found |= {known[one]: token for one, token in suppression.tokens(conn, known).items()}
    return found


def _person(conn: psycopg.Connection, request: Request) -> Person:
    """Whom a request is about; somebody of whom nothing is held any more is kept from coming back all the same."""
    assert request.contact_id is not None
    try:
        return find(conn, request.contact_id)
    except NoSuchPerson:
        return Person(request.contact_id, known_by(by_contact(request.contact_id)), (), ())


@contextmanager
def _alone(url: str, purpose: str) -> Iterator[psycopg.Connection]:
    """The connection of the only writer, while neither dbt nor a classifier writes what it has read before."""
    with ExitStack() as stack:
        others = stack.enter_context(connect(url, autocommit=True))
        for one in _OTHERS:
            stack.enter_context(locks.held(others, *one))
        yield stack.enter_context(writer(url, purpose))


def _erase(conn: psycopg.Connection, settings: Settings, person: Person, token: str) -> dict[str, int]:
    """All that is in tables, in the caller's transaction."""
    hashed = suppression.writer(conn, settings)
    suppression.add(conn, map(hashed, person.all_known_by), token)
    counts = rows.erase(conn, person, token)
    return counts | analyses.erase(conn, person.chats, person.contact_id, token)


def _forget_former(conn: psycopg.Connection, request: Request) -> dict[str, int]:
    """Rows that the build left with the id, to count anew what the person once had."""
    gone = {}
    for table in rows.tables_with(conn, "contact_id"):
        query = rows.statement("delete from {} where contact_id = %s", table)
        if count := conn.execute(query, [request.contact_id]).rowcount:
            gone[f"{table} (left by the build)"] = count
    return gone


def _again(url: str, request: Request) -> Request:
    with connect(url, autocommit=True) as conn:
        return requests.of_id(conn, request.id)
