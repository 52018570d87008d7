with cells as not materialized (
    select
        analysis_id,
        created_day_of_week as day_of_week,
        created_local_hour as hour,
        count(*)::integer as created_chat_count,
        count(first_response_seconds)::integer as chat_count,
        avg(first_response_seconds)::double precision as mean_first_response_seconds,
        percentile_cont(0.5) within group (order by first_response_seconds) as p50_first_response_seconds
    from {{ ref('analysis_chats') }}
    group by analysis_id, created_day_of_week, created_local_hour
)

{{ compared_cells('cells', ['analysis_id']) }}
