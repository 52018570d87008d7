"""An answer that is asked for anew, because it is old, is the chat's until the new one is there."""

from alembic import op

revision = "0015"
down_revision = "0014"

VIEW = """
    create or replace view analysis.current_answers as
    select work.chat_id, work.classifier, work.content_key, work.answer_id, work.injection_suspected
    from analysis.chat_work as work
    where
        work.{has_answer}
        and not exists (
            select from analysis.chat_work as other
            where
                other.chat_id = work.chat_id and other.classifier <> work.classifier
                and case
                    when other.content_key is distinct from work.content_key
                        then other.looked_at > work.looked_at
                    else other.classifier = 'claude' and other.{has_answer}
                end
        )
"""


def upgrade() -> None:
    op.execute(VIEW.format(has_answer="answer_id is not null"))


def downgrade() -> None:
    op.execute(VIEW.format(has_answer="state = 'answered'"))
