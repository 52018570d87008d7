{{ categories_of_periods('week') }}
