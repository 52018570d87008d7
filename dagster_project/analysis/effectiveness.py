"""How effective chats were, kept beside the answers that say so: a row per chat and answer, added and never changed."""

from collections.abc import Sequence

import psycopg

PIPELINE = "pipeline"  # who asks, where nobody did


def materialize(
    conn: psycopg.Connection, classifier: str, *, user: str = PIPELINE, chat_ids: Sequence[str] | None = None
) -> int:
    """Add what the present answers of a classifier say; what is there already stays.

    Args:
        conn: commits as its caller has it.
        classifier: as `chat_work` names it.
        user: who had the chats analysed.
        chat_ids: of these chats only.

    Returns:
        rows added.
    """
    return conn.execute(
        """
        insert into analysis.effectiveness_analysis (
            chat_id, user_id, answer_id, resolution_score, customer_satisfaction, response_time_score, provider, model,
            is_llm, classified_by, recommendations, analysis_data, created_at)
        select
            work.chat_id, %(user)s, answers.answer_id, answers.resolution_score, answers.customer_satisfaction,
            scores.response_time_score, answers.provider, answers.model, answers.is_llm, answers.version,
            coalesce(answers.recommendations, '[]'),
            coalesce(answers.analysis_data, '{}') || jsonb_build_object(
                'model', answers.model, 'prompt_version', answers.prompt_version,
                'recommendations', coalesce(answers.recommendations, '[]')),
            answers.answered_at
        from analysis.chat_work as work
        inner join analysis.answers on answers.answer_id = work.answer_id
        left join intermediate.int_response_time_scores as scores on scores.chat_id = work.chat_id
        where work.classifier = %(classifier)s and work.state = 'answered'
            and (%(chats)s::text[] is null or work.chat_id = any(%(chats)s))
            and not exists (
                select from analysis.effectiveness_analysis as stored
                where stored.chat_id = work.chat_id and stored.answer_id = work.answer_id)
        on conflict (chat_id, answer_id) do nothing
        """,
        {"user": user, "classifier": classifier, "chats": list(chat_ids) if chat_ids is not None else None},
    ).rowcount
