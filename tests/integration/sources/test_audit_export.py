"""The audit export, from files in a folder to `raw`, in a real Postgres."""

import multiprocessing
import os
import signal
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from dagster_project.ingestion.errors import AlreadyRunning
from dagster_project.ingestion.records.quarantine import RetryResult, retry_quarantine
from dagster_project.ingestion.single_writer import writer
from dagster_project.ingestion.sync import sync
from dagster_project.sources.b2chat_audit import files as audit
from dagster_project.sources.b2chat_audit.entities import MESSAGES
from dagster_project.sources.b2chat_audit.source import AuditFolder, AuditFolderMissing
from dagster_project.sources.catalog import SOURCES
from dagster_project.sources.contract import Scope
from tests.support.audit_files import row, write_csv, write_xlsx

Rows = list[tuple[Any, ...]]
HELLO = [
    row("c1", "2025-10-01 09:00:00", 'buenos días; le escribo,\nde la "tienda"'),
    row("c1", "2025-10-01 09:00:05", "sí", by="Contact"),
    row("c1", "2025-10-01 09:00:05", "sí", by="Contact"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def ask(database_url: str) -> Iterator[Any]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield lambda query: conn.execute(query).fetchall()


class Landed(NamedTuple):
    """What became of a folder: files that landed, files that were known; rows, and how many of them were new, known
    and quarantined; and what is said of files."""

    counts: tuple[int, int, int, int, int, int]
    load_id: int | None
    failed: list[str]
    notes: list[str]


def land(url: str, folder: Path) -> Landed:
    with AuditFolder(folder) as source:
        result = sync(url, source, MESSAGES, Scope("incremental", date(2025, 10, 10)), triggered_by="test")
    told = result.counts
    counted = (result.windows_read, source.known_files, told.records, told.new, told.unchanged, told.quarantined)
    return Landed(counted, told.last_load_id, result.windows_unreadable, source.notes)


def landed(ask: Any) -> Rows:
    return ask("select chat_id, row_id, payload from raw.b2chat_audit_messages order by 1, 2")


def test_a_file_lands_once_and_its_load_is_in_the_books(database_url: str, folder: Path, ask: Any) -> None:
    write_csv(folder / "a.csv", HELLO)
    first, second = land(database_url, folder), land(database_url, folder)
    assert first.counts == (1, 0, 3, 3, 0, 0)
    assert second.counts == (0, 1, 0, 0, 0, 0) and second.load_id is None
    assert ask("select load_id, entity_type, record_count, new_count, unchanged_count from ops.page_loads") == [
        (first.load_id, "messages", 3, 3, 0)
    ]
    assert ask("select substr(window_name, 66), record_count from ops.sync_windows") == [("a.csv", 3)]
    assert ask("select substr(window_name, 66), load_id from ops.page_loads") == [("a.csv", first.load_id)]
    assert ask("select user_id, entity_type, record_count, status from ops.sync_logs order by started_at") == [
        ("test", "messages", 3, "success"),
        ("test", "messages", 0, "success"),
    ]


def test_a_refused_row_lands_when_the_rules_allow_it_and_is_counted_as_its_files(
    database_url: str, folder: Path, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = row("c2", "2025-10-01 10:00:00", "de otro siglo") | {"Message Created At": "1925-10-01 10:00:00 AM"}
    torn = row("c3", "2025-10-01 11:00:00")
    write_csv(folder / "a.csv", [*HELLO, odd, torn])
    text = (folder / "a.csv").read_text()
    (folder / "a.csv").write_text(text.rstrip("\n") + ",one cell more\n")
    assert land(database_url, folder).counts == (1, 0, 5, 3, 0, 2)
    retry = lambda: retry_quarantine(database_url, SOURCES, triggered_by="test")  # noqa: E731
    assert retry() == RetryResult(tried=2, resolved=0, still_bad=2)
    monkeypatch.setattr(audit, "YEARS", range(1900, 2101))
    assert retry() == RetryResult(tried=2, resolved=1, still_bad=1)
    assert retry() == RetryResult(tried=1, resolved=0, still_bad=1)
    [landed] = ask(
        "select payload ->> 'message_agent', position, load_id from raw.b2chat_audit_messages where chat_id = 'c2'"
    )
    assert landed[:2] == ("de otro siglo", 5)
    assert ask(f"select entity_type, record_count, new_count from ops.page_loads where load_id = {landed[2]}") == [
        ("messages", 1, 1)
    ]
    assert ask("select rule, attempts, resolved_at is null from raw.quarantine order by 1") == [
        ("cells_do_not_fit", 4, True),
        ("time_unreadable", 3, False),
    ]
    # The file that holds the row, read again under the new rules, doubles nothing.
    write_csv(folder / "b.csv", [odd])
    assert land(database_url, folder).counts == (1, 1, 1, 0, 1, 0)


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8"), (",", "utf-8-sig"), (";", "utf-8-sig")]
)
def test_each_way_to_write_a_csv_gives_the_same_rows(
    database_url: str, folder: Path, ask: Any, delimiter: str, encoding: str
) -> None:
    write_csv(folder / "a.csv", HELLO, delimiter=delimiter, encoding=encoding)
    land(database_url, folder)
    texts = ask("select payload->>'message_agent' || (payload->>'message_contact') from raw.b2chat_audit_messages")
    assert sorted(texts) == [('buenos días; le escribo,\nde la "tienda"',), ("sí",), ("sí",)]
    assert ask("select payload->>'agent_id', payload->>'outgoing' from raw.b2chat_audit_chats") == [("4711", "TRUE")]


def test_csv_and_xlsx_give_the_same_rows(database_url: str, folder: Path, ask: Any) -> None:
    write_csv(folder / "a.csv", HELLO)
    land(database_url, folder)
    from_csv = landed(ask)
    with psycopg.connect(database_url) as conn:
        conn.execute("truncate raw.b2chat_audit_messages, ops.sync_windows, raw.b2chat_audit_chats")
    typed = [
        one
        | {
            "Message Created At": datetime.strptime(one["Message Created At"], "%Y-%m-%d %I:%M:%S %p"),  # noqa: DTZ007
            "Outgoing": True,
            "Broadcasted": False,
            "Agent ID": 4711,
        }
        for one in HELLO
    ]
    write_xlsx(folder / "a.xlsx", typed)
    (folder / "a.csv").unlink()
    assert land(database_url, folder).counts == (1, 0, 3, 3, 0, 0)
    assert landed(ask) == from_csv


def test_files_that_overlap_double_no_message_and_equal_ones_of_a_second_stay_two(
    database_url: str, folder: Path, ask: Any
) -> None:
    write_csv(folder / "1.csv", HELLO)
    more = [*HELLO, row("c1", "2025-10-01 09:01:00", "gracias", by="Contact")]
    # Facts of the chat that changed since are no new message.
    write_xlsx(folder / "2.xlsx", [one | {"Contact Tag": "VIP"} for one in more])
    result = land(database_url, folder)
    assert result.counts == (2, 0, 7, 4, 3, 0)
    assert len(landed(ask)) == 4
    assert ask("select payload->>'contact_tag', load_id from raw.b2chat_audit_chats") == [("VIP", result.load_id)]


def test_an_overlapping_file_with_nothing_new_touches_no_chat(database_url: str, folder: Path, ask: Any) -> None:
    write_csv(folder / "1.csv", HELLO)
    first = land(database_url, folder)
    write_csv(folder / "2.csv", HELLO, delimiter=";")
    assert land(database_url, folder).counts == (1, 1, 3, 0, 3, 0)
    assert ask("select load_id from raw.b2chat_audit_chats") == [(first.load_id,)]


def test_a_wrong_header_is_named_with_its_file_and_column_and_other_files_land(
    database_url: str, folder: Path, ask: Any
) -> None:
    write_csv(folder / "a.csv", [{name: cell for name, cell in one.items() if name != "Chat ID"} for one in HELLO])
    (folder / "b.xlsx").write_bytes(b"PK no zip")
    (folder / "c.csv").write_bytes(b"")
    write_csv(folder / "d.csv", HELLO)
    result = land(database_url, folder)
    assert result.counts == (1, 0, 3, 3, 0, 0)
    assert result.failed[:2] == ["a.csv: no column 'Chat ID'", "b.xlsx: not a readable XLSX file"]
    assert result.failed[2].startswith("c.csv: no column 'Chat ID', 'Message Created At'")
    assert ask("select message, metadata ->> 'entity' from ops.error_logs order by 1") == [
        (text, "messages") for text in result.failed
    ]
    assert ask("select status, error_message from ops.sync_logs") == [("partial", None)]
    assert ask("select count(*) from ops.page_loads") == [(1,)]


def test_a_row_that_cannot_be_read_goes_to_quarantine_and_the_rest_lands(
    database_url: str, folder: Path, ask: Any
) -> None:
    write_csv(
        folder / "a.csv",
        [
            row("", "2025-10-01 09:00:00"),
            row("c1", "2025-10-01 09:00:00"),
            row("c2", "2025-10-01 09:00:00", Message_Created_At="2025-10-01 13:00:00 PM"),
            row("c3", "2025-10-01 09:00:00", Message_Created_At="2025-02-29 01:00:00 PM"),
            row("c4", "2025-10-01 09:00:00", Message_Incoming="MAYBE"),
        ],
    )
    with (folder / "a.csv").open("a") as file:
        file.write("c5,too,short\r\n")
    assert land(database_url, folder).counts == (1, 0, 6, 1, 0, 5)
    assert ask("select record_key, rule, position from raw.quarantine where source = 'b2chat_audit' order by 3") == [
        (None, "key_missing", 2),
        ("c2", "time_unreadable", 4),
        ("c3", "time_unreadable", 5),
        ("c4", "side_unreadable", 6),
        ("c5", "cells_do_not_fit", 7),
    ]
    assert {"a.csv" in detail and "hola" not in detail for (detail,) in ask("select detail from raw.quarantine")} == {
        True
    }


def test_text_that_postgres_cannot_hold_lands_cleaned_with_what_it_was(
    database_url: str, folder: Path, ask: Any
) -> None:
    path = write_csv(folder / "a.csv", [row("c1", "2025-10-01 09:00:00", "antes#después")])
    path.write_bytes(path.read_bytes().replace(b"#", b"\x00\xff"))
    assert land(database_url, folder).counts[3] == 1
    [(text, exact, cleaned)] = ask(
        "select payload->>'message_agent', payload_bytes, cleaned from raw.b2chat_audit_messages"
    )
    assert text == "antes\ufffd\ufffddespués"
    assert rb"antes\u0000\udcff" in bytes(exact)
    assert [one["rule"] for one in cleaned] == ["nul_replaced", "lone_surrogate_replaced"]


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2025-10-01 12:05:00 AM", "2025-10-01 00:05:00"),
        ("2025-10-01 12:05:00 PM", "2025-10-01 12:05:00"),
        ("2025-10-01 1:05:00 pm", "2025-10-01 13:05:00"),
        ("2025-10-01 11:59:59 PM", "2025-10-01 23:59:59"),
        ("2025-10-01 13:05:00", "2025-10-01 13:05:00"),
        ("2025-10-01 00:05:00 AM", None),
        ("soon", None),
    ],
)
def test_noon_and_midnight_are_told_apart(told: str, meant: str | None) -> None:
    assert audit._time_of_24_hours(told) == meant


def test_a_kill_in_the_middle_of_a_file_leaves_nothing_of_it(database_url: str, folder: Path, ask: Any) -> None:
    write_csv(folder / "1.csv", HELLO)
    write_csv(folder / "2.csv", [row(f"k{n}", "2025-10-01 09:00:00") for n in range(300)])
    child = multiprocessing.get_context("spawn").Process(target=_land_and_die, args=(database_url, folder), daemon=True)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert ask("select count(*), count(distinct chat_id) from raw.b2chat_audit_messages") == [(3, 1)]
    assert ask("select substr(window_name, 66) from ops.sync_windows") == [("1.csv",)]
    assert ask("select distinct substr(window_name, 66) from ops.page_loads") == [("1.csv",)]
    assert land(database_url, folder).counts == (1, 1, 300, 300, 0, 0)


def _land_and_die(url: str, folder: Path) -> None:
    """Die by SIGKILL at row 200 of the second file, when 198 rows of it have landed in pages of two."""
    from dagster_project.sources.b2chat_audit import source

    read = source.read_audit_file

    def dying(path: Path, name: str) -> Any:
        for number, one in enumerate(read(path, name)):
            if number == 200:
                os.kill(os.getpid(), signal.SIGKILL)
            yield one

    source.read_audit_file, source.PAGE_ROWS = dying, 2  # type: ignore[assignment]
    land(url, folder)


def test_it_does_not_write_while_a_sync_does(database_url: str, folder: Path) -> None:
    with writer(database_url, "sync chats (test)"), pytest.raises(AlreadyRunning):
        land(database_url, folder)


def test_a_folder_that_is_not_there_is_named(database_url: str, folder: Path) -> None:
    with pytest.raises(AuditFolderMissing, match="B2CHAT_AUDIT_FOLDER"):
        land(database_url, folder / "nowhere")


ACCENTS = [
    row("c1", "2025-10-01 09:00:00", "buenos días, la información está lista"),
    row("c1", "2025-10-01 09:01:00", "¿mañana? “sí” – 5 €", by="Contact"),
]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_csv_is_read_in_its_encoding_and_the_same_in_utf8_adds_nothing(
    database_url: str, folder: Path, ask: Any, encoding: str
) -> None:
    write_csv(folder / "a.csv", ACCENTS, encoding=encoding, delimiter=";")
    first = land(database_url, folder)
    assert first.notes == (["a.csv: not UTF-8, read as Windows-1252"] if encoding == "cp1252" else [])
    write_csv(folder / "b.csv", ACCENTS)
    assert land(database_url, folder).counts == (1, 1, 2, 0, 2, 0)
    assert ask(
        "select payload->>'message_agent', payload->>'message_contact', cleaned from raw.b2chat_audit_messages "
        "order by position"
    ) == [("buenos días, la información está lista", "", None), ("", "¿mañana? “sí” – 5 €", None)]


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850"])
def test_a_csv_whose_encoding_is_not_known_is_refused_not_altered(
    database_url: str, folder: Path, ask: Any, encoding: str
) -> None:
    rows = [one | {"Message Contact": ""} for one in ACCENTS]
    write_csv(folder / "a.csv", rows, encoding=encoding)
    result = land(database_url, folder)
    assert result.failed == ["a.csv: neither UTF-8 nor Windows-1252: save it as 'CSV UTF-8'"]
    assert ask("select count(*) from raw.b2chat_audit_messages") == [(0,)]


def test_the_files_of_a_zip_land_each_once_also_beside_the_unpacked_ones(
    database_url: str, folder: Path, ask: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = tmp_path_factory.mktemp("made")
    write_csv(made / "messages.csv", HELLO)
    write_csv(made / "more.csv", [*HELLO, row("c2", "2025-10-02 09:00:00")])
    with zipfile.ZipFile(folder / "B2Chat.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(made / "messages.csv", "../../up/messages.csv")
        archive.write(made / "more.csv", "more.csv")
        archive.writestr("__MACOSX/._messages.csv", b"\x00\x05")
        archive.writestr("readme.txt", "x")
    assert land(database_url, folder).counts == (2, 0, 7, 4, 3, 0)
    assert ask("select substr(window_name, 66) from ops.sync_windows order by 1") == [
        ("B2Chat.zip/messages.csv",),
        ("B2Chat.zip/more.csv",),
    ]
    write_csv(folder / "messages.csv", HELLO)
    assert land(database_url, folder).counts == (0, 3, 0, 0, 0, 0)


def test_an_archive_that_cannot_be_read_is_a_line_and_the_rest_lands(
    database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(folder / "h.csv", HELLO)
    (folder / "a.rar").write_bytes(b"Rar!")
    (folder / "b.zip").write_bytes(b"PK no zip")
    _zip(folder / "c.zip", {"readme.txt": b"x"})
    _zip(folder / "d.zip", {"a.csv": (folder / "h.csv").read_bytes()})
    damaged = bytearray((folder / "d.zip").read_bytes())
    for place in (damaged.index(b"PK\x03\x04") + 6, damaged.index(b"PK\x01\x02") + 8):
        damaged[place] |= 1  # says that it is encrypted
    (folder / "d.zip").write_bytes(damaged)
    _zip(folder / "e.zip", {"bomb.csv": b"0" * 30_000_000})
    _zip(folder / "f.zip", {f"{number}.csv": b"" for number in range(101)})
    _zip(folder / "g.zip", {"x.csv": b"a,b\n1,2\n"})
    result = land(database_url, folder)
    assert [text for text in result.failed if not text.startswith("g.zip")] == [
        "a.rar: archives of this kind are not read: unpack it, or pack it as .zip",
        "b.zip: not a readable zip archive",
        "c.zip: holds no CSV or XLSX file",
        "d.zip: is encrypted: unpack it",
        "e.zip: unpacks to more than is read of an archive of its size",
        "f.zip: holds more than 100 CSV or XLSX files",
    ]
    assert result.failed[-1].startswith("g.zip/x.csv: no column 'Chat ID'")
    assert result.counts == (1, 0, 3, 3, 0, 0)


def _zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("cut_first", [True, False])
@pytest.mark.parametrize("cut_at", ["ana@", "informaci\u00c3"])  # between two cells' signs, and within a sign
def test_quarantine_of_a_cut_file_is_resolved_by_the_whole_one(
    database_url: str, folder: Path, ask: Any, cut_first: bool, cut_at: str
) -> None:
    write_csv(folder / "whole.csv", [*HELLO, row("c2", "2025-10-02 09:00:00", "la información", Message_Type="TEXT")])
    whole = (folder / "whole.csv").read_bytes()
    cut = whole[: whole.rindex(cut_at.encode("latin-1")) + len(cut_at)]
    open_rows = "select count(*) from raw.quarantine where resolved_at is null"
    (folder / "whole.csv").write_bytes(cut if cut_first else whole)
    assert land(database_url, folder).counts[5] == cut_first
    assert ask(open_rows) == [(int(cut_first),)]
    (folder / "whole.csv").write_bytes(whole if cut_first else cut)
    land(database_url, folder)
    assert ask(open_rows) == [(0,)]
    assert ask("select count(*) from raw.b2chat_audit_messages") == [(4,)]


def test_a_row_that_no_whole_file_explains_stays_in_quarantine(database_url: str, folder: Path, ask: Any) -> None:
    path = write_csv(folder / "a.csv", HELLO)
    path.write_bytes(path.read_bytes() + b"c2,,WHATSAPPB2CHAT,Vent")
    write_csv(folder / "b.csv", [*HELLO, row("c2", "2025-10-02 09:00:00", Department="Cartera")])
    assert land(database_url, folder).counts[5] == 1
    assert ask("select count(*) from raw.quarantine where resolved_at is null") == [(1,)]
