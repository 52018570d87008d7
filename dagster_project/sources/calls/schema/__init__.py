"""The schema `calls`, an operational database of a call widget. Its files of SQL are in `sql/`, by subject; what the
schema is, and why its indexes are what they are, is in docs/calls.md.
"""

from pathlib import Path

from dagster_project.sources.own_schema import OwnSchema

OWNER, READER = ROLES = ("calls_owner", "calls_reader")
SCHEMA = OwnSchema("calls", ROLES, Path(__file__).parent)
upgrade, downgrade, current, newest = SCHEMA.upgrade, SCHEMA.downgrade, SCHEMA.current, SCHEMA.newest
