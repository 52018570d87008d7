"""What the Dagster UI shows beside assets and runs: rows, previews, tables, pictures, what a check holds."""
