"""Review: what people say of chats, and which chats they should look at."""

from alembic import op

revision = "0011"
down_revision = "0010"

INTENTS = "('PROJECT_INFO', 'PAYMENT', 'LEGAL', 'POST_PURCHASE', 'OTHER')"
STAGES = "('PROSPECT', 'ACTIVE_BUYER', 'POST_PURCHASE')"
SENTIMENTS = "('POSITIVE', 'NEUTRAL', 'FRICTION')"


def upgrade() -> None:
    _chat_work()
    _labels()
    _queue()


def downgrade() -> None:
    op.execute("drop table analysis.review_queue, analysis.human_labels")
    op.execute("drop index analysis.chat_work_not_queued_idx")
    op.execute("alter table analysis.chat_work drop content_key, drop injection_suspected, drop queued_answer_id")


def _chat_work() -> None:
    op.execute("""
        alter table analysis.chat_work
            add content_key text,
            add injection_suspected boolean not null default false,
            add queued_answer_id bigint
    """)
    op.execute(
        "create index chat_work_not_queued_idx on analysis.chat_work (chat_id) "
        "where answer_id is distinct from queued_answer_id"
    )
    for column, text in {
        "content_key": "Hash of who wrote what in the chat, of no version: a person''s label belongs to it",
        "injection_suspected": "Whether a message looks like an order to a machine that reads it",
        "queued_answer_id": "The answer that the review queue was last filled by; another one is news to it",
    }.items():
        op.execute(f"comment on column analysis.chat_work.{column} is '{text}'")
    # The next run looks at each chat once more, for the two new columns; answers are known and cost nothing.
    op.execute("delete from analysis.progress")


def _labels() -> None:
    op.execute(f"""
        create table analysis.human_labels (
            label_id bigint generated always as identity primary key,
            chat_id text not null,
            content_key text not null,
            customer_intent text check (customer_intent in {INTENTS}),
            journey_stage text check (journey_stage in {STAGES}),
            no_stage_applies boolean not null default false,
            sentiment text check (sentiment in {SENTIMENTS}),
            agent_quality_score smallint check (agent_quality_score between 1 and 10),
            no_quality_applies boolean not null default false,
            labelled_by text not null check (labelled_by <> ''),
            labelled_at timestamptz not null default now(),
            note text,
            check (not (no_stage_applies and journey_stage is not null)),
            check (not (no_quality_applies and agent_quality_score is not null)),
            check (customer_intent is not null or journey_stage is not null or sentiment is not null
                   or agent_quality_score is not null or no_stage_applies or no_quality_applies)
        )
    """)
    op.execute("create index human_labels_chat_id_idx on analysis.human_labels (chat_id, label_id)")
    op.execute(
        "comment on table analysis.human_labels is 'One row per judgement of a person of a chat, never changed: "
        "the newest of a chat counts, as long as the chat still has the content that was judged'"
    )
    for column, text in {
        "customer_intent": "Null: no opinion",
        "journey_stage": "Null: no opinion, unless no_stage_applies",
        "sentiment": "Null: no opinion",
        "agent_quality_score": "Null: no opinion, unless no_quality_applies (no agent wrote)",
    }.items():
        op.execute(f"comment on column analysis.human_labels.{column} is '{text}'")


def _queue() -> None:
    op.execute("""
        create table analysis.review_queue (
            chat_id text primary key,
            content_key text not null,
            answer_id bigint not null,
            is_low_confidence boolean not null,
            is_disputed boolean not null,
            is_suspicious boolean not null,
            is_friction_with_high_quality boolean not null,
            is_random boolean not null,
            has_outdated_label boolean not null,
            state text not null default 'open' check (state in ('open', 'done', 'dismissed')),
            queued_at timestamptz not null default now(),
            closed_at timestamptz,
            closed_by text,
            check ((state = 'open') = (closed_at is null))
        )
    """)
    op.execute("create index review_queue_open_idx on analysis.review_queue (queued_at) where state = 'open'")
    op.execute(
        "comment on table analysis.review_queue is "
        "'One row per chat that a person should look at, or has looked at: why, and what came of it'"
    )
    for column, text in {
        "content_key": "Of the content that the row is about; when the chat changes the row opens again",
        "answer_id": "Answer of the machine that the reasons are about",
        "is_disputed": "Rules and a language model contradict each other",
        "is_random": "In the stable random draw: the sample by which the machine''s accuracy is measured",
        "has_outdated_label": "A person judged the chat before it changed",
    }.items():
        op.execute(f"comment on column analysis.review_queue.{column} is '{text}'")
