"""From windows to pages to `raw`: what is read of a source, how it lands, and the logs that are kept of it.

Knows what a source is (`sources.contract`) and the warehouse; knows no source by name, and no Dagster.
"""
