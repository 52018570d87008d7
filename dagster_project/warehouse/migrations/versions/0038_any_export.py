"""Exports: what can be exported is known to the code alone (exports/export_log.py), not to the table."""

from alembic import op

revision = "0038"
down_revision = "0037"

_NAME = "export_logs_export_type_check"
_KINDS = "'report', 'analysis', 'chats', 'agents', 'kpis', 'table'"


def upgrade() -> None:
    op.execute(f"alter table ops.export_logs drop constraint {_NAME}, add constraint {_NAME} check (export_type <> '')")


def downgrade() -> None:
    # not valid: the rows of kinds that came later stay
    op.execute(
        f"alter table ops.export_logs drop constraint {_NAME}, "
        f"add constraint {_NAME} check (export_type in ({_KINDS})) not valid"
    )
