"""Which answer is a chat's: one definition for the marts and the review queue."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # Columns of answers are read where they are needed: a view that names them would hold up their next change.
    op.execute("""
        create view analysis.current_answers as
        select work.chat_id, work.classifier, work.content_key, work.answer_id, work.injection_suspected
        from analysis.chat_work as work
        where
            work.state = 'answered'
            and not exists (
                select from analysis.chat_work as other
                where
                    other.chat_id = work.chat_id and other.classifier <> work.classifier
                    and case
                        when other.content_key is distinct from work.content_key
                            then other.looked_at > work.looked_at
                        else other.classifier = 'claude' and other.state = 'answered'
                    end
            )
    """)
    op.execute(
        "comment on view analysis.current_answers is 'One row per chat that has an answer to what it says now: "
        "Claude''s if there is one, else that of the rules'"
    )


def downgrade() -> None:
    op.execute("drop view analysis.current_answers")
