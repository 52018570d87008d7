"""Chat rooms: the schema that we own, and the source that reads it."""
