-- Staging and the source's own shape in one: a note is a conversation of two messages, a question and its answer.
select
    note_id as id,
    payload ->> 'channel' as channel,
    payload ->> 'agent' as agent,
    (payload ->> 'asked_at')::timestamptz as asked_at,
    (payload ->> 'answered_at')::timestamptz as answered_at,
    deleted_at is not null as is_deleted,
    load_id
from {{ source('toy', 'toy_notes') }}
