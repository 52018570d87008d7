"""How effective each chat was: the score is the database's own sum, and nobody can write another one."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        create table analysis.effectiveness_analysis (
            id text primary key default gen_random_uuid()::text,
            chat_id text not null,
            user_id text not null check (user_id <> ''),
            answer_id bigint not null,
            resolution_score double precision check (resolution_score between 0 and 100),
            customer_satisfaction double precision check (customer_satisfaction between 0 and 100),
            effectiveness_score double precision
                generated always as (0.6 * resolution_score + 0.4 * customer_satisfaction) stored,
            state text not null generated always as (
                case when resolution_score is not null and customer_satisfaction is not null then 'scored'
                    else 'insufficient_evidence' end) stored,
            response_time_score double precision check (response_time_score between 0 and 100),
            provider text not null,
            model text not null,
            is_llm boolean not null,
            classified_by text not null,
            recommendations jsonb not null,
            analysis_data jsonb not null,
            created_at timestamptz not null,
            unique (chat_id, answer_id),
            check (provider <> 'rules' or (not is_llm and model like 'rules-%'))
        )
    """)
    op.execute("create index effectiveness_analysis_user_id_idx on analysis.effectiveness_analysis (user_id)")
    op.execute(
        "create index effectiveness_analysis_effectiveness_score_idx "
        "on analysis.effectiveness_analysis (effectiveness_score)"
    )
    op.execute(
        "comment on table analysis.effectiveness_analysis is "
        "'One row per chat and answer: how well it served the customer, as a classifier judged it then'"
    )
    for column, text in {
        "user_id": "Who had it analysed first: who asked for a customer analysis, or pipeline",
        "effectiveness_score": "0.6 x resolution_score + 0.4 x customer_satisfaction; null where one is unknown",
        "state": "scored, or insufficient_evidence",
        "response_time_score": "0 to 100, by the first response in business time when the row was written",
        "created_at": "When the answer was given; it is reused for 30 days",
    }.items():
        op.execute(f"comment on column analysis.effectiveness_analysis.{column} is '{text}'")


def downgrade() -> None:
    op.execute("drop table analysis.effectiveness_analysis")
