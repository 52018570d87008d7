"""What classifiers say of chats: answers, kept for good, and which one is a chat's."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("create schema if not exists analysis")
    op.execute("""
        create table analysis.answers (
            answer_id bigint generated always as identity primary key,
            work_key text not null,
            classifier text not null,
            version text not null,
            provider text not null check (provider in ('rules', 'anthropic')),
            model text not null,
            is_llm boolean not null,
            customer_intent text not null,
            journey_stage text,
            sentiment text not null,
            agent_quality_score smallint check (agent_quality_score between 1 and 10),
            confidence_score double precision not null check (confidence_score between 0 and 1),
            confidence_source text not null check (confidence_source in ('rule_margin', 'model_verbalized')),
            reasoning_notes text not null,
            cost_usd numeric(12, 8) not null,
            answered_at timestamptz not null,
            check (provider <> 'rules' or (not is_llm and cost_usd = 0 and model like 'rules-%')),
            check (provider <> 'anthropic' or (is_llm and model like '%claude-%'))
        )
    """)
    op.execute("create unique index answers_of_rules_key on analysis.answers (work_key) where provider = 'rules'")
    op.execute("create index answers_work_key_idx on analysis.answers (work_key, answered_at)")
    op.execute(
        "comment on table analysis.answers is "
        "'One row per answer of a classifier to one content; equal chats share it, and nothing is overwritten'"
    )
    op.execute("""
        create table analysis.chat_work (
            chat_id text not null,
            classifier text not null,
            version text not null,
            state text not null check (state in ('unsettled', 'answered', 'skipped')),
            reason text,
            work_key text,
            answer_id bigint,
            load_id bigint not null,
            looked_at timestamptz not null,
            primary key (chat_id, classifier)
        )
    """)
    op.execute("create index chat_work_unsettled_idx on analysis.chat_work (classifier) where state = 'unsettled'")
    op.execute("create index chat_work_answer_id_idx on analysis.chat_work (answer_id)")
    op.execute(
        "comment on table analysis.chat_work is 'One row per chat and classifier: what became of it, and its answer'"
    )
    op.execute("""
        create table analysis.progress (
            classifier text primary key,
            version text not null,
            load_id bigint not null,
            updated_at timestamptz not null
        )
    """)
    op.execute("comment on table analysis.progress is 'Up to which load each classifier has looked at the chats'")


def downgrade() -> None:
    op.execute("drop table analysis.progress, analysis.chat_work, analysis.answers")
