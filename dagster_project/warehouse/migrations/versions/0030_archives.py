"""The states of archived months, the records that are known to be in them, and where partitions wait to be dropped."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.execute("create schema archived")
    op.execute(
        "comment on schema archived is 'Partitions that are in a verified file, until their days of grace are over'"
    )
    op.execute("""
        create table ops.archives (
            id bigint generated always as identity primary key,
            table_name text not null,
            month date not null,
            state text not null
                check (state in ('planned', 'exported', 'verified', 'detached', 'dropped', 'restored')),
            object_key text not null,
            row_count bigint,
            content_sum numeric,
            first_key text,
            last_key text,
            largest_row integer,
            bytes bigint,
            sha256 text,
            planned_at timestamptz not null default now(),
            exported_at timestamptz,
            verified_at timestamptz,
            detached_at timestamptz,
            dropped_at timestamptz,
            restored_at timestamptz
        )
    """)
    op.execute(
        "create unique index archives_under_way_idx on ops.archives (table_name, month) "
        "where state in ('planned', 'exported', 'verified')"
    )
    op.execute("create index archives_month_idx on ops.archives (table_name, month)")
    op.execute("""
        create table ops.archived_records (
            record_key text primary key,
            content_hash text not null,
            version integer not null,
            archive_id bigint not null
        )
    """)
    op.execute("create index archived_records_archive_id_idx on ops.archived_records (archive_id)")
    # Its indexes get names of their own too: of a month that is archived twice there are two.
    op.execute("""
        create function ops.put_aside(part regclass, waiting text) returns void
        language plpgsql set search_path = pg_catalog as $$
        declare
            index record;
        begin
            for index in select indexrelid::regclass as name, row_number() over () as number from pg_index
                where indrelid = part
            loop
                execute format('alter index %s rename to %I', index.name, waiting || '_' || index.number);
            end loop;
            execute format('alter table %s rename to %I', part, waiting);
            execute format('alter table %s set schema archived', part);
        end $$
    """)
    for what, words in (
        (
            "table ops.archives",
            "One row per month of a table that is or was archived: where its file is, and how far it is",
        ),
        ("column ops.archives.row_count", "Rows of the partition, at the snapshot that was written"),
        ("column ops.archives.content_sum", "Sum of hashtextextended(row::text, 0): the same rows have the same sum"),
        (
            "column ops.archives.largest_row",
            "Characters of the longest row as text: what reading it back must hold at once",
        ),
        (
            "table ops.archived_records",
            "Chats whose record is in an archive and not in raw: known, unchanged, not deleted",
        ),
    ):
        op.execute(f"comment on {what} is '{words}'")


def downgrade() -> None:
    op.execute("drop function ops.put_aside")
    op.execute("drop table ops.archived_records, ops.archives")
    op.execute("drop schema archived cascade")
