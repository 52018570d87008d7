"""Names out of the data: shown so that they are names and nothing else, and found by what people call them."""

import unicodedata
from collections.abc import Sequence

import psycopg

from dagster_project.questions.errors import QuestionFailed
from dagster_project.warehouse import directory
from dagster_project.warehouse.directory import Kind, Member

_MAX_LENGTH = 80


class Members:
    """The agents, departments, channels or sources of the account."""

    def __init__(self, kind: Kind, rows: Sequence[tuple[str, str | None]]) -> None:
        self.kind = kind
        self._keys: dict[str, str] = {}  # by the id that is shown
        self.all: list[Member] = []
        for key, name in sorted(rows, key=lambda row: (row[1] or row[0], row[0])):
            shown_id, copies = shown(key), 1
            while shown_id in self._keys:
                copies += 1
                shown_id = f"{shown(key)} ({copies})"
            self._keys[shown_id] = key
            self.all.append(Member(shown_id, shown(name or key)))
        self._names = {self._keys[member.id]: member for member in self.all}

    def key(self, wanted: str) -> str:
        """The key, in the marts, of the one that is called so, by name or id.

        Raises:
            QuestionFailed: nobody is, or several are; the text names those who may be meant.
        """
        wanted = shown(wanted)
        try:
            found = directory.match(self.all, self.kind, wanted)
        except directory.NoSuchMember as error:
            raise QuestionFailed(f"{error}.") from None
        if found is None:
            elsewhere = f": list_members with kind={self.kind} names them"
            hint = directory.guess(self.all, self.kind, wanted, elsewhere)
            raise QuestionFailed(f"There is no {self.kind} {wanted!r}{hint}")
        return self._keys[found]

    def shown(self, key: str) -> Member:
        """How the one with this key in the marts is shown."""
        return self._names.get(key) or Member(shown(key), shown(key))


def members(conn: psycopg.Connection, kind: Kind) -> Members:
    """All of a kind, as BI's marts know them."""
    query = "select scope_id, scope_name from marts.scope_members where scope = %s"
    return Members(kind, conn.execute(query, [kind]).fetchall())


def shown(text: str, longest: int = _MAX_LENGTH) -> str:
    """A text of strangers on one line: without what steers or is not seen, and no longer than a name is."""
    bare = "".join(
        " " if unicodedata.category(character)[0] in "CZ" else character for character in text[: 4 * longest]
    )
    line = " ".join(bare.split())
    return line if len(line) <= longest else f"{line[:longest]}…"
