{{ kpis_of_periods('month', 'monthly') }}
