"""Calls of a website's widget: their own database, and how it is read."""
