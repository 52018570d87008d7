-- A view over the chats of its days. Labels of rules and of a language model are never in one share; where a person gave a
-- label, it counts instead of the machine's. The field `state` counts all chats, those without a label too: its rows are of
-- no classifier.
with categories as (
    select * from {{ ref('chat_categories') }}
),

chats as (
    select * from {{ ref('chat_response_times') }}
    where not is_deleted
),

counted as (
    select
        chats.created_local_date as local_date,
        scopes.scope,
        scopes.scope_id,
        scopes.scope_name,
        fields.is_llm,
        fields.classified_by_es,
        fields.classified_by_en,
        fields.field,
        fields.label,
        count(*) as chat_count,
        count(*) filter (where categories.final_source = 'human') as by_human_count
    from categories
    inner join chats on chats.chat_id = categories.chat_id
    cross join lateral (
        values
        ('all', 'all', 'all'),
        ('agent', chats.agent_id, chats.agent_name),
        ('source', chats.source, chats.source),
        ('department', coalesce(chats.department_id, 'none'), coalesce(chats.department_name, 'none'))
    ) as scopes (scope, scope_id, scope_name)
    cross join lateral (
        values
        {%- for field in label_fields() %}
        (
            '{{ field.name }}', categories.final_{{ field.short }}, categories.is_llm, categories.classified_by_es,
            categories.classified_by_en
        ),
        {%- endfor %}
        ('state', categories.state, null, null, null)
    ) as fields (field, label, is_llm, classified_by_es, classified_by_en)
    where scopes.scope_id is not null and fields.label is not null
    group by
        chats.created_local_date, scopes.scope, scopes.scope_id, scopes.scope_name, fields.is_llm,
        fields.classified_by_es, fields.classified_by_en, fields.field, fields.label
)

select
    counted.local_date,
    counted.scope,
    counted.scope_id,
    counted.scope_name,
    counted.field,
    counted.label,
    counted.chat_count::integer as chat_count,
    counted.by_human_count::integer as by_human_count,
    (sum(counted.chat_count) over day)::integer as labelled_count,
    counted.chat_count / (sum(counted.chat_count) over day)::double precision as label_share,
    counted.is_llm,
    counted.classified_by_es,
    counted.classified_by_en,
    coalesce(words.label_es, states.label_es, counted.label) as label_es,
    coalesce(words.label_en, states.label_en, counted.label) as label_en
from counted
{{ join_taxonomy('words', 'counted.field', 'counted.label') }}
{{ join_labels('states', 'counted.field', 'counted.label') }}
window day as (partition by counted.local_date, counted.scope, counted.scope_id, counted.field, counted.classified_by_en)
