"""A batch says by which prompt it was made: it may be collected after the prompt has changed."""

from alembic import op

revision = "0013"
down_revision = "0012"

COLUMNS = ("prompt_version", "schema_version", "redactor_version", "price_version")


def upgrade() -> None:
    op.execute("alter table analysis.batches " + ", ".join(f"add {column} text not null" for column in COLUMNS))


def downgrade() -> None:
    op.execute("alter table analysis.batches " + ", ".join(f"drop {column}" for column in COLUMNS))
