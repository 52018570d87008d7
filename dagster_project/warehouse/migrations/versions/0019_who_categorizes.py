"""Where Claude categorizes, a chat without an answer of it has none: a label of rules never stands in its place."""

from alembic import op

revision = "0019"
down_revision = "0018"

VIEW = """
    create or replace view analysis.current_answers as
    select
        work.chat_id, work.classifier, work.content_key, work.answer_id, work.injection_suspected,
        case when work.answer_id is null then work.state else 'answered' end as state,
        case when work.answer_id is null then work.reason end as reason
    from analysis.chat_work as work
    where
        (work.answer_id is not null or work.state not in ('unsettled', 'skipped'))
        and not exists (
            select from analysis.chat_work as other
            where
                other.chat_id = work.chat_id and other.classifier <> work.classifier
                and case
                    when (
                        select classifier from analysis.progress order by chosen_at desc nulls last limit 1
                    ) = 'claude' then other.classifier = 'claude'
                    when other.content_key is distinct from work.content_key
                        then other.looked_at > work.looked_at
                    when (other.answer_id is null) <> (work.answer_id is null)
                        then work.answer_id is null
                    else other.classifier = 'claude'
                end
        )
"""
BEFORE = """
    create view analysis.current_answers as
    select work.chat_id, work.classifier, work.content_key, work.answer_id, work.injection_suspected
    from analysis.chat_work as work
    where
        work.answer_id is not null
        and not exists (
            select from analysis.chat_work as other
            where
                other.chat_id = work.chat_id and other.classifier <> work.classifier
                and case
                    when other.content_key is distinct from work.content_key
                        then other.looked_at > work.looked_at
                    else other.classifier = 'claude' and other.answer_id is not null
                end
        )
"""


def upgrade() -> None:
    op.execute("alter table analysis.progress add chosen_at timestamptz")
    op.execute(
        "update analysis.progress set chosen_at = updated_at where classifier = 'claude' or classifier like 'rules-%'"
    )
    op.execute(
        "comment on column analysis.progress.chosen_at is 'When it last was the classifier that categorizes chats, "
        "and not one that gives a second opinion; the latest is who categorizes now'"
    )
    op.execute(VIEW)
    op.execute(
        "comment on view analysis.current_answers is 'One row per settled chat that somebody is to categorize: its "
        "answer, or the state that says why it has none. Where Claude categorizes it is Claude''s, never that of the "
        "rules; where rules do, Claude''s if there is one to what the chat says now, else theirs'"
    )


def downgrade() -> None:
    # Models that read the view are made again by the next build.
    op.execute("drop view analysis.current_answers cascade")
    op.execute(BEFORE)
    op.execute("alter table analysis.progress drop chosen_at")
