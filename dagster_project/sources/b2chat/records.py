"""What a record is: its shape, its key, the hash that tells a changed one from an unchanged one, and its faults."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal, TypedDict

from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.people import chat_without_person, people_of
from dagster_project.sources.canonical import canonical_bytes, canonical_json
from dagster_project.sources.cleaning import MAX_TEXT_LENGTH, NUL, Cleaning, clean, cut, may_need_cleaning
from dagster_project.sources.contract import MAX_KEY_LENGTH, YEARS, Problem, Record, Rejected
from dagster_project.sources.shapes import Shape, shapes_of

Entity = Literal["chats", "contacts"]

KEY_FIELD: dict[Entity, str] = {"chats": "chat_id", "contacts": "contact_id"}
MAX_NESTING = 100
MAX_INDEXED_LENGTH = 600  # characters, of up to 4 bytes: Postgres refuses to index more than 2,704 bytes

_REQUIRED_TIMES: dict[Entity, tuple[str, ...]] = {"chats": ("created_at",), "contacts": ()}
_OTHER_TIMES: dict[Entity, tuple[str, ...]] = {
    "chats": ("opened_at", "picked_up_at", "responded_at", "closed_at"),
    "contacts": ("created", "updated"),
}
# The row number of one particular export: it changes although the contact has not.
_VOLATILE: dict[Entity, tuple[str, ...]] = {"chats": (), "contacts": ("row_index",)}
# Fields that the warehouse reads as one text, by the object that holds them. A number will do, a list will not.
_TEXTS: dict[Entity, dict[str, tuple[str, ...]]] = {
    "chats": {
        "": ("status", "provider", "alias", "priority"),
        "agent": ("username", "email", "name"),
        "contact": (
            "id",
            "contact_id",
            "mobile_number",
            "mobile",
            "phone_number",
            "landline",
            "email",
            "name",
            "fullname",
            "identification",
        ),
    },
    "contacts": {
        "": (
            "mobile",
            "mobile_number",
            "landline",
            "phone_number",
            "email",
            "fullname",
            "name",
            "identification",
            "address",
            "city",
            "country",
            "company",
        ),
    },
}
_DEPARTMENT_TEXTS = ("code", "name", "department_code", "department_name")
_NOT_INDEXED = {"fullname", "identification", "address", "city", "country", "company"}
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?", re.ASCII)
# Most times are seen to be sound without a look at the calendar: days that every month has, of years that are read.
_SOUND_TIME = r"(?:199\d|20\d\d)-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
_IS_SOUND_TIME = re.compile(_SOUND_TIME, re.ASCII).fullmatch
_ARE_SOUND_TIMES = re.compile(rf"(?:{_SOUND_TIME}\n)*{_SOUND_TIME}", re.ASCII).fullmatch
_TIME_LENGTH = len("2025-10-01 09:00:00")


class Message(TypedDict, total=False):
    """A message of a chat. It has no id, and nothing says who sent it but its direction."""

    created_at: str
    incoming: bool
    type: str
    body: str | None
    caption: str | None
    location: Any
    broadcasted: bool


class Chat(TypedDict, total=False):
    """A chat as `/chats/export` gives it. Times are local to the account and carry no zone."""

    chat_id: str
    created_at: str
    opened_at: str | None
    picked_up_at: str | None
    responded_at: str | None
    closed_at: str | None
    duration: str | None
    status: str
    provider: str
    alias: str | None
    department: Any
    agent: dict[str, Any] | None
    contact: dict[str, Any] | None
    is_agent_available: bool
    messages: list[Message] | None
    tags: list[Any] | None
    viewer_url: str


class Contact(TypedDict, total=False):
    """A contact as `/contacts/export` gives it. A tag's `assigned_at` is in Unix seconds, real UTC."""

    contact_id: int | str
    fullname: str
    identification: str
    email: str
    mobile: str
    landline: str
    address: str
    city: str
    country: str
    company: str
    merchant_id: Any
    created: str
    updated: str
    custom_attributes: list[dict[str, Any]] | None
    tags: list[dict[str, Any]] | None
    row_index: int | None


def read_record(entity: Entity, item: Item) -> Record | Rejected:
    """Validate one record of a page: what can land as a `Record`, what goes to quarantine as `Rejected`."""
    if item.fault:
        return _unreadable(entity, item, Problem(item.fault, "the record's JSON cannot be read safely"))
    shapes = shapes_of(item.value) if isinstance(item.value, dict) else set()
    if (not shapes or any(map(_is_odd, shapes))) and (exact := item.exact()) is not item:
        return read_record(entity, exact)
    if not isinstance(item.value, dict):
        return _unreadable(entity, item, Problem("not_an_object", f"the record is {_kind(item.value)}"))
    if any(shape.is_deep for shape in shapes) and _deeper_than(item.value, MAX_NESTING):
        return _unreadable(entity, item, Problem("nested_too_deep", f"more than {MAX_NESTING} levels"))
    try:
        value, payload, content_hash, cleaned, whole = _canonical(entity, item.value, shapes)
    except ValueError:
        return _unreadable(entity, item, Problem("number_refused", "a number is too large to be one"))
    key, problem = record_key(entity, item.value)
    problem = problem or find_problem(entity, value)
    if key is None or problem:
        return Rejected(
            entity,
            key,
            problem or Problem("key_missing", KEY_FIELD[entity]),
            item.data,
            content_hash,
            item.position,
            people_of(entity, value),
        )
    bad = _bad_messages(key, value, item.position) if entity == "chats" else []
    data = (whole or item.data) if cleaned else None
    # As windows select by it: the month as B2Chat writes it, in the account's zone.
    columns = (date.fromisoformat(value["created_at"][:7] + "-01"),) if entity == "chats" else ()
    people = people_of(entity, value)
    return Record(key, payload, content_hash, data, cleaned, bad, shapes, columns, people=people)


def without_person(entity: Entity, record: Record, token: str) -> Record | None:
    """A record of an erased person as it may land (see `EntitySpec`): of a chat what it is counted by."""
    if entity == "contacts":
        return None
    kept = chat_without_person(json.loads(record.payload), token)
    # Messages that could not be read are among those that stay, without a word; nobody can mend them.
    read = read_record(entity, Item(0, canonical_json(kept), kept))
    return replace(read, rejected_parts=[]) if isinstance(read, Record) else None


def _canonical(
    entity: Entity, value: dict[str, Any], shapes: set[Shape]
) -> tuple[dict[str, Any], str, str, list[Cleaning], bytes | None]:
    """A record as it lands: cleaned, as canonical JSON, and its hash; what was cleaned; and the whole of what was only
    cut, as canonical JSON."""
    data = None if any(map(_is_odd, shapes)) else canonical_bytes(value)
    if data is not None and NUL not in data:
        lasting = _lasting(entity, value)
        hashed = data if lasting is value else canonical_bytes(lasting)
        assert hashed is not None
        content_hash = hashlib.sha256(hashed).hexdigest()
        del hashed
        if len(data) > MAX_TEXT_LENGTH:
            shorter, cleaned = cut(value)
            if cleaned:
                return shorter, canonical_json(shorter), content_hash, cleaned, data
        return value, data.decode(), content_hash, [], None
    payload, cleaned = canonical_json(value), list[Cleaning]()
    if may_need_cleaning(payload):
        value, cleaned = clean(value)
        payload = canonical_json(value)
    content_hash = hash_of(entity, value)
    if len(payload) > MAX_TEXT_LENGTH:
        value, cuts = cut(value)
        payload, cleaned = canonical_json(value), cleaned + cuts
    return value, payload, content_hash, cleaned, None


def hash_of(entity: Entity, value: dict[str, Any]) -> str:
    """The content hash of a cleaned record: equal for equal content, in whatever order its fields come.

    Raises:
        ValueError: the value holds NaN or an infinity.
    """
    return _sha256(canonical_json(_lasting(entity, value)))


def _lasting(entity: Entity, value: dict[str, Any]) -> dict[str, Any]:
    """A record less what changes without meaning."""
    volatile = _VOLATILE[entity]
    return {name: member for name, member in value.items() if name not in volatile} if volatile else value


def _is_odd(shape: Shape) -> bool:
    """Whether it may hold what the quick ways through JSON do not take as it is."""
    return shape.has_floats or shape.is_deep


def record_key(entity: Entity, value: dict[str, Any]) -> tuple[str | None, Problem | None]:
    """The key of a record as text, or the reason why it has none that can be trusted."""
    name = KEY_FIELD[entity]
    key = value.get(name)
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    if key is None or key == "":
        return None, Problem("key_missing", f"{name} is missing or empty")
    if not isinstance(key, str) or not key.strip():
        return None, Problem("key_unusable", f"{name} is {_kind(key)}, not an id")
    if len(key) > MAX_KEY_LENGTH:
        return None, Problem("key_too_long", f"{name} has {len(key)} characters, more than {MAX_KEY_LENGTH}")
    if clean(key)[1]:
        return None, Problem("key_unusable", f"{name} holds characters that cannot be stored")
    return key, None


def find_problem(entity: Entity, value: dict[str, Any]) -> Problem | None:
    """The first rule that a record breaks, beyond its key; None for a sound one."""
    for name in _REQUIRED_TIMES[entity]:
        if value.get(name) in (None, ""):
            return Problem("time_missing", f"{name} is missing or empty")
    for name in _REQUIRED_TIMES[entity] + _OTHER_TIMES[entity]:
        problem = _time_problem(name, value.get(name))
        if problem:
            return problem
    if entity == "chats" and not isinstance(value.get("messages"), list | None):
        return Problem("messages_not_a_list", f"messages is {_kind(value['messages'])}")
    return (
        _text_problem(entity, value)
        or _department_problem(value.get("department"))
        or _tag_problem(entity, value.get("tags"))
    )


def message_problem(message: Any) -> Problem | None:
    """Why one message of a chat cannot be read; None for a sound one."""
    if not isinstance(message, dict):
        return Problem("message_not_an_object", f"the message is {_kind(message)}")
    if message.get("created_at") in (None, ""):
        return Problem("message_time_missing", "created_at is missing or empty")
    problem = _time_problem("created_at", message["created_at"])
    return Problem(f"message_{problem.rule}", problem.detail) if problem else None


def _time_problem(name: str, text: Any) -> Problem | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        return Problem("time_unreadable", f"{name} is {_kind(text)}, not YYYY-MM-DD HH:MM:SS")
    if _IS_SOUND_TIME(text):
        return None
    if not _LOCAL_TIME.fullmatch(text):
        return Problem("time_unreadable", f"{name} is not YYYY-MM-DD HH:MM:SS")
    try:
        year = datetime.fromisoformat(text).year
    except ValueError:
        return Problem("time_unreadable", f"{name} is no date of the calendar")
    return None if year in YEARS else Problem("time_out_of_range", f"{name} is not of 1990 to 2100")


def _text_problem(entity: Entity, value: dict[str, Any]) -> Problem | None:
    """A field of a type that would be read as something else, or of a text too long to be found by it.

    Other fields may come in any type: staging reads what it knows, and `ingestion.records.schema_drift` reports what is
    new.
    """
    for owner, names in _TEXTS[entity].items():
        holder = value.get(owner) if owner else value
        if holder is None or holder == "":
            continue
        if not isinstance(holder, dict):
            return Problem("field_type_changed", f"{owner} is {_kind(holder)}")
        for name in names:
            member = holder.get(name)
            if member is None or (type(member) is str and len(member) <= MAX_INDEXED_LENGTH):
                continue
            place = f"{owner}.{name}" if owner else name
            if isinstance(member, dict | list):
                return Problem("field_type_changed", f"{place} is {_kind(member)}, not a text")
            indexed = name not in _NOT_INDEXED and (name != "name" or owner == "agent")
            if indexed and len(str(member)) > MAX_INDEXED_LENGTH:
                return Problem("text_too_long", f"{place} has more than {MAX_INDEXED_LENGTH} characters")
    return None


def _department_problem(department: Any) -> Problem | None:
    """A text too long to be found by. A department of a form that nobody knows lands: the warehouse flags its chat."""
    known = (
        {name: department.get(name) for name in _DEPARTMENT_TEXTS} if isinstance(department, dict) else {"": department}
    )
    for name, text in known.items():
        if not isinstance(text, dict | list) and len(str(text)) > MAX_INDEXED_LENGTH:
            place = f"department.{name}" if name else "department"
            return Problem("text_too_long", f"{place} has more than {MAX_INDEXED_LENGTH} characters")
    return None


def _tag_problem(entity: Entity, tags: Any) -> Problem | None:
    for tag in tags if isinstance(tags, list) else []:
        problem = _chat_tag_problem(tag) if entity == "chats" else _contact_tag_problem(tag)
        if problem:
            return problem
    return None


def _chat_tag_problem(tag: Any) -> Problem | None:
    if len(tag if isinstance(tag, str) else canonical_json(tag)) > MAX_INDEXED_LENGTH:
        return Problem("text_too_long", f"a tag has more than {MAX_INDEXED_LENGTH} characters")
    return None


def _contact_tag_problem(tag: Any) -> Problem | None:
    earliest, latest = 631_152_000, 4_133_980_800  # 1990-01-01 and 2101-01-01, in Unix seconds
    at = tag.get("assigned_at") if isinstance(tag, dict) else None
    if at is None or at == "":
        return None
    if not isinstance(at, int) or isinstance(at, bool):
        return Problem("time_unreadable", f"a tag's assigned_at is {_kind(at)}, not Unix seconds")
    if not earliest <= at < latest:
        return Problem("time_out_of_range", "a tag's assigned_at is not of 1990 to 2100")
    return None


def _bad_messages(key: str, chat: dict[str, Any], position: int) -> list[Rejected]:
    messages, bad = chat.get("messages") or [], list[Rejected]()
    for message in [] if _all_have_sound_times(messages) else messages:
        problem = message_problem(message)
        if problem:
            text = canonical_json(message)
            # With the chat's key: the same broken message in two chats is two losses.
            bad.append(Rejected("message", key, problem, text.encode(), _sha256(f"{key}\n{text}"), position))
    return bad


def _all_have_sound_times(messages: list[Any]) -> bool:
    """Whether no message needs a closer look. False says nothing."""
    try:
        times = "\n".join([message["created_at"] for message in messages])
    except (TypeError, KeyError):  # no object, no time, a time that is no text
        return False
    # By the length, because a text with a line end in it might be two times.
    return len(times) == len(messages) * (_TIME_LENGTH + 1) - 1 and _ARE_SOUND_TIMES(times) is not None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unreadable(entity: Entity, item: Item, problem: Problem) -> Rejected:
    return Rejected(entity, None, problem, item.data, hashlib.sha256(item.data).hexdigest(), item.position)


def _deeper_than(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        children = list(value.values())
    elif isinstance(value, list):
        children = value
    else:
        return False
    return levels == 0 or any(_deeper_than(child, levels - 1) for child in children if isinstance(child, dict | list))


def _kind(value: Any) -> str:
    """What a JSON value is, without saying what it holds."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
