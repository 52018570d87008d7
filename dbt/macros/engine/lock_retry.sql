{#
  To rename, drop, alter or replace what BI reads takes a lock that waits for each open transaction that has read it,
  and while it waits every new reader queues behind it. So these statements ask for a third of a second at a time and
  let readers pass in between. A session of bi_reader, or of a person's login, that sits idle in a transaction is ended; a
  query at work is waited for, as long as theirs may take (statement_timeout), and then ended too: the role may have
  lifted its limits.
#}
{% macro with_lock_retry(statement) %}
    do $retry$
    declare
        lock_timeout_before constant text := current_setting('lock_timeout');
        end_all_at constant timestamptz := clock_timestamp() + interval '{{ var('bi_lock_wait') }}';
        give_up_at constant timestamptz := end_all_at + interval '1 minute';
    begin
        perform set_config('lock_timeout', '300ms', true);
        loop
            begin
                execute $statement$ {{ statement }} $statement$;
                exit;
            exception when lock_not_available then
                if clock_timestamp() > give_up_at then
                    raise;
                end if;
                perform ops.end_readers(clock_timestamp() > end_all_at);
                perform pg_sleep(0.05);
            end;
        end loop;
        perform set_config('lock_timeout', lock_timeout_before, true);
    end
    $retry$
{% endmacro %}


{% macro postgres__rename_relation(from_relation, to_relation) %}
    {% call statement('rename_relation') %}
        {{ with_lock_retry(
            get_rename_sql(from_relation, adapter.quote_as_configured(to_relation.identifier, 'identifier'))
            ~ '; ' ~ name_months(to_relation)
        ) }}
    {% endcall %}
{% endmacro %}


{% macro postgres__drop_relation(relation) %}
    {% call statement('drop_relation', auto_begin=False) %}
        {%- set is_swapped_out = relation.is_table and relation.identifier.endswith('__dbt_backup') -%}
        {{ with_lock_retry(drop_swapped_out(relation) if is_swapped_out else get_drop_sql(relation)) }}
    {% endcall %}
{% endmacro %}


{#
  A table that another took the place of. A view that reads a column which the new table has not is changed later in the
  same build, in place, with BI's views on it: the old table waits for that, and goes at the end of the build
  (forgotten_relations.sql) or with the model's next.
#}
{% macro drop_swapped_out(old_table) %}
    {{ move_views(old_table, old_table.incorporate(path={'identifier': old_table.identifier[:-12]})) }};
    do $drop$
    begin
        if {{ is_read_by_views(old_table) }}
            and obj_description(to_regclass('{{ old_table }}'), 'pg_class') is distinct from 'goes with the next build'
        then
            comment on table {{ old_table }} is 'goes with the next build';
        else
            {{ get_drop_sql(old_table) }};
        end if;
    end
    $drop$
{% endmacro %}


{% macro is_read_by_views(table) -%}
    exists (
        select 1
        from pg_depend as uses
        inner join pg_rewrite as rule on rule.oid = uses.objid
        where uses.classid = 'pg_rewrite'::regclass and uses.refobjid = to_regclass('{{ table }}')
    )
{%- endmacro %}


{#
  After tables were swapped, the views still stand on the old one and would be dropped with it, dbt's and BI's own. They
  are put onto the new table, but for one that it has no column for.
#}
{% macro move_views(old_table, new_table) %}
    do $move$
    declare
        moved record;
    begin
        -- Views stand on several tables, and dbt swaps these in several threads: one of them moves views at a time.
        perform ops.lock_in_transaction('build', 'move_views');
        for moved in
            select distinct
                rule.ev_class::regclass as view_name, pg_get_viewdef(rule.ev_class) as definition,
                -- To replace a view without its options is to take them away: a barrier would be gone.
                coalesce('with (' || array_to_string(view.reloptions, ', ') || ')', '') as options
            from pg_depend as uses
            inner join pg_rewrite as rule on rule.oid = uses.objid
            inner join pg_class as view on view.oid = rule.ev_class and view.relkind = 'v'
            where uses.classid = 'pg_rewrite'::regclass and uses.refobjid = to_regclass('{{ old_table }}')
        loop
            begin
                execute format(
                    'create or replace view %s %s as %s',
                    moved.view_name,
                    moved.options,
                    replace(moved.definition, '{{ old_table.identifier }}', '{{ new_table.identifier }}')
                );
            exception when undefined_column or undefined_function or invalid_table_definition then
                null;
            end;
        end loop;
    end
    $move$
{% endmacro %}
