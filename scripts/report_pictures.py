"""Paint the README's pages of a report, after `make demo`: `b2chat exec python scripts/report_pictures.py`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from dagster_project.exports.pictures.heatmap import last_full_week
from dagster_project.exports.report.pdf import page_pictures
from dagster_project.exports.report.period import Period
from dagster_project.exports.report.reading.report import read_report

DOCS = Path(__file__).resolve().parent.parent / "docs"
SHOWN = {"report-summary.png": 0, "report-actions.png": 1, "report-heatmap.png": 2}


def main() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        monday = last_full_week(connection)
        assert monday, "make the demo first"
        report = read_report(connection, Period.week(monday), timezone="America/Bogota")
    pages = page_pictures(
        report, language="es", timestamp=datetime.now(UTC), company="Inmobiliaria Los Arrayanes", pixels_per_inch=80
    )
    for name, page in SHOWN.items():
        (DOCS / name).write_bytes(pages[page])
        print(DOCS / name)


if __name__ == "__main__":
    main()
