"""The schema `rooms`, an operational database of chat rooms. Its files of SQL are in `sql/`, by subject; what the
schema is, and who may do what in it, is in docs/rooms.md.
"""

from pathlib import Path

from dagster_project.sources.own_schema import OwnSchema
from dagster_project.sources.rooms.roles import ROLES

SCHEMA = OwnSchema("rooms", ROLES, Path(__file__).parent)
upgrade, downgrade, current, newest = SCHEMA.upgrade, SCHEMA.downgrade, SCHEMA.current, SCHEMA.newest
