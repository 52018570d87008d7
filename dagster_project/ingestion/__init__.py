"""From windows of days to pages to `raw`: what to read, how it lands, and the books that are kept about it.

Knows B2Chat's client and the warehouse; does not know Dagster.
"""
