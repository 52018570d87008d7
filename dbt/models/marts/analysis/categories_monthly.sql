{{ categories_of_periods('month') }}
