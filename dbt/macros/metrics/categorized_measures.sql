{#
  Of chats with or without a category: how many have one, by who gave it, what became of the others, and the quality that the
  categories give. A chat that the language model refused or gave no answer to is unanswered.
#}
{% macro categorized_measures(source, state, quality) -%}
    count(*)::integer as chat_count,
    count({{ source }})::integer as categorized_count,
    count(*) filter (where {{ source }} = 'rules')::integer as by_rules_count,
    count(*) filter (where {{ source }} = 'llm')::integer as by_llm_count,
    count(*) filter (where {{ source }} = 'fake')::integer as by_fake_count,
    count(*) filter (where {{ source }} = 'human')::integer as by_human_count,
    count(*) filter (where {{ source }} is null and {{ state }} in ('pending', 'submitted', 'budget_deferred'))::integer
        as waiting_count,
    count(*) filter (where {{ source }} is null and {{ state }} in ('refused', 'dead_lettered'))::integer as unanswered_count,
    count({{ quality }})::integer as quality_count,
    avg({{ quality }})::double precision as mean_quality
{%- endmacro %}
