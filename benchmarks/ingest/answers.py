"""Answers on disk: downloaded once, then read instead of asking, so that landing can be measured on its own.

As a program it downloads all pages of the account into the folder BENCHMARK_ANSWERS and prints how long that took.
"""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.settings import Settings
from dagster_project.sources.b2chat.answers import Envelope, read_envelope
from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.reader import AnswerReader
from dagster_project.sources.b2chat.windows import ExportPage, Window, days
from dagster_project.sources.contract import Origin


class AnswersOnDisk:
    """Stands where the client does; parses each answer as the client does, and asks nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._reader = folder, AnswerReader()

    def close(self) -> None:
        self._reader.close()

    def origin(self) -> Origin:
        return Origin("sandbox", "http://on-disk")

    def quota_left(self) -> None:
        return None

    def page(self, window: Window, offset: int = 0, limit: int | None = None) -> ExportPage:
        body = file_of(self._folder, window, offset).read_bytes()
        read = self._reader.read(body, window.entity)
        envelope = Envelope([], read.exported, read.total) if read else read_envelope(body, window.entity)
        return ExportPage(
            envelope.items,
            envelope.exported,
            envelope.total,
            offset,
            limit or 1000,
            len(body),
            0,
            body,
            {},
            datetime.now(UTC),
            read,
        )


def file_of(folder: Path, window: Window, offset: int) -> Path:
    """Where the answer is kept of a page."""
    return folder / f"{window.entity} {window} {offset}.json"


def main() -> None:
    """Download what a first sync asks for, page by page."""
    settings, folder = Settings.load(), Path(os.environ["BENCHMARK_ANSWERS"])
    assert settings.start_date and settings.client_id and settings.client_secret
    folder.mkdir()
    began, pages = time.monotonic(), 0
    with B2ChatClient(
        settings.api_url,
        settings.client_id,
        settings.client_secret,
        requests_per_second=settings.requests_per_second,
    ) as client:
        chats = [Window("chats", day, day) for day in days(settings.start_date, settings.today())]
        for window in [Window("contacts"), *chats]:
            offset, total = 0, 1
            while offset < total:
                page = client.page(window, offset)
                file_of(folder, window, offset).write_bytes(page.body)
                offset, total, pages = offset + page.received, page.total, pages + 1
    print(json.dumps({"seconds": time.monotonic() - began, "pages": pages}))


if __name__ == "__main__":
    main()
