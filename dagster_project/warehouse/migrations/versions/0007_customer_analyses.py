"""Customer analyses: what was asked, its chats, and what they were categorized as when it was asked."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        create table analysis.customer_analyses (
            id text primary key,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            status text not null default 'PENDING'
                check (status in ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'PARTIAL')),
            triggered_by text not null check (triggered_by <> ''),
            filters jsonb not null,
            sample_rate double precision not null check (sample_rate > 0 and sample_rate <= 1),
            classifier text not null,
            classifier_version text,
            is_llm boolean not null,
            run_id text,
            chats_in_filter integer not null default 0,
            total_chats_analyzed integer not null default 0,
            total_messages_analyzed integer not null default 0,
            categorized_count integer not null default 0,
            ai_analysis_count integer not null default 0,
            new_answer_count integer not null default 0,
            skipped_count integer not null default 0,
            pending_count integer not null default 0,
            started_at timestamptz,
            published_at timestamptz,
            completed_at timestamptz,
            error_message text,
            processing_time_ms bigint,
            check (status <> 'FAILED' or error_message is not null),
            check (status not in ('COMPLETED', 'PARTIAL') or (completed_at is not null and published_at is not null))
        )
    """)
    op.execute(
        "create index customer_analyses_triggered_by_created_at_idx "
        "on analysis.customer_analyses (triggered_by, created_at)"
    )
    op.execute(
        "create index customer_analyses_status_created_at_idx on analysis.customer_analyses (status, created_at)"
    )
    op.execute(
        "comment on table analysis.customer_analyses is "
        "'One row per analysis that somebody asked for: its filters, how it went, and what it counted'"
    )
    op.execute("""
        create table analysis.analysis_chats (
            analysis_id text not null references analysis.customer_analyses (id) on delete cascade,
            chat_id text not null,
            state text not null,
            reason text,
            primary key (analysis_id, chat_id)
        )
    """)
    op.execute("create index analysis_chats_chat_id_idx on analysis.analysis_chats (chat_id)")
    op.execute(
        "comment on table analysis.analysis_chats is "
        "'One row per analysis and chat of its filter: categorized, or why not'"
    )
    op.execute("""
        create table analysis.customer_categorizations (
            id text primary key default gen_random_uuid()::text,
            created_at timestamptz not null default now(),
            analysis_id text not null references analysis.customer_analyses (id) on delete cascade,
            chat_id text not null,
            customer_intent text
                check (customer_intent in ('PROJECT_INFO', 'PAYMENT', 'LEGAL', 'POST_PURCHASE', 'OTHER')),
            journey_stage text check (journey_stage in ('PROSPECT', 'ACTIVE_BUYER', 'POST_PURCHASE')),
            sentiment text check (sentiment in ('POSITIVE', 'NEUTRAL', 'FRICTION')),
            agent_quality_score smallint check (agent_quality_score between 1 and 10),
            reasoning_notes text,
            confidence_score double precision check (confidence_score between 0 and 1),
            provider text not null,
            model text not null,
            is_llm boolean not null,
            classified_by text not null,
            answer_id bigint not null,
            unique (analysis_id, chat_id),
            check (provider <> 'rules' or (not is_llm and model like 'rules-%'))
        )
    """)
    op.execute(
        "create index customer_categorizations_analysis_id_customer_intent_idx "
        "on analysis.customer_categorizations (analysis_id, customer_intent)"
    )
    op.execute(
        "create index customer_categorizations_analysis_id_journey_stage_idx "
        "on analysis.customer_categorizations (analysis_id, journey_stage)"
    )
    op.execute("create index customer_categorizations_chat_id_idx on analysis.customer_categorizations (chat_id)")
    op.execute(
        "comment on table analysis.customer_categorizations is "
        "'One row per analysis and categorized chat: the labels as they were when the analysis was made'"
    )


def downgrade() -> None:
    # The KPIs are dbt's, and refer to the analyses.
    op.execute("drop table if exists analysis.analysis_kpis")
    op.execute("drop table analysis.customer_categorizations, analysis.analysis_chats, analysis.customer_analyses")
