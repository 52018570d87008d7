-- The conversations of all sources. Another source joins by one more branch: union all, and its int_<source>__conversations
-- with the same columns. chat_id is what facts join by: the macro source_key makes it unique over all sources.
select * from {{ ref('int_b2chat__conversations') }}
union all
select * from {{ ref('int_rooms__conversations') }}
union all
select * from {{ ref('int_calls__conversations') }}
