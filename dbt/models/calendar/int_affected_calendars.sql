select
    rule_name as calendar,
    load_id
from {{ ref('int_rule_days') }}
where rule_kind = 'calendar'
