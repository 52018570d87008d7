"""A chat's classification says whether effectiveness was made of it, so that a refresh need not look through all.

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


def downgrade() -> None:
    op.execute("alter table analysis.classification_queue drop scored_classification_id")
