"""System settings: the address of a source's replica holds a password as well, and is no setting of run time."""

from alembic import op

revision = "0039"
down_revision = "0038"

_NAME = "system_settings_hold_no_secret"
_CHECK = (
    "key !~* '(secret|salt|passw|token|credential|api_?key|access_?key|({}database|webhook|heartbeat|apprise)_url)'"
)


def upgrade() -> None:
    _hold("read|")


def downgrade() -> None:
    _hold("")


def _hold(more: str) -> None:
    op.execute(
        f"alter table ops.system_settings drop constraint {_NAME}, "
        f"add constraint {_NAME} check ({_CHECK.format(more)}) not valid"
    )
    op.execute(f"alter table ops.system_settings validate constraint {_NAME}")
