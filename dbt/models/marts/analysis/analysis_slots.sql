with cells as not materialized (
    select
        chats.analysis_id,
        chats.created_day_of_week as day_of_week,
        chats.created_local_hour as hour,
        count(*)::integer as created_chat_count,
        count(chats.first_response_seconds)::integer as chat_count,
        case when mixed.analysis_id is null then avg(chats.first_response_seconds)::double precision end
            as mean_first_response_seconds,
        case when mixed.analysis_id is null then
            percentile_cont(0.5) within group (order by chats.first_response_seconds)
        end as p50_first_response_seconds
    from {{ ref('analysis_chats') }} as chats
    {{ join_mixed_analyses('chats') }}
    group by chats.analysis_id, mixed.analysis_id, chats.created_day_of_week, chats.created_local_hour
)

{{ compared_cells('cells', ['analysis_id']) }}
