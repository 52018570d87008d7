"""Functions look for names in pg_temp last: whoever calls one with its owner's rights cannot put a view of their own in
the place of a catalog.
"""

from alembic import op

revision = "0042"
down_revision = "0041"

_SET = """
    do $$ declare
        one regprocedure;
    begin
        for one in
            select pg_proc.oid from pg_proc inner join pg_namespace on pg_namespace.oid = pronamespace
            where nspname in ('ops', 'raw', 'analysis') and proconfig @> array['search_path={before}']
        loop
            execute format('alter function %s set search_path = {after}', one);
        end loop;
    end $$
"""
_PINNED, _OPEN = "pg_catalog, pg_temp", "pg_catalog"


def upgrade() -> None:
    op.execute(_SET.format(before=_OPEN, after=_PINNED))


def downgrade() -> None:
    op.execute(_SET.format(before=_PINNED, after=_OPEN))
