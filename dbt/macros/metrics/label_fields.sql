{#
  The fields of the taxonomy, dagster_project/analysis/taxonomy/taxonomy.yml, as SQL has to know them: each is a column. A test
  holds the two together.
  short: as the columns of final labels call it; kpi: as the KPIs of an analysis do; may_be_none: whether no label may apply.
#}
{% macro label_fields() -%}
    {{ return([
        {'name': 'customer_intent', 'short': 'intent', 'kpi': 'intent', 'may_be_none': false},
        {'name': 'journey_stage', 'short': 'stage', 'kpi': 'journey', 'may_be_none': true},
        {'name': 'sentiment', 'short': 'sentiment', 'kpi': 'sentiment', 'may_be_none': false},
    ]) }}
{%- endmacro %}


{# A chat's label: the person's where one gave it, else the machine's; NULL where the person says that none applies. #}
{% macro final_label(field, labels, classifications) -%}
    {%- set label = 'coalesce(' ~ labels ~ '.' ~ field.name ~ ', ' ~ classifications ~ '.' ~ field.name ~ ')' -%}
    {%- if field.may_be_none -%}
    case when not coalesce({{ labels }}.no_{{ field.short }}_applies, false) then {{ label }} end
    {%- else -%}
    {{ label }}
    {%- endif -%}
{%- endmacro %}


{# Whether a person says that no label of the field applies. #}
{% macro says_none(field, labels) -%}
    {{ 'coalesce(' ~ labels ~ '.no_' ~ field.short ~ '_applies, false)' if field.may_be_none else 'false' }}
{%- endmacro %}


{# The words of a label, for `label_columns`; a label that the taxonomy no longer has keeps those that it had. #}
{% macro join_taxonomy(words, field, label) -%}
    left join {{ source('analysis', 'taxonomy_labels') }} as {{ words }} on {{ words }}.field = {{ field }} and {{ words }}.label = {{ label }}
{%- endmacro %}
