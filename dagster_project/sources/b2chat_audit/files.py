"""A file of the console's audit export, a row a message, as CSV or XLSX: what its rows say, read one at a time."""

import codecs
import csv
import hashlib
import itertools
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

from dagster_project.sources.b2chat_audit.people import people_of
from dagster_project.sources.canonical import canonical_json
from dagster_project.sources.cleaning import MAX_TEXT_LENGTH, Cleaning, clean, cut, may_need_cleaning
from dagster_project.sources.contract import MAX_KEY_LENGTH, YEARS, Problem, Rejected, UnreadableWindow

FORMATS = ("csv", "xlsx")
KEY_COLUMNS = (
    "Chat ID",
    "Message Created At",
    "Message Incoming",
    "Message Contact",
    "Message Agent",
    "Message Bot",
    "Message Type",
    "Outgoing",
)

WINDOWS_1252 = "cp1252"  # what Excel makes of a CSV that it saves

_CHUNK_BYTES = 1024 * 1024
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_LONE_SURROGATE = re.compile("[\udc80-\udcff]")
_ACCENTED = re.compile("[À-ÖØ-öø-ÿŠšŽžŒœ]")
# Characters that stand inside a word only where the file is in another encoding than Windows-1252.
_MISREAD = re.compile("(?<=[A-Za-z])[‚ƒ„…†‡ˆ‰‹“”•–—˜›¡¢£¤¥¦§¨©«¬®¯±²³´µ¶¸¹»¼½¾¿×÷\xa0\xad](?=[a-z])")
_MAX_CELL = 16 * 1024 * 1024  # characters; a CSV whose quotes do not close would be read as one cell to its end
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{1,2})(:\d{2}:\d{2})(?: ?([AP])M)?", re.ASCII | re.IGNORECASE)


class AuditFileError(UnreadableWindow):
    """A file that is no audit export, or cannot be read to its end. The text names the file, and no content."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A message of a chat.

    Attributes:
        identity: hash of what the message is: chat, time, side, type and body. Equal messages have equal ones.
        payload: the row's JSON, canonical and cleaned; names are the columns' in snake case, values are texts.
        chat, chat_hash: the part of the payload that is about the chat, not about the message, and its hash.
        names_agent: the row names the chat's agent.
        position: the row's number in the file; the header is row 1.
        exact: the row's JSON in ASCII as it came, only where something had to be cleaned.
        cleaned: what was cleaned, and where.
        people: by what the person is known that it is about.
    """

    chat_id: str
    identity: str
    payload: str
    chat: str
    chat_hash: str
    names_agent: bool
    position: int
    exact: bytes | None = None
    cleaned: list[Cleaning] = field(default_factory=list)
    people: tuple[str, ...] = ()


def read_audit_file(path: Path, name: str = "") -> Iterator[AuditRow | Rejected]:
    """The rows of a file, one after the other; the file is never held in memory as a whole.

    Args:
        path: the file.
        name: what errors call it; empty for the name that it has.

    Raises:
        AuditFileError: a key column is missing, the file breaks off, or its encoding is not known.
    """
    name = name or path.name
    try:
        cells = _csv_rows(path, encoding_of(path, name)) if path.suffix.lower() == ".csv" else _xlsx_rows(path)
        columns = _columns(name, next(cells, []))
        for position, row in enumerate(cells, start=2):
            if any(row):
                yield _read_row(columns, row, position)
    except csv.Error:
        raise AuditFileError(f"{name}: not a readable CSV file") from None
    except UnicodeDecodeError as error:
        raise AuditFileError(f"{name}: not all of it is {error.encoding}") from None
    except (zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, EOFError):
        raise AuditFileError(f"{name}: not a readable XLSX file") from None


def encoding_of(path: Path, name: str) -> str:
    """The encoding of a CSV file: UTF-8 and UTF-16, with a mark or without, or Windows-1252.

    A UTF-8 file with a damaged byte here and there is still one; such a byte is cleaned, and listed.

    Raises:
        AuditFileError: it is none of these.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"  # and its mark says which
    if start[1::2] == b"\0\0" or start[::2] == b"\0\0":
        return "utf-16-le" if start[1::2] == b"\0\0" else "utf-16-be"
    read = damaged = 0
    for text in _decoded(path, "utf-8", "surrogateescape"):
        bad = len(_LONE_SURROGATE.findall(text))
        damaged += bad
        read += len(_NOT_ASCII.findall(text)) - bad
    if damaged <= read:
        return "utf-8"
    if _is_windows_1252(path):
        return WINDOWS_1252
    raise AuditFileError(f"{name}: neither UTF-8 nor Windows-1252: save it as 'CSV UTF-8'")


def _is_windows_1252(path: Path) -> bool:
    """Whether what is no ASCII are letters with accents, not punctuation within words, as in another encoding."""
    accented = misread = 0
    try:
        for text in _decoded(path, WINDOWS_1252, "strict"):
            accented += len(_ACCENTED.findall(text))
            misread += len(_MISREAD.findall(text))
    except UnicodeDecodeError:
        return False
    return misread * 4 < accented


def _decoded(path: Path, encoding: str, errors: str) -> Iterator[str]:
    """A file's text in pieces; an incomplete character at its end is left out."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            text = chunk.decode("ascii") if chunk.isascii() and not decoder.getstate()[0] else decoder.decode(chunk)
            if not text.isascii():
                yield text


def read_kept_row(data: bytes, position: int) -> AuditRow | Rejected:
    """Validate a row again that was refused, from what was kept of it (`Rejected.data`). Raises ValueError."""
    row: dict[str, str] = json.loads(data)
    return _validate(row, position, None)


def _csv_rows(path: Path, encoding: str) -> Iterator[list[str]]:
    csv.field_size_limit(_MAX_CELL)
    # A byte that is no UTF-8 becomes a lone surrogate, and is cleaned as one.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        first = file.readline()
        delimiter = ";" if first.count(";") > first.count(",") else ","
        for row in csv.reader(itertools.chain([first], file), delimiter=delimiter):
            yield [_one_newline(cell) for cell in row]


def _xlsx_rows(path: Path) -> Iterator[list[str]]:
    book = load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write wrong ones
        width = 0
        for cells in sheet.iter_rows(values_only=True):
            row = [_cell_text(cell) for cell in cells]
            width = width or len(row)
            yield row + [""] * (width - len(row))
    finally:
        book.close()


def _cell_text(value: Any) -> str:
    """What a cell of a sheet would be in a CSV of the same export."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %I:%M:%S} {'AM' if value.hour < 12 else 'PM'}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _one_newline(str(value))


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _columns(file_name: str, header: Sequence[str]) -> list[str]:
    columns = [_column_name(cell) for cell in header]
    missing = [name for name in KEY_COLUMNS if _column_name(name) not in columns]
    if missing:
        raise AuditFileError(f"{file_name}: no column {', '.join(repr(name) for name in missing)}")
    twice = [name for name in KEY_COLUMNS if columns.count(_column_name(name)) > 1]
    if twice:
        raise AuditFileError(f"{file_name}: more than one column {', '.join(repr(name) for name in twice)}")
    return columns


def _column_name(title: str) -> str:
    """`Message Incoming (YES/NO)` → `message_incoming`."""
    return re.sub(r"\W+", "_", re.sub(r"\(.*\)\s*$", "", title).strip().lower())


def _read_row(columns: list[str], cells: list[str], position: int) -> AuditRow | Rejected:
    return _validate(dict(zip(columns, cells, strict=False)), position, _length_problem(columns, cells))


def _validate(row: dict[str, str], position: int, problem: Problem | None) -> AuditRow | Rejected:
    payload, exact, cleaned = canonical_json(row), None, list[Cleaning]()
    if may_need_cleaning(payload):
        exact = json.dumps(row, sort_keys=True).encode()  # in ASCII: a lone surrogate has no other way into bytes
        row, cleaned = clean(row)
        payload = canonical_json(row)
    if len(payload) > MAX_TEXT_LENGTH:
        exact = exact or json.dumps(row, sort_keys=True).encode()
        row, cuts = cut(row)
        payload, cleaned = canonical_json(row), cleaned + cuts
    chat_id = row.get("chat_id", "").strip()
    problem = problem or _problem(row, chat_id)
    if not problem and any(one["path"] == "chat_id" for one in cleaned):
        problem = Problem("key_unusable", "Chat ID holds characters that cannot be stored")
    if problem:
        data = exact or payload.encode()
        return Rejected(
            "messages",
            chat_id[:MAX_KEY_LENGTH] or None,
            problem,
            data,
            hashlib.sha256(data).hexdigest(),
            position,
            people_of(row),
        )
    chat = {name: value for name, value in row.items() if not name.startswith("message_") and name != "broadcasted"}
    chat_payload = canonical_json(chat)
    return AuditRow(
        chat_id,
        _identity(chat_id, row),
        payload,
        chat_payload,
        hashlib.sha256(chat_payload.encode()).hexdigest(),
        bool(row.get("agent_username")),
        position,
        exact,
        cleaned,
        people_of(row),
    )


def _length_problem(columns: list[str], cells: list[str]) -> Problem | None:
    if len(cells) < len(columns) or any(cells[len(columns) :]):
        return Problem("cells_do_not_fit", f"{len(cells)} cells, not {len(columns)}")
    return None


def _problem(row: dict[str, str], chat_id: str) -> Problem | None:
    if not chat_id:
        return Problem("key_missing", "Chat ID is empty")
    if len(chat_id) > MAX_KEY_LENGTH:
        return Problem("key_too_long", f"Chat ID has {len(chat_id)} characters, more than {MAX_KEY_LENGTH}")
    if not row["message_created_at"].strip():
        return Problem("time_missing", "Message Created At is empty")
    if _time_of_24_hours(row["message_created_at"]) is None:
        return Problem("time_unreadable", "Message Created At is not YYYY-MM-DD hh:mm:ss AM/PM")
    if row["message_incoming"].strip().upper() not in ("YES", "NO"):
        return Problem("side_unreadable", "Message Incoming is neither YES nor NO")
    return None


def _identity(chat_id: str, row: dict[str, str]) -> str:
    incoming = row["message_incoming"].strip().upper() == "YES"
    sources = ("message_contact", "message_agent", "message_bot")
    body = next((row[name] for name in sources if row[name]), None)
    told = [chat_id, _time_of_24_hours(row["message_created_at"]), incoming, row["message_type"].strip().upper(), body]
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()


def _time_of_24_hours(text: str) -> str | None:
    """`2025-10-01 12:05:00 AM` → `2025-10-01 00:05:00`; None for what is no time."""
    match = _TIME.fullmatch(text.strip())
    if not match:
        return None
    day, hour, rest, half = match[1], int(match[2]), match[3], (match[4] or "").upper()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "P" else 0)
    told = f"{day} {hour:02}{rest}"
    try:
        return told if datetime.fromisoformat(told).year in YEARS else None
    except ValueError:
        return None
