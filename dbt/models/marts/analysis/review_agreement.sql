-- What two people agree on is the ceiling: no machine can be asked to agree with both more than they do with each other.
with newest_of_each as (
    select distinct on (chat_id, content_key, labelled_by)
        *,
        {%- for field in label_fields() %}
        case when {{ says_none(field, 'human_labels') }} then 'none' else human_labels.{{ field.name }} end as {{ field.short }}_label,
        {%- endfor %}
        case when no_quality_applies then 'none' else {{ quality_band('agent_quality_score') }} end as quality_label
    from {{ source('analysis', 'human_labels') }} as human_labels
    order by chat_id, content_key, labelled_by, label_id desc
),

fields as (
    select * from (values {% for field in label_fields() %}('{{ field.name }}'), {% endfor %}('agent_quality')) as names (field)
),

pairs as (
    select
        opinions.field,
        opinions.one,
        opinions.other
    from newest_of_each as first
    inner join newest_of_each as second
        on second.chat_id = first.chat_id and second.content_key = first.content_key
        and second.labelled_by > first.labelled_by
    cross join lateral (
        values
        {%- for field in label_fields() %}
        ('{{ field.name }}', first.{{ field.short }}_label, second.{{ field.short }}_label),
        {%- endfor %}
        ('agent_quality', first.quality_label, second.quality_label)
    ) as opinions (field, one, other)
    where opinions.one is not null and opinions.other is not null
),

counted as (
    select
        field,
        count(*) as pair_count,
        count(*) filter (where one = other) as agreed_count
    from pairs
    group by field
),

ones as (
    select
        field,
        one as label,
        count(*) as times
    from pairs
    group by field, one
),

others as (
    select
        field,
        other as label,
        count(*) as times
    from pairs
    group by field, other
),

by_chance as (
    select
        ones.field,
        sum(ones.times * others.times) as expected
    from ones
    inner join others on others.field = ones.field and others.label = ones.label
    group by ones.field
),

shares as (
    select
        fields.field,
        coalesce(counted.pair_count, 0) as pair_count,
        counted.agreed_count / counted.pair_count::double precision as agreement,
        coalesce(by_chance.expected, 0) / (counted.pair_count::double precision ^ 2) as chance
    from fields
    left join counted on counted.field = fields.field
    left join by_chance on by_chance.field = fields.field
)

select
    field,
    pair_count::integer as pair_count,
    agreement,
    (agreement - chance) / nullif(1 - chance, 0) as kappa
from shares
