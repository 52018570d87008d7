"""Whole answers as `json`: the text as it came, not parsed a second time; and lz4 where the server has it.

An answer of 4 MB costs Postgres half the work that it did as `jsonb`. All kept answers are written anew, once.
"""

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"

# Written once, read rarely, or by dbt alone: what costs least to compress. It counts for what is written from now on.
LARGE = {"ops.api_response_logs": "raw_response", "raw.chats": "payload", "raw.chat_versions": "payload"}


def upgrade() -> None:
    op.execute("alter table ops.api_response_logs alter column raw_response type json using raw_response::json")
    op.execute(
        "comment on column ops.api_response_logs.raw_bytes is "
        "'The exact bytes, only where the answer had to be cleaned to fit into json that can be queried'"
    )
    if _has_lz4():
        _compress_with("lz4")


def downgrade() -> None:
    _compress_with("default")
    op.execute("alter table ops.api_response_logs alter column raw_response type jsonb using raw_response::jsonb")
    op.execute(
        "comment on column ops.api_response_logs.raw_bytes is "
        "'The exact bytes, only where the answer had to be cleaned to fit into jsonb'"
    )


def _has_lz4() -> bool:
    has = text("select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression'")
    return bool(op.get_bind().execute(has).scalar())


def _compress_with(method: str) -> None:
    for table, column in LARGE.items():
        op.execute(f"alter table {table} alter column {column} set compression {method}")
