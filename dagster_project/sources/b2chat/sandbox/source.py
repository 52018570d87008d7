"""What the server asks of a source of records, and what it gets back."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Days:
    """A range of local days, both ends included; None leaves an end open."""

    first: date | None = None
    last: date | None = None

    def __bool__(self) -> bool:
        return self.first is not None or self.last is not None

    def hold(self, local_time: str) -> bool:
        """Whether a local time, written `YYYY-MM-DD HH:MM:SS`, falls on one of these days."""
        day = local_time[:10]
        return (self.first is None or day >= self.first.isoformat()) and (
            self.last is None or day <= self.last.isoformat()
        )


@dataclass(frozen=True, slots=True)
class ChatQuery:
    """The parameters of one call to `/chats/export`."""

    limit: int = 1000
    offset: int = 0
    descending: bool = True
    created: Days = Days()
    provider: str | None = None
    contact_lookup: str | None = None


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """The parameters of one call to `/contacts/export`."""

    limit: int = 1000
    offset: int = 0
    descending: bool = True
    created: Days = Days()
    updated: Days = Days()
    with_tags: bool = False
    with_custom_attributes: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records, and how many match the query in all."""

    records: list[Record]
    total: int


class Source(Protocol):
    """Where the records come from. Records are ordered by creation time, then by id."""

    @property
    def kind(self) -> Literal["generated", "replay"]:
        """How the records come about."""
        ...

    def chats(self, query: ChatQuery, now: datetime) -> Page:
        """The page of chats that `query` selects, as they are at the instant `now`."""
        ...

    def contacts(self, query: ContactQuery, now: datetime) -> Page:
        """The page of contacts that `query` selects, as they are at the instant `now`."""
        ...


def provider_slug(provider: str) -> str:
    """The name that `messaging_provider` knows a chat's provider by: WHATSAPPB2CHAT is `whatsapp`."""
    return provider.lower().removesuffix("b2chat")
