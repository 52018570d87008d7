"""A headless Chromium, driven over its own protocol: what a page shows, says, asks for and complains of."""

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_START_SECONDS = 30


class Browser:
    """One tab. `complaints` are messages of the console and errors, `asked` the addresses that pages asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self._loaded = False
        self.complaints: list[str] = []
        self.asked: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **parameters: Any) -> Any:
        """Send a command of the protocol, and wait for its answer."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, address: str) -> None:
        """Open a page, and wait until it is there."""
        self._loaded = False
        self.do("Page.navigate", url=address)
        self.wait()

    def wait(self) -> None:
        """Wait until the page that is being opened is there."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._loaded:
            assert time.monotonic() < deadline
            self._next()

    def follow(self, script: str) -> None:
        """Do something that leads to another page."""
        self._loaded = False
        self.tell(script)
        self.wait()

    def tell(self, script: str) -> Any:
        """The value of an expression in the page; the page's own policy does not hold for it."""
        told = self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def look(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """The size of the window, and whether its reader likes it dark."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self) -> bytes:
        """The window as a PNG."""
        return base64.b64decode(self.do("Page.captureScreenshot")["data"])

    def _next(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self._socket.recv(timeout=_START_SECONDS))
        method, parameters = event.get("method", ""), event.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.asked.append(parameters["request"]["url"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(parameters))
        return event


def program() -> str | None:
    """Chromium, where the machine has it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser while this lasts."""
    chromium = program()
    assert chromium
    with tempfile.TemporaryDirectory(prefix="b2chat-browser-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [
                *(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                *("--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0", f"--user-data-dir={folder}"),
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with connect(_tab(Path(folder)), max_size=None, open_timeout=_START_SECONDS) as socket:
                yield Browser(socket)
        finally:
            process.terminate()
            process.wait(20)


def _tab(folder: Path) -> str:
    """The address of the tab, as soon as there is one."""
    import httpx

    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, IndexError, httpx.HTTPError):  # the file may still be empty
            port = (folder / "DevToolsActivePort").read_text().split()[0]
            tabs = httpx.get(f"http://127.0.0.1:{port}/json/list").json()
            if found := [tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"]:
                return str(found[0])
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")
