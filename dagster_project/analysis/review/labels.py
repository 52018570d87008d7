"""What people say of chats: read from fields, checked, and added; nothing that somebody said is changed later.

A label is of one content. It counts until the same chat gets a newer one, or says something else.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.analysis.taxonomy.taxonomy import Taxonomy

NONE = "none"  # said of a field or a score: none applies
OPINIONS = (*(field.name for field in taxonomy.fields()), "agent_quality_score")
# The columns that say so, of the fields where it may be.
NONE_COLUMNS = {field.name: f"no_{field.short}_applies" for field in taxonomy.fields() if field.none} | {
    "agent_quality_score": "no_quality_applies"
}
_ALIASES = {field.short: field.name for field in taxonomy.fields()} | {
    "quality": "agent_quality_score",
    "by": "labelled_by",
}
_GIVEN = ("chat_id", *OPINIONS, "labelled_by", "note", "content_key")


class BadLabel(ValueError):
    """A label cannot be taken; the text names the field and the rule."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says of a chat.

    Attributes:
        opinions: by field of OPINIONS, a label, a score, or NONE; what is not there is no opinion.
        content_key: of the content that was judged; None means what the chat says now.
    """

    chat_id: str
    labelled_by: str
    opinions: Mapping[str, str | int]
    note: str | None = None
    content_key: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any], labels: Taxonomy | None = None) -> "Label":
        """From fields by name, or by the short names of the command line; an empty one is no opinion.

        Args:
            labels: those that may be given; the shipped ones, where nothing is said.

        Raises:
            BadLabel: a field is unknown, missing or not among its values, or no opinion is given at all.
        """
        fields = {_ALIASES.get(name, name): _text(value) for name, value in given.items()}
        unknown = sorted(str(name) for name in set(fields) - set(_GIVEN))
        if unknown:
            raise BadLabel(f"there is no field {', '.join(unknown)[:60]}")
        for name in ("chat_id", "labelled_by"):
            if not fields.get(name):
                raise BadLabel(f"{name} is missing")
        said: dict[str, str | int | None] = {
            field.name: _one_of(field.name, fields, (*field.names, *([NONE] if field.none else ())))
            for field in (labels or taxonomy.shipped()).fields
        }
        said["agent_quality_score"] = _score(fields.get("agent_quality_score"))
        opinions = {name: value for name, value in said.items() if value is not None}
        if not opinions:
            raise BadLabel("it holds no opinion")
        chat_id, labelled_by = str(fields["chat_id"]), str(fields["labelled_by"])
        return cls(chat_id, labelled_by, opinions, fields.get("note"), fields.get("content_key"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of labels.

    Attributes:
        taken: added.
        known: the same person's newest label of the chat says the same already, or a later one in the same file.
        refused: (place in what was given, why).
    """

    taken: int
    known: int
    refused: list[tuple[int, str]]


def read_file(file: Path, labels: Taxonomy | None = None) -> tuple[list[tuple[int, Label]], list[tuple[int, str]]]:
    """Labels of a file, with their lines; and the lines that hold none, with why. What is no .csv is read as JSONL.

    Raises:
        BadLabel: the file cannot be read at all.
    """
    found, bad = [], []
    try:
        for line, given in _csv_rows(file) if file.suffix == ".csv" else _lines(file):
            try:
                found.append((line, Label.read(_object(given) if isinstance(given, str) else given, labels)))
            except BadLabel as error:
                bad.append((line, str(error)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadLabel(f"{file.name}: {type(error).__name__}") from None
    return found, bad


def keep(conn: psycopg.Connection, labels: Sequence[Label]) -> Kept:
    """Add labels to their chats, and close these in the queue. The same labels again add nothing."""
    with conn.transaction():
        conn.execute("lock table analysis.human_labels in share row exclusive mode")
        _stage(conn, labels)
        refused = conn.execute("""
            select given.place, case when now_is.chat_id is null then 'the chat is not categorized, or there is none'
                else 'the chat has changed since it was judged' end
            from pg_temp.given
            left join analysis.current_classifications as now_is
                on now_is.chat_id = given.chat_id and now_is.content_key is not null
            where coalesce(given.content_key, now_is.content_key) is distinct from now_is.content_key
                or now_is.chat_id is null
            order by given.place
        """).fetchall()
        taken = conn.execute(f"""
            with fresh as (
                select distinct on (given.chat_id, given.labelled_by) given.*, now_is.content_key as content_now
                from pg_temp.given
                inner join analysis.current_classifications as now_is on now_is.chat_id = given.chat_id
                where now_is.content_key = coalesce(given.content_key, now_is.content_key)
                order by given.chat_id, given.labelled_by, given.place desc
            ),

            added as (
                insert into analysis.human_labels (chat_id, content_key, {_SAID})
                select fresh.chat_id, fresh.content_now, {_SAID_FRESH}
                from fresh
                left join lateral (
                    select * from analysis.human_labels
                    where human_labels.chat_id = fresh.chat_id and human_labels.labelled_by = fresh.labelled_by
                    order by label_id desc
                    limit 1
                ) as newest on true
                where (newest.content_key, {_SAID_NEWEST}) is distinct from (fresh.content_now, {_SAID_FRESH})
                order by fresh.place
                returning chat_id, content_key, labelled_by
            ),

            closed as (
                update analysis.review_queue as queue set state = 'done', closed_at = now(), closed_by = labelled_by
                from added
                where added.chat_id = queue.chat_id and added.content_key = queue.content_key
            )

            select count(*) from added
        """).fetchone()  # noqa: S608
        assert taken is not None
    return Kept(taken[0], len(labels) - taken[0] - len(refused), [(place, why) for place, why in refused])


def dismiss(conn: psycopg.Connection, chat_id: str, by: str) -> bool:
    """Close a chat's row in the queue without a label; False where no row of it is open."""
    return bool(
        conn.execute(
            "update analysis.review_queue set state = 'dismissed', closed_at = now(), closed_by = ops.user_of(%s) "
            "where chat_id = %s and state = 'open'",
            [by, chat_id],
        ).rowcount
    )


_SAID_COLUMNS = (*OPINIONS, *NONE_COLUMNS.values(), "labelled_by", "note")
_SAID = ", ".join(_SAID_COLUMNS)
_SAID_FRESH = ", ".join(f"fresh.{name}" for name in _SAID_COLUMNS)
_SAID_NEWEST = ", ".join(f"newest.{name}" for name in _SAID_COLUMNS)


def _stage(conn: psycopg.Connection, labels: Sequence[Label]) -> None:
    conn.execute("drop table if exists pg_temp.given")
    conn.execute(
        f"create temp table given as select 0 as place, chat_id, content_key, {_SAID} "  # noqa: S608
        "from analysis.human_labels limit 0"
    )
    with conn.cursor() as cursor, cursor.copy("copy pg_temp.given from stdin") as copy:
        for place, one in enumerate(labels):
            values = [one.opinions.get(name) for name in OPINIONS]
            none = [one.opinions.get(name) == NONE for name in NONE_COLUMNS]
            copy.write_row(
                [
                    place,
                    one.chat_id,
                    one.content_key,
                    *(None if value == NONE else value for value in values),
                    *none,
                    one.labelled_by,
                    one.note,
                ]
            )
    conn.execute("""
        update pg_temp.given set labelled_by = known.id
        from (select labelled_by as name, ops.user_of(labelled_by) as id from pg_temp.given group by 1) as known
        where known.name = labelled_by and known.id <> labelled_by
    """)
    conn.execute("analyze pg_temp.given")


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    with file.open(encoding="utf-8-sig") as lines:
        yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadLabel("is no JSON object")
    return found


def _csv_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        head = lines.readline()
        lines.seek(0)
        delimiter = ";" if head.count(";") > head.count(",") else ","
        reader = csv.DictReader(lines, delimiter=delimiter, restkey="beyond the last column")
        yield from ((reader.line_num, row) for row in reader)


def _one_of(name: str, fields: Mapping[str, str | None], values: Sequence[str]) -> str | None:
    given = fields.get(name)
    if given is None:
        return None
    found = next((value for value in values if value.lower() == given.lower()), None)
    if found is None:
        raise BadLabel(f"{name} has to be one of {', '.join(values)}, or empty")
    return found


def _score(given: str | None) -> int | str | None:
    if given is None:
        return None
    if given.lower() == NONE:
        return NONE
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:3]) <= 10:
        raise BadLabel(f"agent_quality_score has to be 1 to 10, {NONE}, or empty")
    return int(given)


def _text(value: Any) -> str | None:
    """As text without NUL and without white space around it; None where nothing is left."""
    return str(value).replace("\0", "").strip() or None if value is not None else None
