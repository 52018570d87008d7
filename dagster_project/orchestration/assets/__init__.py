"""Dagster's view of the layers, one module each."""
