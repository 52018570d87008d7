"""How effective chats were: a row per chat and classification that says so, added and never changed."""

from collections.abc import Sequence

import psycopg

from dagster_project.warehouse.access import users

PIPELINE = "pipeline"  # who asks, where nobody did
MANY = 10_000  # chats, from which on tables are read whole rather than looked up by key


def materialize(
    conn: psycopg.Connection, classifier: str, *, user: str = PIPELINE, chat_ids: Sequence[str] | None = None
) -> int:
    """Add what the present classifications of a classifier say; what is there already stays.

    Args:
        conn: commits as its caller has it.
        classifier: as `classification_queue` names it.
        user: who had the chats analysed.
        chat_ids: of these chats only.

    Returns:
        rows added.
    """
    values = {"classifier": classifier, "chats": None if chat_ids is None else list(chat_ids)}
    # What the scores are made of has rows for all of history, and few of them are asked: by keys, then.
    # In the order of the index of those that wait: without one Postgres thinks that all do, and looks through them.
    waiting = f"select work.chat_id {_WAITING} order by work.classifier, work.chat_id limit {MANY}"
    found = conn.execute(waiting, values).fetchall()
    if not found:
        return 0
    of_these = "true"
    if len(found) < MANY:
        of_these, values["chats"] = "chat_id = any(%(chats)s)", [chat_id for (chat_id,) in found]
    added = conn.execute(
        f"""
        insert into analysis.effectiveness_analysis (
            chat_id, user_id, classification_id, resolution_score, customer_satisfaction, response_time_score,
            model_vendor, model, is_llm, classified_by, recommendations, analysis_data, created_at)
        select
            work.chat_id, %(user)s, classifications.classification_id, classifications.resolution_score,
            classifications.customer_satisfaction, scores.response_time_score, classifications.model_vendor,
            classifications.model, classifications.is_llm, classifications.version,
            coalesce(classifications.recommendations, '[]'),
            coalesce(classifications.analysis_data, '{{}}') || jsonb_build_object(
                'model', classifications.model, 'prompt_version', classifications.prompt_version,
                'recommendations', coalesce(classifications.recommendations, '[]')),
            classifications.classified_at
        from (select work.chat_id, work.classification_id {_WAITING}) as work
        inner join (select chat_id from intermediate.int_conversations where not is_deleted and {of_these}) as chats
            on chats.chat_id = work.chat_id
        inner join analysis.classifications on classifications.classification_id = work.classification_id
        left join (select * from intermediate.int_response_time_scores where {of_these}) as scores
            on scores.chat_id = work.chat_id
        on conflict (chat_id, classification_id) do nothing
        """,  # noqa: S608
        # The table's rows are many, so that it does not ask for each who the user is, as others do.
        values | {"user": users.of(conn, user)},
    ).rowcount
    # Of what is there, also where a run was killed before this.
    conn.execute(
        f"""
        update analysis.classification_queue as scored set scored_classification_id = stored.classification_id
        from (select work.chat_id, work.classification_id {_WAITING}) as work
        inner join analysis.effectiveness_analysis as stored
            on stored.chat_id = work.chat_id and stored.classification_id = work.classification_id
        where scored.chat_id = work.chat_id and scored.classifier = %(classifier)s
            and scored.classification_id = stored.classification_id
        """,  # noqa: S608
        values,
    )
    return added


_WAITING = """
    from analysis.classification_queue as work
    where work.classifier = %(classifier)s and work.state = 'classified' and work.classification_id is not null
        and work.classification_id is distinct from work.scored_classification_id
        and (%(chats)s::text[] is null or work.chat_id = any(%(chats)s))
"""
