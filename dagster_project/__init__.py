"""B2Chat analytics: from B2Chat's export API to marts in your own Postgres, conducted by Dagster."""
