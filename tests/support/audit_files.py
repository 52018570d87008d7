"""Files of the console's audit export, made from invented messages."""

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook

COLUMNS = (
    "Chat ID",
    "Merchant ID",
    "Provider",
    "Department",
    "Chat Created At",
    "Month of chat creation",
    "Message Created At",
    "Date of last message from contact",
    "Contact ID",
    "Contact Identification",
    "Contact Name",
    "Contact Email",
    "Contact Phone Number",
    "Contact Mobile Number",
    "Contact Tag",
    "Agent ID",
    "Agent Name",
    "Agent Username",
    "Agent Email",
    "Message Incoming",
    "Message Contact",
    "Message Agent",
    "Message Bot",
    "Message Type",
    "Message Caption",
    "Alias",
    "Bot",
    "Status",
    "Opened at",
    "Picked up at",
    "Responded at",
    "Closed at",
    "Duration",
    "Outgoing",
    "Broadcasted",
    "Tags",
    "Ad Source",
    "Ad type",
    "Ad name",
    "Ad Source_id",
)
AGENT = {"Agent ID": "4711", "Agent Name": "Ana Uno", "Agent Username": "ana", "Agent Email": "ana@example.test"}


def row(
    chat_id: str, at: str, body: str = "hola", *, by: str = "Agent", outgoing: bool = True, **cells: Any
) -> dict[str, Any]:
    """A message's row.

    Args:
        at: the local time as the API writes it, of 24 hours.
        by: who wrote it: "Contact", "Agent" or "Bot".
        outgoing: whether the chat was started by an agent.
        cells: of other columns, `_` for a blank: `Message_Type="IMAGE"`.
    """
    given = {
        "Chat ID": chat_id,
        "Provider": "WHATSAPPB2CHAT",
        "Message Created At": in_12_hours(at),
        "Message Incoming": "YES" if by == "Contact" else "NO",
        f"Message {by}": body,
        "Message Type": "TEXT",
        "Status": "CLOSED",
        "Outgoing": "TRUE" if outgoing else "FALSE",
        "Broadcasted": "FALSE",
    }
    return dict.fromkeys(COLUMNS, "") | AGENT | given | {name.replace("_", " "): cell for name, cell in cells.items()}


def in_12_hours(at: str) -> str:
    """`2025-10-01 00:05:00` → `2025-10-01 12:05:00 AM`."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %I:%M:%S %p")


def write_csv(path: Path, rows: list[dict[str, Any]], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """A CSV file of these rows, its header from the first of them."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_xlsx(path: Path, rows: list[dict[str, Any]]) -> Path:
    """An XLSX file of these rows, its header from the first of them."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    for cells in [list(rows[0]), *(list(one.values()) for one in rows)]:
        sheet.append([cell if cell != "" else None for cell in cells])
    book.save(path)
    return path
