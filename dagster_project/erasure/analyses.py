"""A person goes from what classifiers and people said of its chats: labels and scores stay, words and their hashes go.

A label is what marts count. What a machine or a person wrote beside it, the request that was sent, and the keys by
which equal texts were known again are of the text. No chat of an erased person is classified again: it has no text.
"""

from collections.abc import Sequence

import psycopg

Counts = dict[str, int]


def erase(conn: psycopg.Connection, chats: Sequence[str], contact_id: str, token: str) -> Counts:
    """Take the words out, in the caller's transaction; by table, how many rows changed."""
    ids = {"chats": list(chats)}
    _new_keys(conn, ids)
    counts = {
        "analysis.batch_items": _not_sent(conn),
        "analysis.classifications": _classifications(conn, ids),
        "analysis.classification_queue": _queue(conn, ids),
        "analysis.human_labels": conn.execute(
            """
            update analysis.human_labels as labels set note = null, content_key = keys.new_key
            from erased_contents as keys
            where labels.chat_id = any(%(chats)s)
                and keys.chat_id = labels.chat_id and keys.old_key = labels.content_key
            """,
            ids,
        ).rowcount,
        "analysis.review_queue": conn.execute(
            """
            update analysis.review_queue as queue set content_key = keys.new_key,
                state = case queue.state when 'open' then 'dismissed' else queue.state end,
                closed_at = coalesce(queue.closed_at, now()), closed_by = coalesce(queue.closed_by, 'erasure')
            from erased_contents as keys
            where queue.chat_id = any(%(chats)s) and keys.chat_id = queue.chat_id and keys.old_key = queue.content_key
            """,
            ids,
        ).rowcount,
        "analysis.customer_categorizations": conn.execute(
            "update analysis.customer_categorizations set reasoning_notes = null "
            "where chat_id = any(%(chats)s) and reasoning_notes is not null",
            ids,
        ).rowcount,
        "analysis.effectiveness_analysis": conn.execute(
            """
            update analysis.effectiveness_analysis set analysis_data = '{}', recommendations = (
                select coalesce(jsonb_agg(one - 'text'::text || '{"text": ""}'), '[]')
                from jsonb_array_elements(recommendations) as one)
            where chat_id = any(%(chats)s)
            """,
            ids,
        ).rowcount,
        "analysis.customer_analyses": conn.execute(
            """
            update analysis.customer_analyses
            set filters = jsonb_set(filters, '{contact_ids}', (
                select jsonb_agg(case when one #>> '{}' = %(contact)s then to_jsonb(%(token)s::text) else one end)
                from jsonb_array_elements(filters -> 'contact_ids') as one))
            where filters -> 'contact_ids' @> to_jsonb(array[%(contact)s::text])
            """,
            {"contact": contact_id, "token": token},
        ).rowcount,
    }
    conn.execute("drop table erased_contents, erased_caches")
    return counts


def forget_orphans(conn: psycopg.Connection) -> int:
    """Delete classifications that no chat has any more: nobody can say whose words they are about."""
    return conn.execute("""
        delete from analysis.classifications as known
        where not exists (
                select from analysis.classification_queue as queue
                where queue.classification_id = known.classification_id
                    or queue.queued_classification_id = known.classification_id)
            and not exists (
                select from analysis.customer_categorizations as said
                where said.classification_id = known.classification_id)
            and not exists (
                select from analysis.effectiveness_analysis as said
                where said.classification_id = known.classification_id)
            and not exists (
                select from analysis.review_queue as queue where queue.classification_id = known.classification_id)
    """).rowcount


def _new_keys(conn: psycopg.Connection, ids: dict[str, list[str]]) -> None:
    """Other keys in the place of hashes of texts: equal where those were equal for one chat, so that a label that was
    of the chat's present content stays so."""
    conn.execute(
        """
        create temporary table erased_contents on commit drop as
        select chat_id, content_key as old_key, 'erased' || md5(chat_id || content_key || random()) as new_key
        from (
            select chat_id, content_key from analysis.classification_queue
            union select chat_id, content_key from analysis.human_labels
            union select chat_id, content_key from analysis.review_queue
        ) as known
        where chat_id = any(%(chats)s) and content_key is not null and content_key not like 'erased%%'
        """,
        ids,
    )
    conn.execute(
        """
        create temporary table erased_caches on commit drop as
        select cache_key from analysis.classification_queue
        where chat_id = any(%(chats)s) and cache_key is not null
        union
        select cache_key from analysis.classifications where classification_id in (
            select classification_id from analysis.customer_categorizations where chat_id = any(%(chats)s)
            union select classification_id from analysis.effectiveness_analysis where chat_id = any(%(chats)s))
        """,
        ids,
    )
    # Equal texts of other people keep their classification, and its key.
    conn.execute(
        """
        delete from erased_caches where cache_key in (
            select cache_key from analysis.classification_queue
            where chat_id <> all(%(chats)s) and cache_key is not null)
        """,
        ids,
    )


def _not_sent(conn: psycopg.Connection) -> int:
    """What is on its way to the model is not waited for: an answer that comes belongs to nobody, and is not kept."""
    conn.execute("""
        update ops.ai_usage_ledger set cache_key = 'erased' where cache_key in (select cache_key from erased_caches)
    """)
    return conn.execute("""
        delete from analysis.batch_items where cache_key in (select cache_key from erased_caches)
    """).rowcount


def _classifications(conn: psycopg.Connection, ids: dict[str, list[str]]) -> int:
    """The chats' own classifications lose their words; of one that others share the chats get a copy without any."""
    conn.execute("create temporary table erased_copies (old_id bigint, new_id bigint) on commit drop")
    conn.execute(
        """
        with said as (
            select classification_id from analysis.classification_queue where chat_id = any(%(chats)s)
            union select queued_classification_id from analysis.classification_queue where chat_id = any(%(chats)s)
            union select classification_id from analysis.customer_categorizations where chat_id = any(%(chats)s)
            union select classification_id from analysis.effectiveness_analysis where chat_id = any(%(chats)s)
            union select classification_id from analysis.review_queue where chat_id = any(%(chats)s)
        )
        insert into erased_copies (old_id, new_id)
        select classification_id, nextval(pg_get_serial_sequence('analysis.classifications', 'classification_id'))
        from said where classification_id is not null
        """,
        ids,
    )
    columns = [
        name
        for (name,) in conn.execute(
            "select quote_ident(attname) from pg_attribute where attrelid = 'analysis.classifications'::regclass "
            "and attnum > 0 and not attisdropped and attgenerated = ''"
        )
    ]
    without = {
        "classification_id": "copies.new_id",
        "cache_key": "'erased-' || copies.new_id",
        "reasoning_notes": "''",
        "recommendations": "case when known.recommendations is not null then '[]'::jsonb end",
        "analysis_data": "null",
        "request_id": "null",
        "batch_id": "null",
    }
    listed = ", ".join(without.get(name, f"known.{name}") for name in columns)
    made = conn.execute(
        f"insert into analysis.classifications ({', '.join(columns)}) overriding system value select {listed} "  # noqa: S608
        "from erased_copies as copies inner join analysis.classifications as known on known.classification_id = old_id"
    ).rowcount
    for table, column in (
        ("classification_queue", "classification_id"),
        ("classification_queue", "queued_classification_id"),
        ("classification_queue", "scored_classification_id"),
        ("customer_categorizations", "classification_id"),
        ("effectiveness_analysis", "classification_id"),
        ("review_queue", "classification_id"),
    ):
        conn.execute(
            f"update analysis.{table} as said set {column} = copies.new_id from erased_copies as copies "  # noqa: S608
            f"where said.chat_id = any(%(chats)s) and said.{column} = copies.old_id",
            ids,
        )
    conn.execute("drop table erased_copies")
    return made


def _queue(conn: psycopg.Connection, ids: dict[str, list[str]]) -> int:
    """What waits to be classified never is; what was, keeps its label."""
    return conn.execute(
        """
        update analysis.classification_queue as queue set
            cache_key = null, last_request_id = null, next_retry_at = null,
            content_key = coalesce((
                select new_key from erased_contents as keys
                where keys.chat_id = queue.chat_id and keys.old_key = queue.content_key), queue.content_key),
            reason = case when queue.classification_id is null then 'erased' else queue.reason end,
            state = case when queue.classification_id is null then 'skipped' else 'classified' end
        where chat_id = any(%(chats)s)
        """,
        ids,
    ).rowcount
