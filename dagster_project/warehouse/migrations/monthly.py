"""How filled tables come into monthly partitions (which: months.py): copied in batches first, then swapped in.

A batch is a transaction of its own, in the order of the key, so the copy itself says how far it is: whoever is killed
is simply run again. The tables that are copied from stay the truth until the swap, which takes whatever is new or
changed since with it. Memory and locks are those of one batch; the swap shuts the table while it compares keys.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

BATCH = 20_000  # rows
# Runs a statement, in the transaction; returns its first row where it has rows.
Run = Callable[[str], Sequence[Any] | None]
PARTITION_FUNCTION = """
    create or replace function ops.keep_month(parent regclass, month date) returns boolean
    language plpgsql security definer set search_path = pg_catalog as $$
    declare
        first constant date := date_trunc('month', month::timestamp);
        following constant date := first + interval '1 month';
        place constant text := (select relnamespace::regnamespace::text from pg_class where oid = parent);
        part text := (select relname from pg_class where oid = parent) || to_char(first, '_YYYY_MM');
        guard record;
        -- Of a time, the month is that of UTC.
        zone constant text := (
            select case atttypid when 'date'::regtype then '' else ' 00:00:00+00' end
            from pg_partitioned_table inner join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
            where partrelid = parent
        );
    begin
        if exists (
            select from pg_inherits inner join pg_class on oid = inhrelid
            where inhparent = parent and relname like part || '%'
        ) then
            return false;
        end if;
        if to_regclass(place || '.' || quote_ident(part)) is not null then
            part := part || '_late';
        end if;
        -- Made first and attached then: that does not wait for those who read the other months.
        execute format(
            'create table %s.%I (like %s including defaults including constraints including storage '
            || 'including compression)', place, part, parent
        );
        -- Whoever lands or builds calls this, by the rights of the warehouse's owner: a month is its table's owner's.
        execute format(
            'alter table %s.%I owner to %I', place, part,
            (select pg_get_userbyid(relowner) from pg_class where oid = parent)
        );
        execute format(
            'alter table %s attach partition %s.%I for values from (%L) to (%L)',
            parent, place, part, first || zone, following || zone
        );
        -- Postgres gives a partition the triggers on rows. Those on statements guard the table by its own name alone.
        for guard in
            select
                tgname as name,
                replace(pg_get_triggerdef(oid), format(' ON %s ', parent), format(' ON %s.%I ', place, part)) as made
            from pg_trigger where tgrelid = parent and not tgisinternal and tgtype & 1 = 0
        loop
            execute guard.made;
            execute format('alter table %s.%I enable always trigger %I', place, part, guard.name);
        end loop;
        return true;
    end $$
"""


@dataclass(frozen=True)
class Moved:
    """A table and what makes it monthly.

    Attributes:
        key: its key without the month; what a row is known by.
        month: the column that says the month, and its type.
        filled: SQL of that column for a row of `old`, where the table does not have it yet.
        changes: a column that differs when a row has changed since it was copied.
        indexes: by name; the key's is made with the table.
    """

    name: str
    key: tuple[str, ...]
    month: tuple[str, str]
    indexes: dict[str, str]
    filled: str | None = None
    changes: str | None = None

    @property
    def copy(self) -> str:
        return f"{self.name}_monthly"


def copy_ahead(moved: Sequence[Moved], transaction: Callable[[], AbstractContextManager[Run | None]]) -> None:
    """Copy what is large in batches, each in a transaction of its own.

    Args:
        transaction: opens one in which nobody else migrates; None where somebody else has brought it to the end.
    """
    for table in moved:
        copied = BATCH
        while copied == BATCH:
            with transaction() as run:
                if not run:
                    return
                if not _first(run, f"select to_regclass('{table.copy}') is not null"):
                    run(PARTITION_FUNCTION)
                    _make(run, table)
                copied = _copy(run, table, _after_the_last(run, table))


def swap(run: Run, moved: Sequence[Moved]) -> None:
    """Bring the copies up to date and put them in the tables' places; in one transaction."""
    for table in moved:
        run(f"lock table {table.name} in access exclusive mode")
        if not _first(run, f"select to_regclass('{table.copy}') is not null"):
            _make(run, table)
        _forget_what_changed(run, table)
        _copy(run, table, _all_that_lack(table))
        run(f"""
            do $$ declare remark text; begin
                for remark in select format('comment on %s is %L', case objsubid when 0 then 'table {table.copy}'
                        else format('column {table.copy}.%I', attname) end, description)
                    from pg_description left join pg_attribute on attrelid = objoid and attnum = objsubid
                    where objoid = '{table.name}'::regclass and classoid = 'pg_class'::regclass
                loop
                    execute remark;
                end loop;
            end $$
        """)
        schema, short = table.name.split(".")
        run(f"alter table {table.name} rename to {short}__before")
        run(f"alter table {table.copy} rename to {short}")
        _move_views(run, f"{table.name}__before", table.name)
        run(f"drop table {table.name}__before")
        run(f"alter table {table.name} rename constraint {short}_monthly_pkey to {short}_pkey")
        for index, of in table.indexes.items():
            run(f"create index {index} on {table.name} {of}")
        run(f"""
            do $$ declare part record; begin
                for part in select relname, relkind from pg_class
                    where relnamespace = '{schema}'::regnamespace and starts_with(relname, '{short}_monthly_')
                loop
                    execute format(
                        'alter %s {schema}.%I rename to %I', case part.relkind when 'i' then 'index' else 'table' end,
                        part.relname, replace(part.relname, '{short}_monthly_', '{short}_')
                    );
                end loop;
            end $$
        """)


def back(run: Run, moved: Sequence[Moved]) -> None:
    """One table again of each: what a downgrade does. A column made for the month goes."""
    for table in moved:
        short = table.name.split(".")[1]
        run(f"alter table {table.name} rename to {short}__parts")
        old = f"{table.name}__parts"
        run(
            f"create table {table.name} (like {old} including defaults including comments including storage "
            "including compression including constraints)"
        )
        if table.filled:
            run(f"alter table {table.name} drop column {table.month[0]}")
        names = ", ".join(_columns(run, table.name))
        run(f"insert into {table.name} ({names}) select {names} from {old}")
        _move_views(run, old, table.name)
        run(f"drop table {old}")
        run(f"alter table {table.name} add constraint {short}_pkey primary key ({', '.join(table.key)})")
        for index, of in table.indexes.items():
            run(f"create index {index} on {table.name} {of}")


def _make(run: Callable, table: Moved) -> None:
    column, kind = table.month
    default = " default now()" if kind == "timestamptz" else ""
    added = f", {column} {kind} not null{default}" if table.filled else ""
    run(f"""
        create table {table.copy} (
            like {table.name} including defaults including constraints including storage including compression{added},
            primary key ({", ".join((*table.key, column))})
        ) partition by range ({column})
    """)


def _after_the_last(run: Run, table: Moved) -> str:
    """SQL: the next batch in the order of the key."""
    copied = _first(run, f"select exists (select from {table.copy})")
    order = ", ".join(f"{one} desc" for one in table.key)
    last = ", ".join(f"(select {one} from {table.copy} order by {order} limit 1)" for one in table.key)
    condition = f"where ({', '.join(table.key)}) > ({last})" if copied else ""
    return f"{condition} order by {', '.join(table.key)} limit {BATCH}"


def _all_that_lack(table: Moved) -> str:
    same = " and ".join(f"old.{one} = copied.{one}" for one in table.key)
    return f"where not exists (select from {table.copy} as copied where {same})"


def _copy(run: Run, table: Moved, which: str) -> int:
    """Copy rows that are not there yet. Returns how many."""
    run(
        f"create temporary table batch on commit drop as select {', '.join(table.key)} from {table.name} as old {which}"
    )
    names = _columns(run, table.name)
    column, kind = table.month
    value = table.filled or f"old.{column}"
    same = " and ".join(f"old.{one} = batch.{one}" for one in table.key)
    run(f"""
        select ops.keep_month('{table.copy}', month) from (
            select distinct date_trunc('month', {value}{"" if kind == "date" else " at time zone 'UTC'"})::date as month
            from {table.name} as old inner join batch on {same}
        ) as months
    """)
    run(f"""
        insert into {table.copy} ({", ".join(names)}{f", {column}" if table.filled else ""})
        select {", ".join(f"old.{name}" for name in names)}{f", {value}" if table.filled else ""}
        from {table.name} as old inner join batch on {same}
    """)
    copied = int(_first(run, "select count(*) from batch"))
    run("drop table batch")
    return copied


def _forget_what_changed(run: Callable, table: Moved) -> None:
    """Rows that are gone or have changed since they were copied: an older version of this program ran in between."""
    same = " and ".join(f"old.{one} = copied.{one}" for one in table.key)
    unchanged = f" and old.{table.changes} = copied.{table.changes}" if table.changes else ""
    run(
        f"delete from {table.copy} as copied where not exists (select from {table.name} as old where {same}{unchanged})"
    )


def _move_views(run: Run, old: str, new: str) -> None:
    """Put the views that stand on one table onto another: dbt's, and with them those that BI's people made on these."""
    run(f"""
        do $$ declare moved record; begin
            for moved in
                select distinct rule.ev_class::regclass as name, pg_get_viewdef(rule.ev_class) as definition
                from pg_depend inner join pg_rewrite as rule on rule.oid = objid
                where pg_depend.classid = 'pg_rewrite'::regclass and refobjid = '{old}'::regclass
                    and rule.ev_class <> '{old}'::regclass
            loop
                execute format('create or replace view %s as %s', moved.name,
                    replace(moved.definition, '{old.split(".")[1]}', '{new.split(".")[1]}'));
            end loop;
        end $$
    """)


def _columns(run: Run, table: str) -> list[str]:
    return list(
        _first(
            run,
            f"""
        select array_agg(quote_ident(attname) order by attnum) from pg_attribute
        where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped
    """,
        )
    )


def _first(run: Run, query: str) -> Any:
    """The first column of the first row."""
    row = run(query)
    assert row is not None
    return row[0]
