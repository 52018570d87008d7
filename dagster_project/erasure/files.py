"""A person goes from files: archived months are written anew without a word of its chats, exports that may show it go.

An archive's new file lies in the store before the log names it, and the old one goes after that: whoever is killed is
run again, and finds either of the two.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from dagster_project.erasure import requests
from dagster_project.exports import export_log, service
from dagster_project.exports.export_log import LoggedExport
from dagster_project.exports.stores.bucket import Bucket
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.exports.stores.folder import Folder
from dagster_project.exports.stores.own_file import OwnFile
from dagster_project.sources.b2chat.entities import CHATS
from dagster_project.sources.canonical import canonical_json
from dagster_project.sources.contract import Record
from dagster_project.warehouse.archive import files, states, steps
from dagster_project.warehouse.archive.contract import TABLES
from dagster_project.warehouse.archive.states import Archive
from dagster_project.warehouse.connection import connect

log = logging.getLogger(__name__)

_EXPORTS = """
    with chats as (
        select erased.chat_id, chats.created_at, chats.created_local_date as day
        from ops.erased_chats as erased left join core.chats on chats.id = erased.chat_id
        where erased.token = %(token)s
    ),

    logs as (
        select *,
            coalesce(filters ->> 'from', filters ->> 'week', filters ->> 'month')::date as first,
            case
                when filters ? 'week' then (filters ->> 'week')::date + 6
                when filters ? 'month' then ((filters ->> 'month')::date + interval '1 month')::date - 1
                else (filters ->> 'to')::date
            end as last
        from ops.export_logs where status = 'completed'
    )

    select id, store, key, file_url, status from logs
    where (
        export_type = any(%(kinds)s) and exists (
            select from chats
            where (day is null or day between coalesce(first, '-infinity') and coalesce(last, 'infinity'))
                and (chats.created_at is null or chats.created_at <= logs.created_at))
    ) or exists (
        select from analysis.analysis_chats as asked inner join chats on chats.chat_id = asked.chat_id
        where asked.analysis_id = logs.analysis_id
    )
    order by created_at
"""
Store = Folder | Bucket
# What holds a row a chat, a contact or a message; all else is counted, and shows nobody.
_OF_ROWS = ("chats", "table", "report")


def erase_archives(url: str, store: Store, token: str) -> None:
    """Write the files anew that hold something of the person's chats.

    Raises:
        ArchiveFailed: a file is not what was written, or another run archives or restores.
        StoreFailed: the store does not answer; what is written so far stays.
    """
    with connect(url, autocommit=True) as conn, steps.alone(conn):
        chats = [row[0] for row in conn.execute("select chat_id from ops.erased_chats where token = %s", [token])]
        for archive in states.holding(conn, token):
            name = archive.table_name

            def redact(conn: psycopg.Connection, table: sql.Identifier, name: str = name) -> int:
                return _redact(conn, name, table, chats, token)

            rewrite(url, store, archive, token, redact, chats)


def rewrite(
    url: str,
    store: Store,
    archive: Archive,
    token: str,
    redact: Callable[[psycopg.Connection, sql.Identifier], int],
    chats: Sequence[str] = (),
) -> int:
    """One archive's file without a person's words; where it has none, it is left as it is.

    Args:
        redact: takes the words out of the table of the file's rows; returns how many rows had any.
        chats: the person's, of B2Chat.

    Returns:
        1 where the file was written anew.
    """
    definition = TABLES[archive.table_name]
    with connect(url) as conn, files.scratch(store.scratch, f"erase-{archive.id}.parquet") as file:
        store.get(archive.object_key, file)
        table = steps.require_same(conn, archive, file)
        changed = redact(conn, table)
        if archive.state == "detached":  # the partition that waits to be dropped has all that the old file had
            steps.drop_waiting(conn, archive)
            states.move_on(conn, archive, "dropped")
        if not changed:
            conn.commit()
            return 0
        content = files.content_of(conn, table, definition.key)
        file.unlink()
        file.touch(0o600)
        files.write(conn, table, definition.key, file, content.largest_row)
        known: dict[str, Any] = {name: getattr(content, name) for name in content.__slots__}
        known |= {"bytes": file.stat().st_size, "sha256": files.sha256_of(file)}
        key = steps.new_key(archive.table_name, archive.month)
        store.put(key, file, key.rsplit("/", 1)[-1], steps.MEDIA_TYPE)
        _rename(conn, archive, key, known)
        if archive.table_name == f"raw.{CHATS.table}":
            conn.execute(
                sql.SQL(
                    "update ops.archived_records as known set content_hash = less.content_hash from {} as less "
                    "where known.archive_id = %s and less.chat_id = known.record_key and known.record_key = any(%s)"
                ).format(table),
                [archive.id, list(chats)],
            )
        requests.count(conn, token, archived_files=1, archived_rows=changed)
        conn.commit()
    store.delete(archive.object_key)
    log.info("%s was written anew: %d rows of it say less", archive.label, changed)
    return 1


def _rename(conn: psycopg.Connection, archive: Archive, key: str, known: Mapping[str, Any]) -> None:
    values = {"object_key": key, **known}
    sets = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values]
    statement = sql.SQL("update ops.archives set {} where id = %(id)s").format(sql.SQL(", ").join(sets))
    conn.execute(statement, values | {"id": archive.id})


def _redact(conn: psycopg.Connection, of: str, table: sql.Identifier, chats: Sequence[str], token: str) -> int:
    if of == "core.messages":
        statement = sql.SQL("""
            update {} set text = null, caption = null, image_url = null, file_url = null,
                id = 'erased' || md5(id || random())
            where chat_id = any(%s) and num_nonnulls(text, caption, image_url, file_url) > 0
        """).format(table)
        return conn.execute(statement, [list(chats)]).rowcount
    rows = conn.execute(
        sql.SQL("select chat_id, load_id, payload, content_hash from {} where chat_id = any(%s)").format(table),
        [list(chats)],
    ).fetchall()
    changed = 0
    for chat_id, load_id, payload, content_hash in rows:
        record = CHATS.without_person(Record(chat_id, canonical_json(payload), ""), token)
        assert record is not None
        if record.content_hash != content_hash:
            changed += conn.execute(
                sql.SQL(
                    "update {} set payload = %s::jsonb, content_hash = %s, payload_bytes = null, cleaned = null "
                    "where chat_id = %s and load_id = %s"
                ).format(table),
                [record.payload, record.content_hash, chat_id, load_id],
            ).rowcount
    return changed


def exports_that_may_show(conn: psycopg.Connection, token: str) -> list[LoggedExport]:
    """Exports with a row a chat or contact that were made since the person's first chat, of days on which it has one;
    and those of analyses of its chats."""
    with conn.cursor(row_factory=class_row(LoggedExport)) as cursor:
        return cursor.execute(_EXPORTS, {"kinds": list(_OF_ROWS), "token": token}).fetchall()


def erase_exports(conn: psycopg.Connection, store: Store, token: str) -> None:
    """Delete the files, with their manifests, and log them as expired. What lies where its user wants it is not ours.

    Args:
        conn: in autocommit.

    Raises:
        StoreFailed: the store does not answer, or a file lies in another one.
    """
    delete_exports(conn, store, exports_that_may_show(conn, token), token)


def delete_exports(conn: psycopg.Connection, store: Store, found: Sequence[LoggedExport], token: str) -> int:
    """Delete these files, with their manifests. Returns how many went; see `erase_exports`."""
    handed_out = [logged for logged in found if logged.store == OwnFile.NAME]
    for logged in found:
        if logged in handed_out:
            continue
        if logged.store != store.name:
            raise StoreFailed(f"an export lies in {logged.store}, and {store.name} is in use: delete it there")
        service.delete(store, logged.key)
        with conn.transaction():
            export_log.expire(conn, logged.id)
            requests.count(conn, token, exports=1)
    service.fail_abandoned(conn, store)
    if handed_out:
        log.warning("%d exports were handed out as files of their users': delete them there", len(handed_out))
        requests.count(conn, token, exports_handed_out=len(handed_out))
    return len(found) - len(handed_out)
