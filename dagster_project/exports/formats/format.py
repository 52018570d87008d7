"""What a format is: its name, its file's ending and media type, and what it writes. Each format registers one of these
in `formats/registry.py`; requests, stores, the command line and the launchpad know formats by that alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

import psycopg

from dagster_project.exports.i18n.language import Language
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.tables.table import Table


@dataclass(frozen=True)
class WriteResult:
    """What a writer wrote: its rows, its columns (name, type), and what the manifest says besides."""

    rows: int
    columns: list[tuple[str, str]] = field(default_factory=list)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How a file is written.

    Attributes:
        language: of what people read in it.
        zone: the account's time zone, in which times are written.
        made_at: the time that the file names as its own.
        filters: what the rows were chosen by, as plain values.
        company: the name on the cover of a report.
    """

    language: Language
    zone: str
    made_at: datetime
    filters: Mapping[str, Any] = field(default_factory=dict)
    company: str | None = None


# Section, metric, value, unit: a report as rows.
SectionRow = tuple[str, str, Any, str]
# The connection is in the transaction that the table is to be read in.
WriteTable = Callable[[psycopg.Connection, BinaryIO, Table, Options], WriteResult]
WriteReport = Callable[[BinaryIO, ReportData, Options], WriteResult]
WriteSections = Callable[[BinaryIO, Iterable[SectionRow], Options], WriteResult]


@dataclass(frozen=True)
class Format:
    """A format of exports.

    Attributes:
        name: as users write it, such as csv-excel: a-z, 0-9 and -.
        title: as people call it, such as CSV for Excel.
        about: when to choose it, a few words.
        suffix: the file's ending, without a dot.
        media_type: what a browser is told that it is.
        table: writes a table; None where it cannot.
        report: writes a report with its layout.
        sections: writes a report as rows.
    """

    name: str
    title: str
    about: str
    suffix: str
    media_type: str
    table: WriteTable | None = None
    report: WriteReport | None = None
    sections: WriteSections | None = None
