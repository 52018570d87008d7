"""The tables of raw of a source whose rows are copied as they are: one form for all."""

from collections.abc import Sequence

from alembic import op

_COLUMNS = {
    "row_key": "The values of its key, in the key''s order, joined by |",
    "conversation_id": "The id of its {conversation}; NULL where its row names none",
    "payload": "The row as JSON, without secrets",
    "content_hash": "Tells a changed row from an unchanged one",
    "row_xid": "The transaction at the source that wrote it; NULL where that is not known",
    "load_id": "The load (ops.page_loads) that brought, changed or deleted it last",
    "deleted_at": "When it was deleted at the source; NULL while it is there. Soft deletions are in the payload",
}
_LOGS = (
    "ops.sync_states",
    "ops.sync_windows",
    "ops.sync_checkpoints",
    "ops.sync_logs",
    "ops.page_loads",
    "ops.field_catalog",
    "ops.data_source",
    "raw.quarantine",
)


def create_tables(source: str, tables: Sequence[str], conversation: str) -> None:
    """Make `raw.<source>_<table>` for each table; `conversation` is the source's word for one, for the descriptions."""
    for table in tables:
        op.execute(f"""
            create table raw.{source}_{table} (
                row_key text primary key,
                conversation_id text,
                payload jsonb not null,
                content_hash text not null,
                row_xid bigint,
                load_id bigint not null,
                first_load_id bigint not null,
                loaded_at timestamptz not null,
                deleted_at timestamptz,
                deletion_reason text
            )
        """)
        op.execute(f"create index {source}_{table}_load_id_idx on raw.{source}_{table} (load_id)")
        op.execute(f"comment on table raw.{source}_{table} is 'Each row of {source}.{table}, as it was read last'")
        for column, words in _COLUMNS.items():
            text = words.format(conversation=conversation)
            op.execute(f"comment on column raw.{source}_{table}.{column} is '{text}'")


def drop_tables(source: str, tables: Sequence[str]) -> None:
    """Take the tables down, and what the logs hold of their source."""
    for table in tables:
        op.execute(f"drop table raw.{source}_{table} cascade")
    for table in _LOGS:
        op.execute(f"delete from {table} where source = '{source}'")  # noqa: S608
