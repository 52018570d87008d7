"""What is read of the schema `calls`: its tables, and how a row of each is known."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from dagster_project.sources.contract import Copied, EntitySpec, SourceSpec
from dagster_project.sources.people import by_mention

NAME = "calls"
KEY = "row_key"  # of each of its tables in raw
ERASED = "[erased]"
DELETED = "not at the source any more"
ORIGINS = {"postgres": "a Postgres with the schema calls", "sandbox": "the sandbox"}


def _entity(
    name: str,
    keys: tuple[str, ...] = ("id",),
    *,
    conversation: str | None = None,
    secrets: tuple[str, ...] = (),
    people: tuple[str, ...] = (),
    mentions: tuple[str, ...] = (),
    pseudonyms: tuple[str, ...] = (),
    personal: Mapping[str, object] = MappingProxyType({}),
    month: str | None = None,
    is_compared: bool = True,
) -> EntitySpec:
    copied = Copied(
        keys,
        conversation,
        secrets,
        people=people,
        mentions=mentions,
        pseudonyms=pseudonyms,
        known_by=partial(by_mention, NAME),
        personal=personal,
        month=month,
        is_compared=is_compared,
    )
    return EntitySpec(NAME, name, f"{NAME}_{name}", None, KEY, deletion_reason=DELETED, copied=copied)


def _of_the_product(name: str, month: str | None = None) -> EntitySpec:
    """Nobody says what its payloads hold."""
    return _entity(name, mentions=("payload",), personal={"payload": {}}, month=month)


ENTITIES = (
    _entity("organizations"),
    _entity("users", people=("id",), mentions=("email",), pseudonyms=("email",), personal={"name": ERASED}),
    _entity("sites"),
    _entity("agent_profiles", people=("id", "user_id"), personal={"display_name": ERASED}),
    _entity("pools"),
    _entity("agent_pool_members"),
    _entity("pool_routing_rules"),
    _entity("dispositions"),
    _entity(
        "call_logs",
        ("id", "created_at"),
        conversation="id",
        people=("visitor_id",),
        mentions=("page_url",),
        pseudonyms=("visitor_id",),
        personal={"page_url": ERASED, "reconnect_token": None},
        month="created_at",
    ),
    _entity("call_offers", ("id", "call_created_at"), conversation="call_id", month="call_created_at"),
    _entity(
        "widget_pageviews",
        ("id", "created_at"),
        people=("visitor_id",),
        mentions=("page_url",),
        pseudonyms=("visitor_id",),
        personal={"page_url": ERASED, "referrer_domain": None},
        month="created_at",
    ),
    _entity("agent_sessions", ("id", "started_at"), month="started_at"),
    _entity(
        "agent_status_changes",
        ("id", "changed_at"),
        people=("agent_id",),
        personal={"reason": None},
        month="changed_at",
    ),
    # Whoever has the token of an invitation can accept it. A job deletes those that expired.
    _entity("invites", secrets=("token",), mentions=("email",), pseudonyms=("email",), is_compared=False),
    _of_the_product("feedback_items"),
    _of_the_product("funnel_events", month="created_at"),
    _of_the_product("pmf_surveys"),
    _of_the_product("mrr_snapshots"),
    _of_the_product("mrr_changes"),
)


CALLS = SourceSpec(NAME, ENTITIES, ORIGINS)
