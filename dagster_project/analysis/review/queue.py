"""The queue of chats that a person should look at, filled from classifications that it has not seen yet.

It is a table and no model of dbt: a row has a life of its own, which people change. One person's word closes it for the
content that he saw; when the chat changes it opens again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

HIGH_QUALITY = 8  # an agent's score that does not go with a complaint
REASONS = (
    "suspicious",
    "disputed",
    "friction_with_high_quality",
    "low_confidence",
    "outdated_label",
    "random",
)
COLUMNS = {reason: f"{'has' if reason == 'outdated_label' else 'is'}_{reason}" for reason in REASONS}
_NAME = "review_queue"  # its row in analysis.progress


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes a chat one to look at.

    Attributes:
        least_confidence: a lower one is low.
        random_share: share of all chats drawn by the hash of their id: the same ones always, whatever else speaks
            for them, so that accuracy on them is that of all chats.
    """

    least_confidence: float = 0.7
    random_share: float = 0.02

    @property
    def version(self) -> str:
        return f"below {self.least_confidence:g}, {self.random_share:g} at random"


def unprocessed(conn: psycopg.Connection, rules: Rules) -> list[str]:
    """The chats whose classification the queue has not seen; all that have one after a change of rules."""
    rows = conn.execute(
        """
        select distinct chat_id from analysis.classification_queue
        where classification_id is distinct from queued_classification_id
        union
        select chat_id from analysis.classification_queue
        where classification_id is not null and not exists (
            select from analysis.progress where classifier = %s and version = %s)
        order by 1
        """,
        (_NAME, rules.version),
    )
    return [row[0] for row in rows]


def fill(conn: psycopg.Connection, chat_ids: Sequence[str], rules: Rules) -> int:
    """Put each of the chats in the queue, or take it out; the same again changes nothing. Returns how many came in.

    Args:
        chat_ids: as `unprocessed` gives them.
    """
    with conn.transaction():
        _judge(conn, chat_ids, rules)
        conn.execute(f"""
            delete from analysis.review_queue as queue using pg_temp.judged
            where queue.chat_id = judged.chat_id and not ({_ANY_REASON})
                and (queue.state = 'open' or judged.content_key <> queue.content_key)
        """)  # noqa: S608
        added = conn.execute(f"""
            insert into analysis.review_queue as queue (
                chat_id, content_key, classification_id, {_REASON_COLUMNS}, state, closed_at, closed_by)
            select
                chat_id, content_key, classification_id, {_REASON_COLUMNS},
                case when labelled_by is null then 'open' else 'done' end, labelled_at, labelled_by
            from pg_temp.judged
            where content_key is not null and ({_ANY_REASON})
            on conflict (chat_id) do update set
                classification_id = excluded.classification_id,
                {", ".join(f"{name} = excluded.{name}" for name in COLUMNS.values())},
                queued_at = case when queue.content_key = excluded.content_key then queue.queued_at else now() end,
                content_key = excluded.content_key, state = excluded.state, closed_at = excluded.closed_at,
                closed_by = excluded.closed_by
            where queue.state = 'open' or queue.content_key <> excluded.content_key
            returning xmax = 0
        """).fetchall()  # noqa: S608
        conn.execute("""
            update analysis.classification_queue as work set queued_classification_id = seen.classification_id
            from pg_temp.seen
            where seen.chat_id = work.chat_id and seen.classifier = work.classifier
                and work.queued_classification_id is distinct from seen.classification_id
        """)
        conn.execute(
            """
            insert into analysis.progress (classifier, version, load_id, updated_at) values (%s, %s, 0, now())
            on conflict (classifier) do update set version = excluded.version, updated_at = excluded.updated_at
            where progress.version <> excluded.version
            """,
            (_NAME, rules.version),
        )
    return sum(is_new for (is_new,) in added)


def counts(conn: psycopg.Connection) -> dict[str, int]:
    """Open rows by reason, of chats that have a classification now; a row may have several. `open` counts rows.

    A chat of the queue was classified when it came in, and still is where no classifier has it to do: only those that
    one has are looked up.
    """
    reasons = ", ".join(f"count(*) filter (where {column})" for column in COLUMNS.values())
    row = conn.execute(
        f"""
        with unclassified as materialized (
            select queue.chat_id from analysis.classification_queue as work
            inner join analysis.review_queue as queue on queue.chat_id = work.chat_id and queue.state = 'open'
            where work.classification_id is null and not exists (
                select from analysis.current_classifications as now_is
                where now_is.chat_id = queue.chat_id and now_is.classification_id is not null)
        )

        select count(*), {reasons} from analysis.review_queue
        where state = 'open' and chat_id not in (select chat_id from unclassified)
        """  # noqa: S608
    ).fetchone()
    assert row is not None
    return dict(zip(("open", *REASONS), row, strict=True))


_REASON_COLUMNS = ", ".join(COLUMNS.values())
_ANY_REASON = " or ".join(f"judged.{column}" for column in COLUMNS.values())


def _judge(conn: psycopg.Connection, chat_ids: Sequence[str], rules: Rules) -> None:
    """What speaks for each chat, as of now; without a classification a chat has no content, and nothing does."""
    conn.execute("create temp table if not exists seen (chat_id text, classifier text, classification_id bigint)")
    conn.execute("truncate pg_temp.seen")
    conn.execute(
        """
        insert into pg_temp.seen
        select chat_id, classifier, classification_id from analysis.classification_queue
        where chat_id = any(%s) and (classification_id is null or content_key is not null)
        """,
        [list(chat_ids)],
    )
    conn.execute("analyze pg_temp.seen")
    conn.execute("drop table if exists pg_temp.judged")
    conn.execute(
        """
        create temp table judged as
        select
            chats.chat_id,
            now_is.content_key,
            now_is.classification_id,
            coalesce(classifications.confidence_score < %(least)s, false) as is_low_confidence,
            coalesce(
                (classifications.customer_intent <> second.customer_intent
                    and 'OTHER' not in (classifications.customer_intent, second.customer_intent)
                    and least(classifications.confidence_score, second.confidence_score) >= %(least)s)
                or (classifications.sentiment, second.sentiment)
                    in (('POSITIVE', 'FRICTION'), ('FRICTION', 'POSITIVE')),
                false) as is_disputed,
            coalesce(now_is.injection_suspected, false) as is_suspicious,
            coalesce(classifications.sentiment = 'FRICTION' and classifications.agent_quality_score >= %(high)s, false)
                as is_friction_with_high_quality,
            now_is.classification_id is not null
                and ('x' || left(md5('review ' || chats.chat_id), 8))::bit(32)::bigint < %(share)s * 4294967296
                as is_random,
            coalesce(label.content_key <> now_is.content_key, false) as has_outdated_label,
            case when label.content_key = now_is.content_key then label.labelled_by end as labelled_by,
            case when label.content_key = now_is.content_key then label.labelled_at end as labelled_at
        from (select distinct chat_id from pg_temp.seen) as chats
        left join analysis.current_classifications as now_is
            on now_is.chat_id = chats.chat_id and now_is.content_key is not null
            and now_is.classification_id is not null
        left join analysis.classifications on classifications.classification_id = now_is.classification_id
        left join analysis.classification_queue as by_rules
            on by_rules.chat_id = chats.chat_id and by_rules.classifier like 'rules-%%'
            and by_rules.state = 'classified'
            and by_rules.content_key = now_is.content_key and by_rules.classifier <> now_is.classifier
        left join analysis.classifications as second on second.classification_id = by_rules.classification_id
        left join lateral (
            select content_key, labelled_by, labelled_at from analysis.human_labels
            where human_labels.chat_id = chats.chat_id
            order by label_id desc
            limit 1
        ) as label on true
        """,
        {"least": rules.least_confidence, "high": HIGH_QUALITY, "share": rules.random_share},
    )
