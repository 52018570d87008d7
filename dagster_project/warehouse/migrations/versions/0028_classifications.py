"""The field's words for what a model said of a chat: classifications, their queue, the key they are reused by.

Nothing is classified anew: rows keep their ids,
and tables their rights. Marts that read them follow with the next build.
"""

from alembic import op

revision = "0028"
down_revision = "0027"

TABLES = {
    "answers": "classifications",
    "chat_work": "classification_queue",
    "current_answers": "current_classifications",
}
COLUMNS = {
    "analysis.classifications": {
        "answer_id": "classification_id",
        "work_key": "cache_key",
        "provider": "model_vendor",
        "answered_at": "classified_at",
    },
    "analysis.classification_queue": {
        "answer_id": "classification_id",
        "queued_answer_id": "queued_classification_id",
        "work_key": "cache_key",
        "looked_at": "processed_at",
    },
    "analysis.current_classifications": {"answer_id": "classification_id"},
    "analysis.batch_items": {"work_key": "cache_key"},
    "analysis.review_queue": {"answer_id": "classification_id"},
    "analysis.customer_analyses": {"new_answer_count": "new_classification_count"},
    "analysis.customer_categorizations": {"answer_id": "classification_id", "provider": "model_vendor"},
    "analysis.effectiveness_analysis": {"answer_id": "classification_id", "provider": "model_vendor"},
    "analysis.evaluations": {"answered_by": "classified_by"},
    "ops.ai_usage_ledger": {"provider": "model_vendor", "work_key": "cache_key"},
}
STATES = {"unsettled": "ongoing", "answered": "classified", "dead": "dead_lettered"}
IN_NAMES = (  # of constraints, indexes and sequences, in this order
    ("chat_work", "classification_queue"),
    ("work_key", "cache_key"),
    ("answers", "classifications"),
    ("answer_id", "classification_id"),
    ("provider", "model_vendor"),
    ("new_answer_count", "new_classification_count"),
    ("answered_", "classified_"),
    ("looked_at", "processed_at"),
    ("unsettled", "ongoing"),
)
WAITING = ("skipped", "pending", "submitted", "budget_deferred", "refused")
VIEW = """
    create or replace view analysis.{view} as
    select
        work.chat_id, work.classifier, work.content_key, work.{id}, work.injection_suspected,
        case when work.{id} is null then work.state else '{classified}' end as state,
        case when work.{id} is null then work.reason end as reason
    from analysis.{queue} as work
    where
        (work.{id} is not null or work.state not in ('{ongoing}', 'skipped'))
        and not exists (
            select 1 from analysis.{queue} as other
            where
                other.chat_id = work.chat_id and other.classifier <> work.classifier
                and case
                    when (
                        select classifier from analysis.progress order by chosen_at desc nulls last limit 1
                    ) = 'claude' then other.classifier = 'claude'
                    when other.content_key is distinct from work.content_key
                        then other.{processed_at} > work.{processed_at}
                    when (other.{id} is null) <> (work.{id} is null)
                        then work.{id} is null
                    else other.classifier = 'claude'
                end
        )
"""
COMMENTS = {
    "table analysis.classifications": (
        "One row per classification of one content by a classifier; equal chats share it, and nothing is overwritten"
    ),
    "table analysis.classification_queue": (
        "One row per chat and classifier: what became of it, and its classification"
    ),
    "column analysis.classification_queue.state": (
        "ongoing: neither closed nor idle; skipped: nothing to classify; pending: to be sent; submitted: in a batch; "
        "budget_deferred: over the cap; classified; refused: by the model; dead_lettered: not sent again as it is"
    ),
    "column analysis.classification_queue.queued_classification_id": (
        "The classification that the review queue was last filled by; another one is unprocessed"
    ),
    "column analysis.classifications.model_vendor": (
        "rules, anthropic, or fake: the fake of b2chat fake-claude, which is no language model"
    ),
    "column analysis.classifications.cache_key": "Hash of content and version: equal chats share a classification",
    "view analysis.current_classifications": (
        "One row per chat, closed or idle, that somebody is to classify: its classification, or the state that says "
        "why it has none. Where Claude classifies it is Claude''s, never that of the rules; where rules do, Claude''s "
        "if there is one to what the chat says now, else theirs"
    ),
}


def upgrade() -> None:
    for old, new in TABLES.items():
        kind = "view" if old == "current_answers" else "table"
        op.execute(f"alter {kind} analysis.{old} rename to {new}")
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            op.execute(f"alter table {table} rename {old} to {new}")
    _rename_parts(IN_NAMES)
    _change_states("classification_queue", STATES)
    op.execute(
        VIEW.format(
            view="current_classifications",
            queue="classification_queue",
            id="classification_id",
            processed_at="processed_at",
            classified="classified",
            ongoing="ongoing",
        )
    )
    for what, text in COMMENTS.items():
        op.execute(f"comment on {what} is '{text}'")


def downgrade() -> None:
    _rename_parts(tuple((new, old) for old, new in IN_NAMES))
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            op.execute(f"alter table {table} rename {new} to {old}")
    for old, new in TABLES.items():
        kind = "view" if old == "current_answers" else "table"
        op.execute(f"alter {kind} analysis.{new} rename to {old}")
    _change_states("chat_work", {new: old for old, new in STATES.items()})
    op.execute(
        VIEW.format(
            view="current_answers",
            queue="chat_work",
            id="answer_id",
            processed_at="looked_at",
            classified="answered",
            ongoing="unsettled",
        )
    )


def _change_states(table: str, states: dict[str, str]) -> None:
    """Give states their other names; an index whose text names one is made anew."""
    ongoing = next(iter(states.values()))
    op.execute(f"drop index analysis.{table}_{ongoing}_idx")
    op.execute(f"alter table analysis.{table} drop constraint {table}_state_check")
    whens = " ".join(f"when '{old}' then '{new}'" for old, new in states.items())
    renamed = f"set state = case state {whens} end where state in {tuple(states)}"
    op.execute(f"update analysis.{table} {renamed}")
    op.execute(
        f"alter table analysis.{table} add constraint {table}_state_check "
        f"check (state in {(*states.values(), *WAITING)})"
    )
    op.execute(f"create index {table}_{ongoing}_idx on analysis.{table} (classifier) where state = '{ongoing}'")


def _rename_parts(words: tuple[tuple[str, str], ...]) -> None:
    """Rename constraints, indexes and sequences of the renamed tables by the words in their names."""
    renamed = "part.name"
    for old, new in words:
        renamed = f"replace({renamed}, '{old}', '{new}')"
    tables = ", ".join(f"'{table}'" for table in COLUMNS)
    op.execute(f"""
        do $$
        declare one record;
        begin
            for one in
                with tables as (select unnest(array[{tables}]::regclass[])::oid as oid)
                select part.command, {renamed} as new_name
                from (
                    select format('alter table %s rename constraint %I to', conrelid::regclass, conname) as command,
                        conname::text as name
                    from pg_constraint inner join tables on tables.oid = conrelid
                    union all
                    select format('alter index %s rename to', indexrelid::regclass), pg_class.relname::text
                    from pg_index inner join tables on tables.oid = indrelid
                    inner join pg_class on pg_class.oid = indexrelid
                    where not exists (select 1 from pg_constraint where conindid = indexrelid)
                    union all
                    select format('alter sequence %s rename to', pg_depend.objid::regclass), pg_class.relname::text
                    from pg_depend inner join tables on tables.oid = pg_depend.refobjid
                    inner join pg_class on pg_class.oid = pg_depend.objid and pg_class.relkind = 'S'
                ) as part
                where part.name <> {renamed}
            loop
                execute format('%s %I', one.command, one.new_name);
            end loop;
        end $$
    """)  # noqa: S608
