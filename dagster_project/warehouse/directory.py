"""Who and what there is to filter by: agents, departments, channels and sources, by id or by the name people know."""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg

from dagster_project.warehouse import seeds
from dagster_project.warehouse.connection import has_relation

Kind = Literal["agent", "department", "channel", "source"]
NOTHING_YET = "there are no chats yet: run `b2chat demo`, or `b2chat sync` and `b2chat build`"

# Of all sources, once the marts are built; until then those of B2Chat.
_MARTS = "marts.scope_members"
_MEMBERS = """
    select scope_id, coalesce(scope_name, scope_id) as name from marts.scope_members
    where scope = %s and scope_id <> 'none' order by name, scope_id
"""
_TABLES: dict[Kind, str] = {
    "agent": "core.agents",
    "department": "core.departments",
    "channel": "core.chats",
}
_QUERIES: dict[Kind, str] = {
    "agent": "select id, coalesce(name, id) as name from core.agents order by name, id",
    "department": "select id, coalesce(name, id) as name from core.departments order by name, id",
    # Of the channels those that chats came by. One step of the index a channel, and not one a chat.
    "channel": """
        with recursive channels (id) as (
            select min(provider) from core.chats
            union all
            select (select min(provider) from core.chats where provider > channels.id)
            from channels where channels.id is not null
        )
        select id, id as name from channels where id is not null order by id
    """,
}
_MAX_NAMED, _MAX_SHOWN_LENGTH = 6, 60


@dataclass(frozen=True)
class Member:
    """An agent, a department, a channel or a source."""

    id: str
    name: str

    def __str__(self) -> str:
        return self.id if self.id == self.name else f"{shortened(self.name)} ({shortened(self.id)})"


class NoSuchMember(Exception):
    """Nobody and nothing of the kind is called so, or several are; one line that names those who may be meant."""


def members(conn: psycopg.Connection, kind: Kind) -> list[Member]:
    """All of a kind, by name.

    Raises:
        NoSuchMember: nothing was built yet.
    """
    if has_relation(conn, _MARTS):
        rows = conn.execute(_MEMBERS, [kind]).fetchall()
    elif kind in _TABLES and has_relation(conn, _TABLES[kind]):
        rows = conn.execute(_QUERIES[kind]).fetchall()
    else:
        raise NoSuchMember(NOTHING_YET)
    found = [Member(*row) for row in rows]
    return found if kind != "channel" else _with_known_channels(found)


def _with_known_channels(found: list[Member]) -> list[Member]:
    """The channels that have a name, in their order, whether chats came by them or not; then those without a name."""
    known = [Member(channel, channel) for channel in seeds.channels()]
    return [*known, *(member for member in found if member not in known)]


def find(conn: psycopg.Connection, kind: Kind, wanted: str) -> str:
    """The id of the one that is meant, by its id or by its name.

    Raises:
        NoSuchMember: nobody is called so, or several are.
    """
    known = members(conn, kind)
    if found := match(known, kind, wanted):
        return found
    raise NoSuchMember(f"there is no {kind} {shortened(wanted)!r}{guess(known, kind, wanted)}")


def shown_by_default(conn: psycopg.Connection) -> tuple[str, str]:
    """Whose chats a report is about that names nobody, as (scope, id).

    All, while conversations come from one source; else those of the first source, because no time is taken across them.
    """
    row = None
    if has_relation(conn, _MARTS):
        row = conn.execute("select scope, scope_id from marts.scope_members where is_default").fetchone()
    return (row[0], row[1]) if row else ("all", "all")


def match(known: Sequence[Member], kind: Kind, wanted: str) -> str | None:
    """The id of the one that is called so; None where nobody is. Case, accents and spaces play no part in a name.

    Raises:
        NoSuchMember: several are.
    """
    if any(member.id == wanted for member in known):
        return wanted
    alike = [member for member in known if _folded(wanted) in (_folded(member.name), _folded(member.id))]
    if len(alike) > 1:
        ids = ", ".join(shortened(member.id) for member in alike)
        raise NoSuchMember(f"{len(alike)} {kind}s are called {shortened(wanted)!r}: give the id, one of {ids}")
    return alike[0].id if alike else None


def guess(known: Sequence[Member], kind: Kind, wanted: str, elsewhere: str | None = None) -> str:
    """The end of a line that says that nobody is called so: who may be meant.

    Args:
        elsewhere: the end where none is alike; by default the command that names all.
    """
    text = _folded(wanted)
    close = difflib.get_close_matches(text[:200], [_folded(member.name) for member in known], n=_MAX_NAMED)
    meant = [
        member for member in known if _folded(member.name) in close or (len(text) > 1 and text in _folded(member.name))
    ]
    if meant:
        return f"; did you mean {' or '.join(map(str, meant[:_MAX_NAMED]))}?"
    if len(known) <= _MAX_NAMED:
        return f": there are {', '.join(map(str, known)) or 'none'}"
    return elsewhere or f": `b2chat list {kind}s` names them"


def shortened(text: str) -> str:
    """A name as a line bears it."""
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…"


def _folded(name: str) -> str:
    bare = (character for character in unicodedata.normalize("NFKD", name) if not unicodedata.combining(character))
    return " ".join("".join(bare).casefold().split())
