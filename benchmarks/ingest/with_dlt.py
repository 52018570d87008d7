"""The same job with the library dlt: every chat day and all contacts, merged by key into the schema `dlt_raw`.

Run by the Python of dlt's own environment, see README.md. It takes what dlt's own advice on speed names: CSV files
that Postgres COPYs in, files of a bounded size, and as many processes as there are cores.

Environment: BENCHMARK_URL (Postgres), BENCHMARK_DAYS (JSON list), BENCHMARK_FOLDER, B2CHAT_* as the project has them.
"""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "NORMALIZE__WORKERS": str(os.cpu_count()),
    "DATA_WRITER__FILE_MAX_ITEMS": "50000",
}

import dlt
from dlt.sources.helpers import requests

PAGE_SIZE = 1000


def main() -> None:
    """Run the pipeline and print how long each of its steps took."""
    pipeline = dlt.pipeline(
        "ingest",
        pipelines_dir=os.environ["BENCHMARK_FOLDER"],
        dataset_name="dlt_raw",
        destination=dlt.destinations.postgres(os.environ["BENCHMARK_URL"]),
    )
    seconds = {}
    for name, step in {
        "extract": lambda: pipeline.extract([chats(), contacts()], loader_file_format="csv"),
        "normalize": pipeline.normalize,
        "load": pipeline.load,
    }.items():
        began = time.monotonic()
        step()
        seconds[name] = round(time.monotonic() - began, 2)
    print(json.dumps({"steps": seconds, "waiting": round(sum(waits), 2)}))


waits: list[float] = []


@dlt.resource(primary_key="chat_id", write_disposition="merge")
def chats() -> Iterator[list[dict[str, Any]]]:
    """All chats, day by day."""
    session = signed_in()
    for day in json.loads(os.environ["BENCHMARK_DAYS"]):
        yield from pages(session, "chats", {"date_range_from": day, "date_range_to": day})


@dlt.resource(primary_key="contact_id", write_disposition="merge")
def contacts() -> Iterator[list[dict[str, Any]]]:
    """All contacts."""
    yield from pages(signed_in(), "contacts", {"skip_tags": "FALSE", "skip_custom_attributes": "FALSE"})


def signed_in() -> Any:
    """A session of dlt's own HTTP client, which retries, with a token."""
    session = requests.Client().session
    credentials = os.environ["B2CHAT_CLIENT_ID"], os.environ["B2CHAT_CLIENT_SECRET"]
    answer = session.post(
        os.environ["B2CHAT_API_URL"] + "/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials
    )
    session.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def pages(session: Any, entity: str, query: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
    """The pages of one export."""
    offset, size = 0, PAGE_SIZE
    while size == PAGE_SIZE:
        asked = time.monotonic()
        answer = session.get(
            f"{os.environ['B2CHAT_API_URL']}/{entity}/export",
            params={**query, "limit": PAGE_SIZE, "offset": offset, "order_dir": "asc"},
        )
        waits.append(time.monotonic() - asked)
        records = answer.json()[entity]
        size, offset = len(records), offset + len(records)
        if records:
            yield records


if __name__ == "__main__":
    main()
