{#
  One row about the last run of dbt that could build: which loads were there when it began. Each run puts its own row in
  the place of the one before; who runs it adds, when the whole project was built and passed, what project that was
  (dagster_project/orchestration/assets/last_build.py). So a run that failed, was killed or built a part leaves no such word behind.

  A change of the dated seeds that could not be registered, because a sync was writing, has yet to be built.
#}
{% macro open_last_build() %}
    create table if not exists intermediate.last_build (
        is_last boolean primary key default true check (is_last),
        invocation_id text not null,
        began_at timestamptz not null,
        load_id bigint not null,
        as_of timestamptz,
        has_all_rules boolean not null,
        project text
    );
    comment on table intermediate.last_build is
        'One row: the last run of dbt, the loads that it began with, and, once it has built and tested everything, its project.';
    {%- if execute %}
    insert into intermediate.last_build as last (invocation_id, began_at, load_id, as_of, has_all_rules)
    select
        '{{ invocation_id }}',
        now(),
        coalesce((select max(load_id) from ops.page_loads), 0),
        (select loaded_at from ops.page_loads order by load_id desc limit 1),
        coalesce((select rules from intermediate.rule_loads order by load_id desc limit 1) = '{{ calendar_and_target_hash() }}', false)
            and {{ 'true' if var('load_ceiling') is none else 'false' }}
    on conflict (is_last) do update set
        invocation_id = excluded.invocation_id, began_at = excluded.began_at, load_id = excluded.load_id,
        as_of = excluded.as_of, has_all_rules = excluded.has_all_rules, project = null
    {%- endif %}
{% endmacro %}
