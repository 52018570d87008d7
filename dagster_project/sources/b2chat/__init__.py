"""B2Chat's export API as a client meets it: requests, windows of days, and the identity of its records.

Knows HTTP and B2Chat; knows neither Dagster nor SQL.
"""
