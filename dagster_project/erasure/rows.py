"""A person goes from the tables: what B2Chat sent, what is kept of its answers, and what dbt has made of it.

Each function works in the caller's transaction and says how many rows it changed, by table. Rows that are counted stay,
without a word and with a token in the person's place; nothing else does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dagster_project.erasure.person import Person
from dagster_project.sources.b2chat.entities import CHATS, CONTACTS
from dagster_project.sources.b2chat.people import contact_without_person
from dagster_project.sources.b2chat_audit.people import row_without_person
from dagster_project.sources.canonical import canonical_json
from dagster_project.sources.contract import EntitySpec, Record
from dagster_project.warehouse.connection import has_relation

Counts = dict[str, int]

_REASON = "erased"
# What dbt has made, wherever it is: tables alone, for views follow.
_MADE = """
    select format('%%I.%%I', nspname, relname)
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    where relkind in ('r', 'p') and not relispartition and attname = %s
        and nspname in ('intermediate', 'core', 'marts', 'marts_pii')
    order by 1
"""


def erase(conn: psycopg.Connection, person: Person, token: str) -> Counts:
    """Take a person out of raw, the kept answers, and what was built of them."""
    counts = _chats(conn, person, token)
    counts |= _contacts(conn, person, token)
    counts |= _audit_export(conn, person)
    counts["raw.quarantine"] = _quarantine(conn, person)
    counts["ops.api_response_logs"] = _kept_answers(conn, person)
    counts["ops.sync_checkpoints"] = _checkpoints(conn, person)
    counts |= _built(conn, person, token)
    return counts


def open_load(conn: psycopg.Connection, entity: EntitySpec) -> int:
    """A load that brings dbt to make the rows again. It says nothing of time: what is known ends where it ended."""
    row = conn.execute(
        """
        insert into ops.page_loads (
            sync_id, source, entity_type, window_name, page_offset, record_count, new_count, changed_count,
            unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
        select 'erasure', %(source)s, %(entity)s, 'erasure', 0, 0, 0, 0, 0, 0, 0, 0,
            coalesce((select max(loaded_at) from ops.page_loads where source = %(source)s), now())
        returning load_id
        """,
        {"source": entity.source, "entity": entity.name},
    ).fetchone()
    assert row is not None
    return int(row[0])


def _chats(conn: psycopg.Connection, person: Person, token: str) -> Counts:
    """Chats keep their times and versions theirs: when who had a chat is made of them."""
    everything = [*person.chats, *person.former_chats]
    conn.execute(
        "insert into ops.erased_chats (chat_id, token) select unnest(%s::text[]), %s on conflict do nothing",
        [list(person.chats), token],
    )
    load_id = open_load(conn, CHATS)
    current = conn.execute(
        "select chat_id, payload from raw.b2chat_chats where chat_id = any(%s)", [list(person.chats)]
    ).fetchall()
    left = _redacted(current, token)
    conn.execute(
        """
        update raw.b2chat_chats as chats set payload = less.payload::jsonb, content_hash = less.content_hash,
            payload_bytes = null, cleaned = null, load_id = %s
        from unnest(%s::text[], %s::text[], %s::text[]) as less (key, payload, content_hash)
        where chat_id = less.key
        """,
        [load_id, *_columns(left)],
    )
    versions = conn.execute(
        """
        select chat_id || ' ' || load_id, payload from raw.b2chat_chat_versions
        where chat_id = any(%s) and (chat_id = any(%s)
            or coalesce(payload -> 'contact' ->> 'id', payload -> 'contact' ->> 'contact_id') = %s)
        """,
        [everything, list(person.chats), person.contact_id],
    ).fetchall()
    conn.execute(
        """
        update raw.b2chat_chat_versions as versions set payload = less.payload::jsonb,
            content_hash = less.content_hash, payload_bytes = null, cleaned = null
        from unnest(%s::text[], %s::text[], %s::text[]) as less (key, payload, content_hash)
        where chat_id = any(%s) and chat_id || ' ' || load_id = less.key
        """,
        [*_columns(_redacted(versions, token)), everything],
    )
    return {"raw.b2chat_chats": len(current), "raw.b2chat_chat_versions": len(versions)}


def _redacted(rows: Iterable[tuple[str, Mapping[str, Any]]], token: str) -> list[tuple[str, Record]]:
    """Chats as they would land if they came now: by the same rule, so that the next sync finds nothing changed."""
    found = []
    for key, payload in rows:
        record = CHATS.without_person(Record(key, canonical_json(payload), ""), token)
        assert record is not None, "a chat that has landed can land again"
        found.append((key, record))
    return found


def _columns(records: Sequence[tuple[str, Record]]) -> tuple[list[str], list[str], list[str]]:
    return (
        [key for key, _ in records],
        [record.payload for _, record in records],
        [record.content_hash for _, record in records],
    )


def _contacts(conn: psycopg.Connection, person: Person, token: str) -> Counts:
    """The contact stays as one that was erased, so that chats are of somebody, and contacts are as many as before."""
    versions = conn.execute(
        "delete from raw.b2chat_contact_versions where contact_id = %s", [person.contact_id]
    ).rowcount
    row = conn.execute("select payload from raw.b2chat_contacts where contact_id = %s", [person.contact_id]).fetchone()
    if row:
        payload = canonical_json(contact_without_person(row[0], token))
        conn.execute(
            """
            update raw.b2chat_contacts set contact_id = %s, payload = %s::jsonb, content_hash = %s,
                payload_bytes = null, cleaned = null, load_id = %s, deleted_at = now(), deletion_reason = %s
            where contact_id = %s
            """,
            [token, payload, token, open_load(conn, CONTACTS), _REASON, person.contact_id],
        )
    return {"raw.b2chat_contacts": int(row is not None), "raw.b2chat_contact_versions": versions}


def _audit_export(conn: psycopg.Connection, person: Person) -> Counts:
    """Rows of the console's export keep their times. Their ids were hashes of what was written: they get others."""
    chats = [*person.chats, *person.former_chats]
    messages = conn.execute(
        """
        select row_id, payload from raw.b2chat_audit_messages
        where chat_id = any(%s) and (chat_id = any(%s) or payload ->> 'contact_id' = %s)
        """,
        [chats, list(person.chats), person.contact_id],
    ).fetchall()
    conn.execute(
        """
        with less as (
            select key, payload, 'erased' || md5(key || random()) || '-' || row_number() over () as row_id
            from unnest(%s::text[], %s::text[]) as rows (key, payload)
        )
        update raw.b2chat_audit_messages as messages set payload = less.payload::jsonb, row_id = less.row_id,
            content_hash = less.row_id, payload_bytes = null, cleaned = null
        from less where messages.row_id = less.key
        """,
        _texts(messages, row_without_person),
    )
    query = """
        select chat_id, payload from raw.b2chat_audit_chats
        where chat_id = any(%s) and (chat_id = any(%s) or payload ->> 'contact_id' = %s)
    """
    told = conn.execute(query, [chats, list(person.chats), person.contact_id]).fetchall()
    conn.execute(
        """
        update raw.b2chat_audit_chats as chats set payload = less.payload::jsonb, content_hash = md5(less.payload),
            payload_bytes = null, cleaned = null
        from unnest(%s::text[], %s::text[]) as less (key, payload) where chats.chat_id = less.key
        """,
        _texts(told, row_without_person),
    )
    if person.former_chats and (messages or told):  # the person's own are woken already
        conn.execute(
            "update raw.b2chat_chats set load_id = %s where chat_id = any(%s)",
            [open_load(conn, CHATS), list(person.former_chats)],
        )
    return {"raw.b2chat_audit_messages": len(messages), "raw.b2chat_audit_chats": len(told)}


def _texts(
    rows: Iterable[tuple[str, Mapping[str, Any]]], without: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> tuple[list[str], list[str]]:
    found = [(key, canonical_json(without(payload))) for key, payload in rows]
    return [key for key, _ in found], [payload for _, payload in found]


def _quarantine(conn: psycopg.Connection, person: Person) -> int:
    """What could not be read stays counted, and cannot be read again: there is nothing left of it."""
    return conn.execute(
        """
        update raw.quarantine set payload_bytes = '', record_key = null, content_hash = 'erased-' || quarantine_id,
            resolved_at = coalesce(resolved_at, now())
        where payload_bytes <> '' and (
            (source = %(b2chat)s and entity_type = 'contacts' and record_key = %(contact)s)
            or (entity_type <> 'contacts' and record_key = any(%(chats)s))
            or exists (
                select from unnest(%(texts)s::text[]) as one (text)
                where strpos(
                    lower(encode(payload_bytes, 'escape')), lower(encode(convert_to(one.text, 'UTF8'), 'escape'))) > 0
            )
            or encode(payload_bytes, 'escape') ~ %(id)s
        )
        """,
        {
            "b2chat": CONTACTS.source,
            "contact": person.contact_id,
            "chats": list(person.chats),
            "texts": _forms(person.texts),
            "id": _id_in_json(person.contact_id),
        },
    ).rowcount


def _kept_answers(conn: psycopg.Connection, person: Person) -> int:
    """Whole answers hold a page of people: those with the person go, and the row stays with what was asked and when."""
    return conn.execute(
        """
        update ops.api_response_logs as logs set raw_response = '{"erased": true}', raw_bytes = null
        from (
            select created_at, id, lower(raw_response::text) as answer,
                lower(encode(raw_bytes, 'escape')) as exact
            from ops.api_response_logs
            offset 0
        ) as kept
        where logs.created_at = kept.created_at and logs.id = kept.id and (
            exists (
                select from unnest(%(texts)s::text[]) as one (text) where strpos(kept.answer, lower(one.text)) > 0
                union all
                select from unnest(%(forms)s::text[]) as one (text)
                where strpos(kept.exact, lower(encode(convert_to(text, 'UTF8'), 'escape'))) > 0
            )
            or kept.answer ~ lower(%(id)s) or kept.exact ~ lower(%(id)s)
        )
        """,
        {
            "texts": [*person.texts, *person.chats],
            "forms": _forms((*person.texts, *person.chats)),
            "id": _id_in_json(person.contact_id),
        },
    ).rowcount


def _checkpoints(conn: psycopg.Connection, person: Person) -> int:
    """They name the records that could not be read by their keys."""
    return conn.execute(
        """
        update ops.sync_checkpoints set failure_details = (
            select jsonb_agg(case when one ->> 'id' = %(id)s and one ->> 'entity' = 'contacts'
                then one || '{"id": null}' else one end)
            from jsonb_array_elements(failure_details) as one)
        where failure_details @> jsonb_build_array(jsonb_build_object('id', %(id)s::text, 'entity', 'contacts'))
        """,
        {"id": person.contact_id},
    ).rowcount


def _built(conn: psycopg.Connection, person: Person, token: str) -> Counts:
    """What dbt made says the token at once, and no word more; the next build makes the same of raw."""
    counts = Counts()
    if has_relation(conn, "core.contacts"):
        free = [name for name in _texts_of(conn, "core.contacts") if name not in ("id", "b2chat_id", "deletion_reason")]
        emptied = sql.SQL("update core.contacts set id = {token}, b2chat_id = {token}, {free} where id = {id}").format(
            token=token,
            free=sql.SQL(", ").join(sql.SQL("{} = null").format(sql.Identifier(name)) for name in free),
            id=person.contact_id,
        )
        counts["core.contacts"] = conn.execute(emptied).rowcount
    if has_relation(conn, "core.messages"):
        counts["core.messages"] = conn.execute(
            """
            update core.messages set text = null, caption = null, image_url = null, file_url = null
            where chat_id = any(%s) and num_nonnulls(text, caption, image_url, file_url) > 0
            """,
            [list(person.chats)],
        ).rowcount
    if has_relation(conn, "core.chats"):
        _tags(conn, person)
    for table in tables_with(conn, "contact_id"):
        query = statement("update {} set contact_id = %s where contact_id = %s", table)
        counts[table] = conn.execute(query, [token, person.contact_id]).rowcount
    return counts


def _tags(conn: psycopg.Connection, person: Person) -> None:
    """Tags that name the person: also of chats whose month is archived, which no build makes again."""
    ids = {"chats": list(person.chats), "texts": list(person.texts)}
    named = "exists (select from unnest(%(texts)s::text[]) as one (text) where strpos(lower({tag}), one.text) > 0)"
    conn.execute(
        f"update core.chats set tags = array(select tag from unnest(tags) as tag where not {named.format(tag='tag')}) "  # noqa: S608
        f"where id = any(%(chats)s) and {named.format(tag='tags::text')}",
        ids,
    )
    if has_relation(conn, "marts.chat_tags"):
        query = f"delete from marts.chat_tags where chat_id = any(%(chats)s) and {named.format(tag='tag_label')}"  # noqa: S608
        conn.execute(query, ids)


def tables_with(conn: psycopg.Connection, column: str) -> list[str]:
    """The tables that dbt has made with a column of this name, quoted where they must be."""
    return [name for (name,) in conn.execute(_MADE, [column])]


def statement(text: LiteralString, table: str) -> sql.Composed:
    """A statement on a table of `tables_with`."""
    return sql.SQL(text).format(sql.SQL(table))


def _texts_of(conn: psycopg.Connection, table: str) -> list[str]:
    """The columns that may hold words and may be empty."""
    rows = conn.execute(
        """
        select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped
            and atttypid in ('text'::regtype, 'jsonb'::regtype, 'text[]'::regtype) and not attnotnull
        """,
        [table],
    ).fetchall()
    return [name for (name,) in rows]


def _id_in_json(contact_id: str) -> str:
    """A regular expression: the contact's id where JSON has one, and not in another number. In chats the chat tells."""
    plain = "".join(character if character.isalnum() else f"\\{character}" for character in contact_id)
    return rf'"contact_id"\s*:\s*"?{plain}["\s,}}]'


def _forms(texts: Iterable[str]) -> list[str]:
    """Texts in the cases that they come in: of bytes nobody knows what the small form of a letter is."""
    return sorted({form for text in texts for form in (text, text.upper(), text.title())})
