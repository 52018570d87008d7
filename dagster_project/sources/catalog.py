"""The sources of this warehouse: a new one is its package and a line here."""

from dagster_project.sources.b2chat.entities import B2CHAT
from dagster_project.sources.b2chat_audit.entities import B2CHAT_AUDIT
from dagster_project.sources.calls.entities import CALLS
from dagster_project.sources.contract import SourceSpec
from dagster_project.sources.rooms.entities import ROOMS

SOURCES: tuple[SourceSpec, ...] = (B2CHAT, B2CHAT_AUDIT, ROOMS, CALLS)
