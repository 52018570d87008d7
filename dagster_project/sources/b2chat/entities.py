"""The two entities of B2Chat: where their records land, and how they are known."""

import json
from functools import partial

from dagster_project.sources.b2chat.answers import UnreadableAnswer, read_envelope
from dagster_project.sources.b2chat.people import people_in
from dagster_project.sources.b2chat.records import KEY_FIELD, Entity, message_problem, read_record, without_person
from dagster_project.sources.contract import EntitySpec, KeptRecord, Problem, Record, Rejected, SourceSpec

NAME = "b2chat"

CHATS = EntitySpec(
    source=NAME,
    name="chats",
    table="b2chat_chats",
    versions="b2chat_chat_versions",
    key=KEY_FIELD["chats"],
    columns=("created_month",),
    month="created_month",
    parts=("message",),
    day_field="created_at",
    # As raw.b2chat_chats_not_final_idx has it.
    may_change="""
        payload ->> 'status' is distinct from 'CLOSED'
        and payload ->> 'status' is distinct from 'COMPLETED_POLL'
        and payload ->> 'status' is distinct from 'ABANDONED_POLL'
        and deleted_at is null
    """,
    is_resumed_always=False,
    deletion_reason="not returned by a full reading of its day",
    without_person=partial(without_person, "chats"),
    people_in=people_in,
)
CONTACTS = EntitySpec(
    source=NAME,
    name="contacts",
    table="b2chat_contacts",
    versions="b2chat_contact_versions",
    key=KEY_FIELD["contacts"],
    deletion_reason="not returned by a full reading of all contacts",
    without_person=partial(without_person, "contacts"),
    people_in=people_in,
)
ENTITIES: dict[Entity, EntitySpec] = {"chats": CHATS, "contacts": CONTACTS}


def read_kept(entity: EntitySpec, kept: KeptRecord) -> Record | Rejected | None:
    """Validate again what was refused (see `SourceSpec.read_kept`)."""
    if kept.kind in entity.parts:
        problem = message_problem(json.loads(kept.data))
        return Rejected(kept.kind, None, problem, kept.data, "", kept.position) if problem else None
    name: Entity = "chats" if entity is CHATS else "contacts"
    try:
        [item] = read_envelope(b'{"total":1,"' + name.encode() + b'":[' + kept.data + b"]}", name).items
    except UnreadableAnswer:
        problem = Problem("record_unreadable", "its JSON cannot be read")
        return Rejected(name, None, problem, kept.data, "", kept.position)
    return read_record(name, item)


B2CHAT = SourceSpec(NAME, (CHATS, CONTACTS), {"b2chat": "a B2Chat account", "sandbox": "the sandbox"}, read_kept)
