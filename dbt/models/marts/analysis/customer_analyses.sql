-- A view: an analysis is in it from the moment that somebody asks for it.
with analyses as (
    select * from {{ source('analysis', 'customer_analyses') }}
)

select
    id as analysis_id,
    status,
    triggered_by,
    (filters ->> 'date_start')::date as first_date,
    (filters ->> 'date_end')::date as last_date,
    {{ joined_texts("filters -> 'agent_ids'") }} as agent_ids,
    {{ joined_texts("filters -> 'department_ids'") }} as department_ids,
    {{ joined_texts("filters -> 'contact_ids'") }} as contact_ids,
    sample_rate,
    classifier,
    classifier_version,
    is_llm,
    {{ classified_by('is_llm', 'classifier_version', 'es') }} as classified_by_es,
    {{ classified_by('is_llm', 'classifier_version', 'en') }} as classified_by_en,
    chats_in_filter as chat_in_filter_count,
    total_chats_analyzed as chat_count,
    total_messages_analyzed as message_count,
    categorized_count,
    ai_analysis_count as by_llm_count,
    new_classification_count,
    skipped_count,
    pending_count,
    created_at,
    started_at,
    published_at,
    completed_at,
    processing_time_ms / 1000.0::double precision as processing_seconds,
    error_message
from analyses
