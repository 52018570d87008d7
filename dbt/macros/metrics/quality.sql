{#
  SQL: how many rows break which rule, by day and subject, days without a broken rule too.

  Args:
      subjects: {what is checked: {
          relation: the model that is checked, as `checked`,
          rules: {rule: condition}; true: the row itself says so (quality_rules),
          joins: what is joined to find it, as SQL,
          key: by what a row is known, instead of its id,
          day: its day, instead of created_local_date,
          where: which rows are checked, instead of those that are not deleted,
          affected: SQL, a relation with day: days of which more changed than rows of the model}}.
      given: SQL of further CTEs that joins read, each with a comma after it; they may read affected (subject, day).
#}
{% macro broken_rules_by_day(subjects, given='') %}
with affected as (
    {%- for subject, of in subjects.items() %}
    {%- if 'day' not in of %}
    select
        '{{ subject }}' as subject,
        changed.created_local_date as day
    from {{ ref(of.relation) }} as changed
    where {{ load_window('changed') }}
    {%- endif %}
    {%- if 'affected' in of %}
    {{ 'union distinct' if 'day' not in of }}
    select
        '{{ subject }}' as subject,
        changed.day
    from ({{ of.affected }}) as changed
    {%- endif %}
    {%- if not loop.last %}

    union distinct
    {% endif %}
    {%- endfor %}
),

{{ given }}
checked as (
    {%- for subject, of in subjects.items() %}
    select
        '{{ subject }}' as subject,
        checked.{{ of.day | default('created_local_date') }} as day,
        {{ of.key | default('checked.id') }} as id,
        array_remove(array[
            {%- for rule, condition in of.rules.items() %}
            {%- if condition is sameas true %}
            case when checked.quality_rules like '%{{ rule }}%' then '{{ rule }}' end
            {%- else %}
            case when {{ condition }} then '{{ rule }}' end
            {%- endif %}{{ ',' if not loop.last }}
            {%- endfor %}
        ], null) as broken_rules
    from {{ ref(of.relation) }} as checked
    {{ of.joins }}
    where {{ of.where | default('not checked.is_deleted') }}
        and checked.{{ of.day | default('created_local_date') }}
            = any(array(select day from affected where subject = '{{ subject }}'))
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

days as (
    select
        subject,
        day,
        count(*) as checked_count
    from checked
    group by subject, day
),

counted as (
    select
        checked.subject,
        checked.day,
        broken.rule,
        count(*) as broken_count,
        (array_agg(checked.id order by checked.id))[:5] as samples
    from checked
    cross join lateral unnest(checked.broken_rules) as broken (rule)
    group by checked.subject, checked.day, broken.rule
),

rules (subject, rule) as (
    values
    {%- for subject, of in subjects.items() %}{% set last_subject = loop.last %}
    {%- for rule in of.rules %}
    ('{{ subject }}', '{{ rule }}'){{ ',' if not (last_subject and loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select
    days.subject,
    days.day,
    rules.rule,
    coalesce(counted.broken_count, 0)::integer as broken_count,
    days.checked_count::integer as checked_count,
    array_to_string(counted.samples, ', ') as sample_ids
from days
inner join rules on rules.subject = days.subject
left join counted
    on counted.subject = days.subject
    and counted.day = days.day
    and counted.rule = rules.rule
{% endmacro %}
