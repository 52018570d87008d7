{{ sla_of_periods('week') }}
