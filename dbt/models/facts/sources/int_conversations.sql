-- The conversations of all sources. Another source joins by one more branch: union all, and its int_<source>__conversations
-- with the same columns. chat_id is what facts join by, so it is unique over all sources: B2Chat's is B2Chat's own, as BI,
-- exports and analysis know it; another source gives its conversation_id, which begins with the source's name.
select * from {{ ref('int_b2chat__conversations') }}
