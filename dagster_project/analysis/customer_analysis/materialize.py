"""The chats of an analysis and their categories, put beside it as they are when it is made; and kept clean later."""

from collections.abc import Sequence

import psycopg

from dagster_project.analysis.customer_analysis.request import Request
from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.warehouse.connection import has_relation

# The same chats at every rate: those of a smaller sample are in a larger one.
_LABELS = ", ".join(field.name for field in taxonomy.fields())
_IN_SAMPLE = "('x' || left(md5(chat_id), 8))::bit(32)::bigint < %(rate)s * 4294967296"


def select_chats(conn: psycopg.Connection, request: Request) -> tuple[int, list[str]]:
    """How many chats pass the filters, and which of them are in the sample."""
    rows = conn.execute(
        f"""
        select chat_id, {_IN_SAMPLE}
        from intermediate.int_conversations
        where created_local_date between %(start)s and %(end)s and not is_deleted
            and (%(agents)s = '{{}}' or agent_id = any(%(agents)s::text[]))
            and (%(departments)s = '{{}}' or department_id = any(%(departments)s::text[]))
            and (%(contacts)s = '{{}}' or contact_id = any(%(contacts)s::text[]))
        order by chat_id
        """,  # noqa: S608
        {
            "start": request.date_start,
            "end": request.date_end,
            "agents": list(request.agent_ids),
            "departments": list(request.department_ids),
            "contacts": list(request.contact_ids),
            "rate": request.sample_rate,
        },
    ).fetchall()
    return len(rows), [chat_id for chat_id, is_chosen in rows if is_chosen]


def write(
    conn: psycopg.Connection, analysis_id: str, chat_ids: Sequence[str], classifier: str, new_classifications: int
) -> None:
    """Write an analysis's chats, their categories and what they count, in one transaction.

    Here and below, what core says is read first and handed on: on Citus core's tables are spread over workers, and no
    statement may change a local table by them.
    """
    with conn.transaction():
        messages = conn.execute(
            "select count(*) from intermediate.int_conversation_texts where chat_id = any(%s)", [list(chat_ids)]
        )
        message_count = (messages.fetchone() or (0,))[0]
        conn.execute(
            """
            insert into analysis.analysis_chats (analysis_id, chat_id, state, reason)
            select
                %s,
                chosen.chat_id,
                case work.state when 'classified' then 'categorized' when 'skipped' then 'skipped'
                    when 'ongoing' then 'skipped' else 'pending' end,
                case when work.state is null then 'not looked at' when work.state = 'ongoing' then 'still going on'
                    when work.state in ('classified', 'skipped') then work.reason
                    else concat_ws(': ', work.state, work.reason) end
            from unnest(%s::text[]) as chosen (chat_id)
            left join analysis.classification_queue as work on work.chat_id = chosen.chat_id and work.classifier = %s
            """,
            [analysis_id, list(chat_ids), classifier],
        )
        conn.execute(
            f"""
            insert into analysis.customer_categorizations (
                analysis_id, chat_id, {_LABELS}, agent_quality_score, reasoning_notes, confidence_score, model_vendor,
                model, is_llm, classified_by, classification_id)
            select
                chats.analysis_id, chats.chat_id, {_LABELS}, classifications.agent_quality_score,
                classifications.reasoning_notes, classifications.confidence_score, classifications.model_vendor,
                classifications.model, classifications.is_llm, classifications.version,
                classifications.classification_id
            from analysis.analysis_chats as chats
            inner join analysis.classification_queue as work on work.chat_id = chats.chat_id and work.classifier = %s
            inner join analysis.classifications on classifications.classification_id = work.classification_id
            where chats.analysis_id = %s and chats.state = 'categorized'
            """,  # noqa: S608
            [classifier, analysis_id],
        )
        conn.execute(
            """
            update analysis.customer_analyses
            set published_at = clock_timestamp(), updated_at = now(), new_classification_count = %(new)s,
                skipped_count = (
                    select count(*) from analysis.analysis_chats where analysis_id = %(id)s and state = 'skipped'),
                pending_count = (
                    select count(*) from analysis.analysis_chats where analysis_id = %(id)s and state = 'pending'),
                categorized_count = (
                    select count(*) from analysis.customer_categorizations where analysis_id = %(id)s),
                is_llm = coalesce((
                    select bool_or(is_llm) from analysis.customer_categorizations where analysis_id = %(id)s), is_llm),
                ai_analysis_count = (
                    select count(*) from analysis.customer_categorizations where analysis_id = %(id)s and is_llm),
                total_messages_analyzed = %(messages)s
            where id = %(id)s
            """,
            {"id": analysis_id, "new": new_classifications, "messages": message_count},
        )


def forget_deleted_chats(conn: psycopg.Connection) -> int:
    """Take deleted chats out of all analyses; returns how many categorizations went."""
    rows = conn.execute("select chat_id from intermediate.int_conversations where is_deleted").fetchall()
    return _forget(conn, [chat_id for (chat_id,) in rows])


def forget_vanished_chats(conn: psycopg.Connection) -> int:
    """Take chats that are no longer in core out of all analyses; returns how many categorizations went.

    core's tables are rebuilt and may be distributed, so they carry no foreign keys: this does what one would do. Chats
    vanish only where a table is built anew, and of all of them the keys are read: a refresh leaves it to the night.
    """
    if not has_relation(conn, "intermediate.int_conversations"):
        return 0
    held = " union ".join(f"select chat_id from analysis.{table}" for table in _OF_CHATS)  # noqa: S608
    rows = conn.execute(
        f"""
        select chat_id from ({held}) as stored
        where not exists (select from intermediate.int_conversations as chats where chats.chat_id = stored.chat_id)
        """  # noqa: S608
    ).fetchall()
    return _forget(conn, [chat_id for (chat_id,) in rows])


def forget_deleted_people(conn: psycopg.Connection) -> int:
    """Leave KPIs whose agent or department is no longer in core without it; returns how many."""
    if not has_relation(conn, "analysis.analysis_kpis"):
        return 0
    with conn.transaction():
        counts = []
        for column, table in (("agent_id", "int_agents"), ("department_id", "int_departments")):
            there = [one for (one,) in conn.execute(f"select id from intermediate.{table}").fetchall()]  # noqa: S608
            changed = conn.execute(
                f"update analysis.analysis_kpis set {column} = null where {column} is not null and {column} <> all(%s)",  # noqa: S608
                [there],
            )
            counts.append(changed.rowcount)
    return sum(counts)


_OF_CHATS = ("customer_categorizations", "analysis_chats", "effectiveness_analysis")


def _forget(conn: psycopg.Connection, chat_ids: Sequence[str]) -> int:
    """Take chats out of all analyses; a chat that comes back gets its effectiveness again."""
    with conn.transaction():
        counts = [
            conn.execute(f"delete from analysis.{table} where chat_id = any(%s)", [chat_ids]).rowcount  # noqa: S608
            for table in _OF_CHATS
        ]
        conn.execute(
            "update analysis.classification_queue set scored_classification_id = null "
            "where chat_id = any(%s) and scored_classification_id is not null",
            [chat_ids],
        )
    return counts[0]
