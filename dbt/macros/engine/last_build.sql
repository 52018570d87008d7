{#
  One row about the last run of dbt that could build: which loads were there when it began. Each run puts its own row in
  the place of the one before. Whoever runs dbt adds which project it was, once the whole project was built and passed
  (dagster_project/orchestration/builds/last_build.py). So a run that failed, was killed or built a part is not remembered as good.

  A change of the effective-dated seeds that could not be registered, because a sync was writing, has yet to be built.
#}
{% macro open_last_build() %}
    {%- if execute %}
    insert into ops.last_build as last (invocation_id, began_at, load_id, as_of, has_all_versions)
    select
        '{{ invocation_id }}',
        now(),
        coalesce((select max(load_id) from ops.page_loads), 0),
        (select loaded_at from ops.page_loads order by load_id desc limit 1),
        coalesce(
            (select content_hash from ops.calendar_and_target_versions order by load_id desc limit 1)
                = '{{ calendar_and_target_hash() }}',
            false
        ) and {{ 'true' if var('load_ceiling') is none else 'false' }}
    on conflict (is_last) do update set
        invocation_id = excluded.invocation_id, began_at = excluded.began_at, load_id = excluded.load_id,
        as_of = excluded.as_of, has_all_versions = excluded.has_all_versions, project = null
    {%- endif %}
{% endmacro %}
