{{ response_times_of_periods('month') }}
