"""What leaves the warehouse for people: pictures and tables of marts. Knows nothing of Dagster."""
