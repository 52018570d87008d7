"""A report as PDF."""

from typing import BinaryIO

from dagster_project.exports.formats.format import Format, Options, WriteResult
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.pdf import render_pdf
from dagster_project.exports.report.phrases import classified_by


def write(out: BinaryIO, data: ReportData, options: Options) -> WriteResult:
    """Write a report; its rows are the chats that it is about."""
    out.write(render_pdf(data, language=options.language, timestamp=options.made_at, company=options.company))
    notes = {
        "data_through": data.freshness.data_through,
        "classified_by": classified_by(data, Wording(options.language)),
    }
    return WriteResult(data.chat_count, notes=notes)


PDF = Format(
    name="pdf", title="PDF", about="to read and to print", suffix="pdf", media_type="application/pdf", report=write
)
