"""Erased people do not come back: before a page lands, their records are left out, or lose whose they are.

What a source allows to stay (`EntitySpec.without_person`) lands with a token in the person's place, so that numbers go
on being right. The cost is that of the page's records: each is hashed, and all are looked up at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import psycopg

from dagster_project.ingestion.logs.response_log import as_landed
from dagster_project.sources.contract import Copied, Page, Record
from dagster_project.warehouse import suppression


def without_erased(conn: psycopg.Connection, page: Page) -> tuple[Page, int]:
    """A page as it may land, and how many of its records are left out.

    Raises:
        suppression.WrongSalt: nobody can tell who was erased; nothing may land.
    """
    hashed = suppression.reader(conn)
    if not hashed:
        return page, 0
    rejected = [(one, one.people or page.entity.people_in(one.data)) for one in page.rejected]
    everybody = {person for record in page.records for person in record.people}
    everybody.update(person for _, people in rejected for person in people)
    hashes = {hashed(person): person for person in everybody}
    tokens = {hashes[one]: token for one, token in suppression.tokens(conn, hashes).items()}
    if not tokens:
        return page, 0
    landing, erased = list[Record](), list[tuple[Record, str]]()
    for record in page.records:
        token = next((tokens[person] for person in record.people if person in tokens), None)
        left = page.entity.without_person(record, token) if token else record
        if left:
            landing.append(left)
        if left and token:
            erased.append((left, token))
    kept = [one for one, people in rejected if tokens.keys().isdisjoint(people)]
    dropped = len(page.records) - len(landing) + len(page.rejected) - len(kept)
    for record, token in erased:
        _note_chat(conn, record.key, token, list(map(hashed, record.people)))
    page = replace(page, records=landing, rejected=kept)
    if page.answer.body:
        page = replace(page, answer=replace(page.answer, body=as_landed(page).encode()))
    return page, dropped


def erased_among(conn: psycopg.Connection, copied: Copied, users: Callable[[], Iterable[str]]) -> dict[str, str]:
    """Those of some users who were erased, each with the pseudonym that stands in their place.

    Args:
        users: asked only where somebody was erased at all.

    Raises:
        suppression.WrongSalt: nobody can tell who was erased; nothing may land.
    """
    hashed = suppression.reader(conn)
    if not hashed:
        return {}
    named = {hashed(copied.known_by(user)): user for user in users()}
    return {named[one]: suppression.pseudonym(token, one) for one, token in suppression.tokens(conn, named).items()}


def _note_chat(conn: psycopg.Connection, chat_id: str, token: str, hashes: list[bytes]) -> None:
    conn.execute(
        "insert into ops.erased_chats (chat_id, token) values (%s, %s) on conflict do nothing", [chat_id, token]
    )
    suppression.add(conn, hashes, token)
