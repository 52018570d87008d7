"""When assets are refreshed."""

import atexit
import gc

# Dagster and our definitions are a million objects that stay: the collector walked them 900 times in each process.
gc.set_threshold(20_000)
# At its end Python would look through all of them for what can be freed, and find that everything can: a second.
atexit.register(gc.freeze)
