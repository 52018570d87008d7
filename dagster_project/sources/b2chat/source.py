"""B2Chat as a source: what ingestion asks of it, answered by the client, the plan and the windows."""

from collections.abc import Iterator
from functools import partial

from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.entities import B2CHAT, CHATS
from dagster_project.sources.b2chat.plan import plan_chats, plan_contacts
from dagster_project.sources.b2chat.windows import ResumePoint, Window, read_window
from dagster_project.sources.contract import EntitySpec, History, Origin, Page, Plan, Scope
from dagster_project.sources.contract import Window as AnyWindow


class B2Chat:
    """The source of a client's account. Implements `contract.Source`."""

    spec = B2CHAT

    def __init__(self, client: B2ChatClient) -> None:
        self._client = client

    def origin(self) -> Origin:
        """Who answers: an account or the sandbox. Raises SourceError."""
        return self._client.origin()

    def plan(self, entity: EntitySpec, scope: Scope, history: History) -> Plan:
        """Days of chats; all contacts, or those that were created or updated lately."""
        return (plan_chats if entity is CHATS else plan_contacts)(scope, history)

    def pages(self, entity: EntitySpec, window: AnyWindow, resume_point: str | None) -> Iterator[Page]:
        """The pages of one of the plan's windows. Raises SourceError."""
        assert isinstance(window, Window)
        after = ResumePoint.from_text(resume_point) if resume_point else None
        return read_window(window, partial(self._client.page, window), after=after)

    def quota_left(self) -> int | None:
        """How many requests are left of the day; None where there is no limit, or nothing was asked yet."""
        return self._client.quota_left()
