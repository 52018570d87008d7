-- A view over the ledger: a month has a few dozen rows, and what a request cost is settled minutes after its day's end.
with ledger as (
    select * from {{ source('ops', 'ai_usage_ledger') }}
)

select
    day as utc_date,
    model_vendor,
    model,
    case when model_vendor = 'fake' then 'simulador, no cobra' else 'modelo de lenguaje' end as model_vendor_label_es,
    case when model_vendor = 'fake' then 'fake, charges nothing' else 'language model' end as model_vendor_label_en,
    (count(*) filter (where status <> 'released'))::integer as request_count,
    (count(*) filter (where status <> 'released' and is_batch))::integer as batch_request_count,
    (count(*) filter (where outcome = 'ok'))::integer as answered_count,
    (count(*) filter (where status in ('settled', 'lost') and outcome <> 'ok'))::integer as unusable_count,
    (count(*) filter (where status = 'reserved'))::integer as open_count,
    sum(input_tokens)::bigint as input_tokens,
    sum(cache_write_tokens)::bigint as cache_write_tokens,
    sum(cache_read_tokens)::bigint as cache_read_tokens,
    sum(output_tokens)::bigint as output_tokens,
    sum(cost_usd)::double precision as cost_usd,
    sum(uncertain_usd)::double precision as perhaps_charged_usd,
    coalesce(sum(reserved_usd) filter (where status = 'reserved'), 0)::double precision as reserved_usd
from ledger
group by day, model_vendor, model
