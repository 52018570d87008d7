"""The logs of ingestion in ops: syncs, errors, warnings of pages, kept answers; and how long they stay."""
