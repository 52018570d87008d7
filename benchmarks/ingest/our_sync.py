"""The project's own sync of chats and contacts, as its assets call it, without Dagster around it: prints its times.

Environment: DATABASE_URL and B2CHAT_* as the project has them; BENCHMARK_ANSWERS, a folder of answers to read
instead of asking (see answers.py).
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from answers import AnswersOnDisk

from dagster_project.ingestion.quota import PostgresQuota
from dagster_project.ingestion.sync import sync
from dagster_project.settings import Settings
from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.entities import B2CHAT
from dagster_project.sources.b2chat.source import B2Chat
from dagster_project.sources.contract import Scope
from dagster_project.warehouse.connection import connect

_SUMS = ("seconds", "waiting", "records", "pages", "windows", "new", "changed")


def main() -> None:
    """Sync both entities once and print, for both together, what took how long."""
    settings, url = Settings.load(), os.environ["DATABASE_URL"]
    assert settings.start_date
    sums: dict[str, float] = dict.fromkeys(_SUMS, 0)
    began = os.times()
    for entity in ("contacts", "chats"):
        with _client(settings, url) as client:
            began_sync = time.monotonic()
            result = sync(
                url,
                B2Chat(client),
                B2CHAT.entity(entity),
                Scope(
                    "incremental",
                    settings.today(),
                    settings.start_date,
                    settings.lookback_days,
                    settings.sweep_days,
                ),
                keep_responses=settings.keep_responses,
                triggered_by="benchmark",
            )
            sums["seconds"] += time.monotonic() - began_sync
        if result.status != "success":
            raise SystemExit(f"{entity}: {result.reason}")
        sums["waiting"] += _waiting(url, result.sync_id)
        sums["windows"] += result.windows
        for name in ("records", "pages", "new", "changed"):
            sums[name] += getattr(result.counts, name)
    own, readers = (sum(os.times()[at : at + 2]) - sum(began[at : at + 2]) for at in (0, 2))
    print(json.dumps(sums | {"cpu": own + readers, "reader_cpu": readers}))


@contextlib.contextmanager
def _client(settings: Settings, url: str) -> Iterator[Any]:
    if "BENCHMARK_ANSWERS" in os.environ:
        with contextlib.closing(AnswersOnDisk(Path(os.environ["BENCHMARK_ANSWERS"]))) as answers:
            yield answers
        return
    assert settings.client_id and settings.client_secret
    with (
        PostgresQuota(url, B2CHAT.name, settings.client_id, settings.requests_per_day, settings.today) as quota,
        B2ChatClient(
            settings.api_url,
            settings.client_id,
            settings.client_secret,
            quota=quota,
            requests_per_second=settings.requests_per_second,
        ) as client,
    ):
        yield client


def _waiting(url: str, sync_id: str) -> float:
    """Seconds from the questions of a sync to the ends of their answers."""
    with connect(url) as conn:
        row = conn.execute(
            "select coalesce(sum(request_ms), 0) / 1000.0 from ops.page_loads where sync_id = %s", (sync_id,)
        ).fetchone()
    assert row is not None
    return float(row[0])


if __name__ == "__main__":
    main()
