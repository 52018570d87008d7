"""When assets are refreshed."""

import gc

# Dagster and our definitions are a million objects that stay: the collector walked them 900 times in each process.
gc.set_threshold(20_000)
