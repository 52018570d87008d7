"""What Claude needs to be asked: answers with their audit, work that waits, batches, and a ledger of what was spent."""

from alembic import op

revision = "0008"
down_revision = "0007"

AUDIT = (
    "prompt_version text",
    "schema_version text",
    "redactor_version text",
    "request_id text",
    "batch_id text",
    "input_tokens integer",
    "output_tokens integer",
    "cache_write_tokens integer",
    "cache_read_tokens integer",
    "thinking_tokens integer",
    "price_version text",
    "stop_reason text",
    "latency_ms integer",
    "messages_total integer",
    "messages_sent integer",
    "is_truncated boolean",
)
WAITING = "('pending', 'submitted', 'budget_deferred')"


def upgrade() -> None:
    _answers()
    _chat_work()
    _ledger()
    _batches()


def downgrade() -> None:
    op.execute("drop table analysis.batch_items, analysis.batches, ops.ai_usage_ledger")
    op.execute("delete from analysis.chat_work where state not in ('unsettled', 'answered', 'skipped')")
    op.execute("drop index analysis.chat_work_waiting_idx, analysis.chat_work_work_key_idx")
    op.execute("""
        alter table analysis.chat_work
            drop attempts, drop last_error_type, drop last_request_id, drop next_retry_at,
            drop constraint chat_work_state_check,
            add constraint chat_work_state_check check (state in ('unsettled', 'answered', 'skipped'))
    """)
    op.execute("delete from analysis.answers where provider = 'fake'")
    op.execute(
        "alter table analysis.answers drop constraint answers_of_the_fake, drop constraint answers_of_anthropic,"
        " drop constraint answers_provider_check,"
        " add constraint answers_provider_check check (provider in ('rules', 'anthropic')),"
        " drop resolution_score, drop customer_satisfaction, drop recommendations, drop analysis_data, "
        + ", ".join(f"drop {column.split()[0]}" for column in AUDIT)
    )


def _answers() -> None:
    op.execute(
        "alter table analysis.answers "
        + ", ".join(f"add {column}" for column in AUDIT)
        + """,
        add resolution_score numeric check (resolution_score between 0 and 100),
        add customer_satisfaction numeric check (customer_satisfaction between 0 and 100),
        add recommendations jsonb,
        add analysis_data jsonb,
        drop constraint answers_provider_check,
        add constraint answers_provider_check check (provider in ('rules', 'anthropic', 'fake')),
        add constraint answers_of_anthropic check (
            provider <> 'anthropic' or (model not like 'fake-%' and input_tokens > 0 and prompt_version is not null)),
        add constraint answers_of_the_fake check (
            provider <> 'fake' or (not is_llm and model like 'fake-%' and input_tokens > 0))
    """
    )
    for column, text in {
        "provider": "rules, anthropic, or fake: the stand-in of b2chat fake-claude, which is no language model",
        "resolution_score": "0 to 100: how far the chat gave the customer what he came for",
        "customer_satisfaction": "0 to 100, by what the customer wrote; null without evidence",
        "recommendations": "List of {text, source}; source is rule or model",
        "analysis_data": "The redacted exchange with the model, or what the rules went by",
        "cost_usd": "Of the request that was answered; ops.ai_usage_ledger holds all requests",
    }.items():
        op.execute(f"comment on column analysis.answers.{column} is '{text}'")


def _chat_work() -> None:
    op.execute("""
        alter table analysis.chat_work
            add attempts smallint not null default 0,
            add last_error_type text,
            add last_request_id text,
            add next_retry_at timestamptz,
            drop constraint chat_work_state_check,
            add constraint chat_work_state_check check (state in (
                'unsettled', 'answered', 'skipped', 'pending', 'submitted', 'budget_deferred', 'refused', 'dead'))
    """)
    op.execute(f"create index chat_work_waiting_idx on analysis.chat_work (classifier, state) where state in {WAITING}")
    op.execute("create index chat_work_work_key_idx on analysis.chat_work (work_key) where classifier = 'claude'")
    op.execute(
        "comment on column analysis.chat_work.state is "
        "'unsettled: goes on; skipped: nothing to categorize; pending: to be sent; submitted: in a batch; "
        "budget_deferred: over the cap; answered; refused: by the model; dead: not sent again as it is'"
    )


def _ledger() -> None:
    op.execute("""
        create table ops.ai_usage_ledger (
            ledger_id bigint generated always as identity primary key,
            run_id text not null,
            day date not null,
            work_key text not null,
            endpoint text not null,
            provider text not null check (provider in ('anthropic', 'fake')),
            model text not null,
            is_batch boolean not null,
            custom_id text,
            reserved_usd numeric(14, 8) not null check (reserved_usd >= 0),
            reserved_at timestamptz not null default now(),
            status text not null default 'reserved' check (status in ('reserved', 'settled', 'released', 'lost')),
            outcome text,
            cost_usd numeric(14, 8) not null default 0 check (cost_usd >= 0),
            uncertain_usd numeric(14, 8) not null default 0 check (uncertain_usd >= 0),
            input_tokens integer not null default 0,
            output_tokens integer not null default 0,
            cache_write_tokens integer not null default 0,
            cache_read_tokens integer not null default 0,
            thinking_tokens integer not null default 0,
            price_version text not null,
            request_id text,
            settled_at timestamptz,
            check (status <> 'released' or (cost_usd = 0 and uncertain_usd = 0))
        )
    """)
    op.execute("create index ai_usage_ledger_day_idx on ops.ai_usage_ledger (day)")
    op.execute("create index ai_usage_ledger_open_idx on ops.ai_usage_ledger (run_id) where status = 'reserved'")
    op.execute("create unique index ai_usage_ledger_custom_id_idx on ops.ai_usage_ledger (custom_id)")
    op.execute(
        "comment on table ops.ai_usage_ledger is 'One row per request to a language model, written before it "
        "is sent with the most that it can cost, and settled with what it cost'"
    )
    for column, text in {
        "endpoint": "Host that was asked; caps are counted for each by itself",
        "provider": "anthropic; fake where the answer came from the stand-in, which charges nothing",
        "model": "As asked for",
        "status": "reserved: sent or about to be; settled; released: never sent, or not charged; lost: the run ended "
        "before the answer came",
        "uncertain_usd": "At most, for sends that may have been charged although no answer came",
    }.items():
        op.execute(f"comment on column ops.ai_usage_ledger.{column} is '{text}'")


def _batches() -> None:
    op.execute("""
        create table analysis.batches (
            id bigint generated always as identity primary key,
            batch_id text unique,
            state text not null default 'intended'
                check (state in ('intended', 'submitted', 'collected', 'failed', 'lost')),
            version text not null,
            endpoint text not null,
            model text not null,
            run_id text not null,
            request_count integer not null,
            request_bytes bigint not null,
            intended_at timestamptz not null default now(),
            submitted_at timestamptz,
            polled_at timestamptz,
            collected_at timestamptz,
            note text,
            check (state not in ('submitted', 'collected') or batch_id is not null)
        )
    """)
    op.execute("create index batches_open_idx on analysis.batches (id) where state in ('intended', 'submitted')")
    op.execute(
        "comment on table analysis.batches is 'One row per message batch, written before it is created: a run "
        "that is killed finds it again'"
    )
    op.execute("""
        create table analysis.batch_items (
            batch bigint not null references analysis.batches (id) on delete cascade,
            custom_id text primary key,
            work_key text not null,
            sent jsonb,
            messages_total integer not null,
            messages_sent integer not null,
            is_truncated boolean not null,
            outcome text
        )
    """)
    op.execute("create index batch_items_batch_idx on analysis.batch_items (batch)")
    op.execute("create index batch_items_open_idx on analysis.batch_items (work_key) where outcome is null")
    op.execute(
        "comment on table analysis.batch_items is "
        "'One row per request of a batch: the work that its custom_id stands for'"
    )
    op.execute(
        "comment on column analysis.batch_items.sent is "
        "'The redacted messages as they were sent, until the answer is stored with them'"
    )
