-- Only the random draw counts: chats that were picked because they look wrong would make the machine look worse.
with drawn as (
    select * from {{ source('analysis', 'review_queue') }}
    where is_random
),

work as (
    select * from {{ source('analysis', 'classification_queue') }}
    where state = 'classified'
),

classifications as (
    select * from {{ source('analysis', 'classifications') }}
),

newest_labels as (
    select distinct on (chat_id) *
    from {{ source('analysis', 'human_labels') }}
    order by chat_id, label_id desc
),

compared as (
    select
        work.version,
        classifications.model,
        classifications.is_llm,
        fields.field,
        fields.named,
        fields.gold,
        fields.none_applies
    from drawn
    inner join work on work.chat_id = drawn.chat_id and work.content_key = drawn.content_key
    inner join classifications on classifications.classification_id = work.classification_id
    left join newest_labels as labels on labels.chat_id = drawn.chat_id and labels.content_key = drawn.content_key
    cross join lateral (
        values
        {%- for field in label_fields() %}
        ('{{ field.name }}', classifications.{{ field.name }}, labels.{{ field.name }}, {{ says_none(field, 'labels') }}),
        {%- endfor %}
        (
            'agent_quality', {{ quality_band('classifications.agent_quality_score') }},
            {{ quality_band('labels.agent_quality_score') }}, coalesce(labels.no_quality_applies, false)
        )
    ) as fields (field, named, gold, none_applies)
),

counted as (
    select
        version,
        model,
        is_llm,
        field,
        count(*) as drawn_count,
        count(gold) as chat_count,
        count(*) filter (where named = gold) as right_count,
        count(*) filter (where none_applies) as unlabelled_count,
        count(*) filter (where none_applies and named is not null) as should_have_abstained_count
    from compared
    group by version, model, is_llm, field
)

select
    version || ' ' || field as review_accuracy_id,
    version,
    model,
    is_llm,
    {{ classified_by('is_llm', 'model', 'es') }} as classified_by_es,
    {{ classified_by('is_llm', 'model', 'en') }} as classified_by_en,
    field,
    drawn_count::integer as drawn_chat_count,
    chat_count::integer as labelled_chat_count,
    right_count::integer as right_chat_count,
    right_count / nullif(chat_count, 0)::double precision as accuracy,
    {{ wilson_bound('right_count', 'chat_count', '-') }} as accuracy_low,
    {{ wilson_bound('right_count', 'chat_count', '+') }} as accuracy_high,
    unlabelled_count::integer as unlabelled_chat_count,
    should_have_abstained_count::integer as should_have_abstained_count
from counted
