"""B2Chat analytics: from the sources of conversations to marts in your own Postgres, conducted by Dagster."""
