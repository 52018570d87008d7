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
    # The table's rows are many, so that it does not ask for each who the user is, as others do.
    user = users.of(conn, user)
    # By keys alone: what the scores are made of has rows for all of history, and few of them are new.
    values = {"classifier": classifier, "chats": list(chat_ids) if chat_ids is not None else None, "user": user}
    new = f"with new as materialized (select work.chat_id {_NEW}) select chat_id from new limit {MANY}"  # noqa: S608
    found = conn.execute(new, values).fetchall()
    if not found:
        return 0
    of_these = "true"
    if len(found) < MANY:
        of_these, values["chats"] = "chat_id = any(%(chats)s)", [chat_id for (chat_id,) in found]
    return conn.execute(
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
        from (select work.chat_id, work.classification_id {_NEW}) as work
        inner join analysis.classifications on classifications.classification_id = work.classification_id
        left join (select * from intermediate.int_response_time_scores where {of_these}) as scores
            on scores.chat_id = work.chat_id
        on conflict (chat_id, classification_id) do nothing
        """,  # noqa: S608
        values,
    ).rowcount


_NEW = """
    from analysis.classification_queue as work
    where work.classifier = %(classifier)s and work.state = 'classified' and work.classification_id is not null
        and (%(chats)s::text[] is null or work.chat_id = any(%(chats)s))
        and not exists (
            select from analysis.effectiveness_analysis as stored
            where stored.chat_id = work.chat_id and stored.classification_id = work.classification_id)
"""
