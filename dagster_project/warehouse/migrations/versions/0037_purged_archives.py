"""A file of an old month has an end, where its table says so: rooms are kept in files for seven years."""

from alembic import op

revision = "0037"
down_revision = "0036"
_STATES = "'planned', 'exported', 'verified', 'detached', 'dropped', 'restored'"


def upgrade() -> None:
    op.execute("alter table ops.archives add column purged_at timestamptz")
    _check(f"{_STATES}, 'purged'")
    op.execute("comment on column ops.archives.purged_at is 'When the file was deleted, its time being over'")


def downgrade() -> None:
    op.execute("delete from ops.archives where state = 'purged'")
    _check(_STATES)
    op.execute("alter table ops.archives drop column purged_at")


def _check(states: str) -> None:
    op.execute("alter table ops.archives drop constraint archives_state_check")
    op.execute(f"alter table ops.archives add constraint archives_state_check check (state in ({states}))")
