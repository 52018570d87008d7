-- A view: it is right whenever it is read, and the asset that categorizes runs after the models.

with current_answers as (
    select * from {{ source('analysis', 'current_answers') }}
),

answers as (
    select * from {{ source('analysis', 'answers') }}
),

newest_labels as (
    select distinct on (chat_id) *
    from {{ source('analysis', 'human_labels') }}
    order by chat_id, label_id desc
),

queue as (
    select * from {{ source('analysis', 'review_queue') }}
)

select
    current_answers.chat_id,
    current_answers.state,
    {{ label_columns('state', 'current_answers.state', 'states') }},
    current_answers.reason as state_reason,
    answers.provider,
    answers.model,
    answers.version,
    answers.is_llm,
    {{ classified_by('answers.is_llm', 'answers.model', 'es') }} as classified_by_es,
    {{ classified_by('answers.is_llm', 'answers.model', 'en') }} as classified_by_en,
    {%- for field in label_fields() %}
    answers.{{ field.name }},
    {%- endfor %}
    answers.agent_quality_score::integer as agent_quality_score,
    answers.confidence_score,
    answers.confidence_source,
    answers.answer_id is not null and coalesce(queue.state = 'open', false) as needs_review,
    {{ shown_notes('answers.reasoning_notes') }} as reasoning_notes,
    answers.answered_at,
    {%- for field in label_fields() %}
    {{ final_label(field, 'labels', 'answers') }} as final_{{ field.short }},
    {%- endfor %}
    case
        when not coalesce(labels.no_quality_applies, false)
            then coalesce(labels.agent_quality_score, answers.agent_quality_score)::integer
    end as final_agent_quality_score,
    case
        when labels.chat_id is not null then 'human'
        when answers.provider = 'anthropic' then 'llm'
        else answers.provider
    end as final_source,
    outdated.chat_id is not null as has_outdated_label
    {%- for field in label_fields() %},
    {{ label_columns('final_' ~ field.short, final_label(field, 'labels', 'answers'), field.short ~ '_words') }}
    {%- endfor %}
from current_answers
left join answers on answers.answer_id = current_answers.answer_id
left join newest_labels as labels
    on labels.chat_id = current_answers.chat_id and labels.content_key = current_answers.content_key
left join newest_labels as outdated
    on outdated.chat_id = current_answers.chat_id and outdated.content_key <> current_answers.content_key
left join queue on queue.chat_id = current_answers.chat_id
{{ join_labels('states', "'state'", 'current_answers.state') }}
{%- for field in label_fields() %}
{{ join_taxonomy(field.short ~ '_words', "'" ~ field.name ~ "'", final_label(field, 'labels', 'answers')) }}
{%- endfor %}
