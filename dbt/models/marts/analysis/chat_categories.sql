-- A view: it is right whenever it is read, and the asset that categorizes runs after the models.

with current_classifications as (
    select * from {{ source('analysis', 'current_classifications') }}
),

classifications as (
    select * from {{ source('analysis', 'classifications') }}
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
    current_classifications.chat_id,
    current_classifications.state,
    {{ label_columns('state', 'current_classifications.state', 'states') }},
    current_classifications.reason as state_reason,
    classifications.model_vendor,
    classifications.model,
    classifications.version,
    classifications.is_llm,
    {{ classified_by('classifications.is_llm', 'classifications.model', 'es') }} as classified_by_es,
    {{ classified_by('classifications.is_llm', 'classifications.model', 'en') }} as classified_by_en,
    {%- for field in label_fields() %}
    classifications.{{ field.name }},
    {%- endfor %}
    classifications.agent_quality_score::integer as agent_quality_score,
    classifications.confidence_score,
    classifications.confidence_source,
    classifications.classification_id is not null and coalesce(queue.state = 'open', false) as needs_review,
    {{ shown_notes('classifications.reasoning_notes') }} as reasoning_notes,
    classifications.classified_at,
    {%- for field in label_fields() %}
    {{ final_label(field, 'labels', 'classifications') }} as final_{{ field.short }},
    {%- endfor %}
    case
        when not coalesce(labels.no_quality_applies, false)
            then coalesce(labels.agent_quality_score, classifications.agent_quality_score)::integer
    end as final_agent_quality_score,
    case
        when labels.chat_id is not null then 'human'
        when classifications.model_vendor = 'anthropic' then 'llm'
        else classifications.model_vendor
    end as final_source,
    outdated.chat_id is not null as has_outdated_label
    {%- for field in label_fields() %},
    {{ label_columns('final_' ~ field.short, final_label(field, 'labels', 'classifications'), field.short ~ '_words') }}
    {%- endfor %}
from current_classifications
left join classifications on classifications.classification_id = current_classifications.classification_id
left join newest_labels as labels
    on labels.chat_id = current_classifications.chat_id and labels.content_key = current_classifications.content_key
left join newest_labels as outdated
    on outdated.chat_id = current_classifications.chat_id and outdated.content_key <> current_classifications.content_key
left join queue on queue.chat_id = current_classifications.chat_id
{{ join_labels('states', "'state'", 'current_classifications.state') }}
{%- for field in label_fields() %}
{{ join_taxonomy(field.short ~ '_words', "'" ~ field.name ~ "'", final_label(field, 'labels', 'classifications')) }}
{%- endfor %}
