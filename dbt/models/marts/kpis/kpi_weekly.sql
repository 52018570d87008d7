{{ kpis_of_periods('week', 'weekly') }}
