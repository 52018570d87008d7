{{ sla_of_periods('month') }}
