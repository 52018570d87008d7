{{ config(meta={'dagster': {'ref': {'name': 'chats'}}}) }}

-- The tests of references among these tables (macros/engine/tested_rows.sql), in one query, in a refresh. Any other build
-- runs each of them by itself. What reads all of these tables waits for it:
-- depends_on: {{ ref('chats') }}, {{ ref('messages') }}, {{ ref('agents') }}, {{ ref('departments') }}
{{ failures_of_tests('core') if execute and (is_first_build() or is_refresh()) else 'select null where false' }}
