"""A local S3 with the bucket `exports`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import obstore
from moto.server import ThreadedMotoServer

from dagster_project.exports.stores.bucket import Bucket

BUCKET = "exports"


@contextmanager
def running() -> Iterator[str]:
    """Its address, while it runs."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        httpx.put(f"http://{host}:{port}/{BUCKET}").raise_for_status()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def objects(bucket: Bucket) -> dict[str, bytes]:
    """All that lies in a bucket, by key."""
    store = replace(bucket, prefix="")._store()
    keys = [meta["path"] for part in obstore.list(store) for meta in part]
    return {key: bytes(obstore.get(store, key).bytes()) for key in keys}
