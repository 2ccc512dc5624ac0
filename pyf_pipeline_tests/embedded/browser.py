"""A headless Chromium to do in a page what people do, over the protocol of its developer tools.

The protocol: https://chromedevtools.github.io/devtools-protocol/
"""

import contextlib
import itertools
import json
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-quic",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_SECONDS = 30.0

KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "Space": (32, " ")}


def dom(address: str) -> str:
    """What a browser makes of an address, once all has come to rest."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, "--virtual-time-budget=10000", "--dump-dom", address]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


class Browser:
    """A browser with one page; to be used in a `with`.

    Args:
        folder: An empty folder for what it remembers.
    """

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        self._process = subprocess.Popen(
            [CHROMIUM, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._numbers = itertools.count(1)
        with contextlib.ExitStack() as begun:
            begun.callback(self._end)
            self._socket = begun.enter_context(self._connection(folder / "DevToolsActivePort"))
            # Until here a browser that cannot be spoken to is ended; from here on `__exit__` does that.
            self._closing = begun.pop_all()

    def _connection(self, told: Path) -> ClientConnection:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (told.is_file() and told.read_text().count("\n")):
            assert self._process.poll() is None, "Chromium has ended"
            assert time.monotonic() < deadline, "Chromium has not said where it listens"
            time.sleep(0.02)
        port = told.read_text().partition("\n")[0]
        (page,) = [t for t in httpx.get(f"http://127.0.0.1:{port}/json").json() if t["type"] == "page"]
        return connect(page["webSocketDebuggerUrl"], max_size=None)

    def __enter__(self) -> Self:
        """Gives itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends the browser."""
        self._closing.close()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command of the protocol."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE_SECONDS))
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def value(self, script: str) -> Any:
        """What an expression is in the page."""
        answer = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, (script, answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Waits until an expression is true in the page."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.value(script):
            assert time.monotonic() < deadline, f"not so in the page: {script}"
            time.sleep(0.02)

    def open(self, address: str, script: str) -> None:
        """Goes to an address and waits until an expression is true there."""
        self.command("Page.navigate", url=address)
        self.until(f"location.href === {json.dumps(address)} && document.readyState === 'complete' && ({script})")

    def press(self, key: str) -> None:
        """Presses a key and lets go of it."""
        code, text = KEYS[key]
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.command("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.command("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Writes where the focus is."""
        self.command("Input.insertText", text=text)
