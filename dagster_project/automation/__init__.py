"""When assets are refreshed."""
