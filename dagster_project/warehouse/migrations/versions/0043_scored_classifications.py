"""A chat's classification says whether effectiveness was made of it, and a chat without one is found by an index: a
refresh need not look through all of them.

Nothing is marked here: the first run after it finds what is there already, and marks it.
"""

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.execute("alter table analysis.classification_queue add scored_classification_id bigint")
    op.execute(
        "comment on column analysis.classification_queue.scored_classification_id is "
        "'The classification that effectiveness was last made of; another one waits for it'"
    )
    op.execute(
        "create index classification_queue_not_scored_idx on analysis.classification_queue (classifier, chat_id) "
        "where state = 'classified' and classification_id is distinct from scored_classification_id"
    )
    op.execute(
        "create index classification_queue_unclassified_idx on analysis.classification_queue (chat_id) "
        "where classification_id is null"
    )


def downgrade() -> None:
    op.execute("drop index analysis.classification_queue_unclassified_idx")
    op.execute("alter table analysis.classification_queue drop scored_classification_id")
