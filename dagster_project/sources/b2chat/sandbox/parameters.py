"""The query strings of the two exports, read as B2Chat documents them."""

from collections.abc import Mapping
from datetime import date

from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery, Days
from dagster_project.warehouse.seeds import channels

MAX_LIMIT = 1000


class BadParameter(ValueError):
    """A parameter that the API refuses with a 400."""


def chat_query(parameters: Mapping[str, str]) -> ChatQuery:
    """The call to `/chats/export` that `parameters` describe. Raises BadParameter."""
    provider = parameters.get("messaging_provider", "").lower()
    if provider and provider not in (known := channels()):
        raise BadParameter(f"messaging_provider must be one of {', '.join(known)}")
    return ChatQuery(
        limit=_limit(parameters),
        offset=_whole_number(parameters, "offset", default=0, least=0),
        descending=_descending(parameters),
        created=_days(parameters, "date_range"),
        provider=provider or None,
        contact_lookup=parameters.get("contact_lookup") or None,
    )


def contact_query(parameters: Mapping[str, str]) -> ContactQuery:
    """The call to `/contacts/export` that `parameters` describe. Raises BadParameter."""
    return ContactQuery(
        limit=_limit(parameters),
        offset=_whole_number(parameters, "offset", default=0, least=0),
        descending=_descending(parameters),
        created=_days(parameters, "created"),
        updated=_days(parameters, "updated"),
        with_tags=not _truth(parameters, "skip_tags", default=True),
        with_custom_attributes=not _truth(parameters, "skip_custom_attributes", default=True),
    )


def _limit(parameters: Mapping[str, str]) -> int:
    return min(_whole_number(parameters, "limit", default=MAX_LIMIT, least=1), MAX_LIMIT)


def _whole_number(parameters: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise BadParameter(f"{name} must be a whole number, {least} or more")
    return int(text)


def _descending(parameters: Mapping[str, str]) -> bool:
    direction = parameters.get("order_dir", "desc").lower()
    if direction not in ("asc", "desc"):
        raise BadParameter("order_dir must be asc or desc")
    return direction == "desc"


def _days(parameters: Mapping[str, str], name: str) -> Days:
    first, last = (_day(parameters, f"{name}_{end}") for end in ("from", "to"))
    if first and last and first > last:
        raise BadParameter(f"{name}_from must not be after {name}_to")
    return Days(first, last)


def _day(parameters: Mapping[str, str], name: str) -> date | None:
    text = parameters.get(name)
    if text is None:
        return None
    try:
        if len(text) != len("YYYY-MM-DD"):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise BadParameter(f"{name} must be a day, YYYY-MM-DD") from None


def _truth(parameters: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = parameters.get(name)
    if text is None:
        return default
    if text.lower() not in ("true", "false"):
        raise BadParameter(f"{name} must be TRUE or FALSE")
    return text.lower() == "true"
