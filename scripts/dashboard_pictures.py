"""Take the pictures of docs/dashboard.md, after `make demo`: `python -m scripts.dashboard_pictures`; needs Chromium."""

import contextlib
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.support.browser import browser, program

ROOT = Path(__file__).resolve().parent.parent
DOCS, PORT = ROOT / "docs", 3778
# File, page, width, height, dark.
PICTURES = (
    ("dashboard-overview.png", "es/overview", 1280, 1060, False),
    ("dashboard-heatmap.png", "en/heatmap?direction=all", 1280, 1010, False),
    ("dashboard-coverage.png", "es/coverage", 1280, 960, False),
    ("dashboard-agents.png", "es/agents", 1280, 860, True),
    ("dashboard-narrow.png", "es/overview", 390, 844, True),
)


def main() -> None:
    if not program():
        sys.exit("the pictures need Chromium on the PATH")
    served = [Path(sys.executable).with_name("b2chat"), "dashboard", "serve", "--port", str(PORT)]
    with subprocess.Popen(served, stdout=subprocess.DEVNULL) as process:
        try:
            _wait()
            with browser() as tab:
                for name, path, width, height, dark in PICTURES:
                    tab.look(width, height, dark=dark)
                    tab.open(f"http://127.0.0.1:{PORT}/{path}")
                    (DOCS / name).write_bytes(tab.picture())
                    print(DOCS / name)
        finally:
            process.terminate()


def _wait() -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz").close()
            return
        time.sleep(0.2)
    sys.exit("the dashboard did not start")


if __name__ == "__main__":
    main()
