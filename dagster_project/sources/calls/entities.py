"""What is read of the schema `calls`: its tables, and how a row of each is known."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from dagster_project.sources.contract import Copied, EntitySpec, KeptRecord, Problem, Record, Rejected, SourceSpec
from dagster_project.sources.people import by_user, by_visitor

NAME = "calls"
KEY = "row_key"  # of each of its tables in raw
ERASED = "[erased]"
ORIGINS = {"postgres": "a Postgres with the schema calls", "sandbox": "the sandbox"}


def _entity(
    name: str,
    keys: tuple[str, ...] = ("id",),
    *,
    conversation: str | None = None,
    secrets: tuple[str, ...] = (),
    people: tuple[str, ...] = (),
    known_by: Callable[[str, str], str] = by_user,
    personal: Mapping[str, object] = MappingProxyType({}),
) -> EntitySpec:
    copied = Copied(keys, conversation, secrets, None, people, partial(known_by, NAME), personal)
    return EntitySpec(NAME, name, f"{NAME}_{name}", None, KEY, copied=copied)


ENTITIES = (
    _entity("organizations"),
    _entity("users", people=("id",), personal={"email": ERASED, "name": ERASED}),
    _entity("sites"),
    _entity("agent_profiles", people=("user_id",), personal={"display_name": ERASED}),
    _entity("pools"),
    _entity("agent_pool_members"),
    _entity("pool_routing_rules"),
    _entity("dispositions"),
    _entity(
        "call_logs",
        ("id", "created_at"),
        conversation="id",
        people=("visitor_id",),
        known_by=by_visitor,
        personal={"visitor_id": None, "page_url": ERASED},
    ),
    _entity("call_offers", ("id", "call_created_at"), conversation="call_id"),
    _entity(
        "widget_pageviews",
        ("id", "created_at"),
        people=("visitor_id",),
        known_by=by_visitor,
        personal={"visitor_id": None, "page_url": ERASED, "referrer_domain": None},
    ),
    _entity("agent_sessions", ("id", "started_at")),
    _entity("agent_status_changes", ("id", "changed_at")),
    # Whoever has the token of an invitation can accept it.
    _entity("invites", secrets=("token",)),
    _entity("feedback_items"),
    _entity("funnel_events"),
    _entity("pmf_surveys"),
    _entity("mrr_snapshots"),
    _entity("mrr_changes"),
)


def read_kept(entity: EntitySpec, kept: KeptRecord) -> Record | Rejected | None:
    """What could not land has to be mended at the source: it comes again from there."""
    return Rejected(kept.kind, None, Problem(kept.rule, "it waits to be mended at its source"), kept.data, "", 0)


CALLS = SourceSpec(NAME, ENTITIES, ORIGINS, read_kept)
