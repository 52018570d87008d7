"""Since when the results of a batch are not what they should be: they are asked for again, and given up after a day."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("alter table analysis.batches add incomplete_since timestamptz")
    op.execute(
        "comment on column analysis.batches.incomplete_since is 'When the API first knew less of the batch than "
        "it should, while what is missing may be paid; null while all is well'"
    )


def downgrade() -> None:
    op.execute("alter table analysis.batches drop incomplete_since")
