"""Locks by name, in a table that BI has no right to: any role may take any advisory lock, and see who holds which."""

from alembic import op

revision = "0016"
down_revision = "0015"

TABLE = """
    create table ops.locks (
        kind text not null,
        id text not null,
        pid integer,
        session_began timestamptz,
        primary key (kind, id)
    )
"""
COMMENT = """
    comment on table ops.locks is
        'One row per lock by name (kind and id); it counts for as long as the session that took it lives.'
"""
# A transaction sees the list of sessions as it was at its first look; a session begun since would be taken for dead.
# Of another role's session one may not see when it began: its pid alone speaks for it.
SESSION_LIVES = """
    create function ops.session_lives(session_pid integer, began timestamptz) returns boolean language plpgsql as $$
    begin
        perform pg_stat_clear_snapshot();
        return exists (
            select from pg_stat_activity as sessions
            where sessions.pid = session_pid
                and sessions.datname = current_database()
                and coalesce(sessions.backend_start = began, true)
        );
    end $$
"""
# A transaction may hold the lock for the moment; that one is not waited for to its end.
TRY_LOCK = """
    create function ops.try_lock(lock_kind text, lock_id text) returns boolean language plpgsql
    set lock_timeout = '1s' as $$
    begin
        insert into ops.locks as held (kind, id, pid, session_began)
        select lock_kind, lock_id, sessions.pid, sessions.backend_start
        from pg_stat_activity as sessions
        where sessions.pid = pg_backend_pid()
        on conflict (kind, id) do update
        set pid = excluded.pid, session_began = excluded.session_began
        where held.pid = excluded.pid or not ops.session_lives(held.pid, held.session_began);
        return found;
    exception when lock_not_available then
        return false;
    end $$
"""
UNLOCK = """
    create function ops.unlock(lock_kind text, lock_id text) returns void language sql as $$
        delete from ops.locks where kind = lock_kind and id = lock_id and pid = pg_backend_pid()
    $$
"""
# The rows go again at once, but whoever wants one of them waits for the transaction that wrote it.
LOCK_IN_TRANSACTION = """
    create function ops.lock_in_transaction(lock_kind text, variadic lock_ids text[]) returns setof text
    language plpgsql as $$
    declare
        locked text[];
    begin
        with written as (
            insert into ops.locks as held (kind, id)
            select distinct lock_kind, wanted.id from unnest(lock_ids) as wanted (id) order by 2
            on conflict (kind, id) do update
            set kind = excluded.kind
            where held.pid = pg_backend_pid() or not ops.session_lives(held.pid, held.session_began)
            returning held.id
        )
        select array_agg(written.id) into locked from written;
        delete from ops.locks
        where kind = lock_kind and id = any(locked) and pid is distinct from pg_backend_pid();
        return query select unnest(locked);
    end $$
"""
IN_TRANSACTION_COMMENT = """
    comment on function ops.lock_in_transaction is
        'Those of some locks that no other session holds; nobody takes one before this transaction ends.'
"""


def upgrade() -> None:
    for statement in (TABLE, COMMENT, SESSION_LIVES, TRY_LOCK, UNLOCK, LOCK_IN_TRANSACTION, IN_TRANSACTION_COMMENT):
        op.execute(statement)


def downgrade() -> None:
    for function in ("lock_in_transaction", "unlock", "try_lock", "session_lives"):
        op.execute(f"drop function ops.{function}")
    op.execute("drop table ops.locks")
