"""Take the README's pictures of the Dagster UI, after `make demo`: `python scripts/screenshots.py` (needs Chromium)."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PORT = 3777
BIN = Path(sys.executable).parent
PAGES = {
    "asset-groups.png": ("/asset-groups", 1500, 760),
    "heatmap.png": ("/assets/marts/weekly_heatmap_picture?view=overview", 1560, 1000),
    "lineage.png": ("/assets/marts/kpi_daily?view=lineage", 1500, 1000),
    "run.png": ("/runs/{run}", 1500, 1000),
    "checks.png": ("/assets/core/chats?view=checks", 1500, 1000),
    "evaluation.png": ("/assets/analysis/classifier_evaluation?view=overview", 1560, 1300),
}
READY = """
    { workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }
"""
RUN = """{ runsOrError(filter: {pipelineName: "refresh_all"}, limit: 1) { ... on Runs { results { runId } } } }"""


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("screenshots need Chromium on the PATH")
    DOCS.mkdir(exist_ok=True)
    subprocess.run(
        [
            BIN / "b2chat",
            "exec",
            BIN / "dagster",
            "job",
            "execute",
            "-m",
            "dagster_project.definitions",
            "-j",
            "evaluate_classifier",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with dagster_ui():
        for name, (path, width, height) in PAGES.items():
            take(chromium, f"http://127.0.0.1:{PORT}{path.format(run=last_run())}", DOCS / name, width, height)
            print(DOCS / name)


@contextmanager
def dagster_ui() -> Iterator[None]:
    """The UI as `b2chat ui` opens it, loaded."""
    command = [BIN / "b2chat", "ui", "--port", str(PORT)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 180
        while not is_ready():
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit("the Dagster UI did not start: try `b2chat ui`")
            time.sleep(1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def ask(query: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


def last_run() -> str:
    """The newest run of the main job."""
    return str(ask(RUN)["runsOrError"]["results"][0]["runId"])


def is_ready() -> bool:
    try:
        entries = ask(READY)["workspaceOrError"]["locationEntries"]
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
    return all(
        entry["loadStatus"] == "LOADED" and entry["locationOrLoadError"]["__typename"] == "RepositoryLocation"
        for entry in entries
    )


def take(chromium: str, url: str, target: Path, width: int, height: int) -> None:
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--hide-scrollbars",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                "--virtual-time-budget=30000",
                f"--screenshot={target}",
                url,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=180,
        )


if __name__ == "__main__":
    main()
