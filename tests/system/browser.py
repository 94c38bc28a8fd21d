"""A headless Chromium, driven by the DevTools protocol."""

import base64
import json
import re
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

from http_client import Client
from process import Process
from websockets.sync.client import connect

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
AWAIT_S = 15


class Browser:
    """A browser with one page: `open(url)`, `run(script)`, `until(script)`; `errors` is what its console complained of."""

    def __init__(self, folder, width=1280, height=900):
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        assert program, f"none of {PROGRAMS} is there; as root, python3 tests/tools/install.py installs the first"
        # As root, and in containers, there is no sandbox to be had; the pages are ours.
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
        size = f"--window-size={width},{height}"
        command = [program, *options, size, f"--user-data-dir={folder}", "about:blank"]
        self._process = Process(command, r"DevTools listening on (ws://\S+)")
        port = re.search(r":(\d+)/", self._process.url).group(1)
        pages = Client(f"http://127.0.0.1:{port}")("GET", "/json/list").json
        page = next(page for page in pages if page["type"] == "page")
        self._ends = ExitStack()
        # What comes is read when something is asked: the protocol's own pings would wait for that.
        address = page["webSocketDebuggerUrl"]
        self._socket = self._ends.enter_context(connect(address, max_size=None, max_queue=None, ping_interval=None))
        self._calls = 0
        self.errors = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Calls a method of the protocol and returns its result; what comes meanwhile is looked at for complaints."""
        self._calls += 1
        self._socket.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=AWAIT_S))
            if message.get("id") == self._calls:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message):
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(parameters["exceptionDetails"])
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(parameters["entry"])
        elif message.get("method") == "Runtime.consoleAPICalled":
            self.errors.append(parameters["args"])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, script, await_s=AWAIT_S):
        """Waits until an expression is true, and returns its value."""
        end = time.monotonic() + await_s
        while time.monotonic() < end:
            value = self.run(script)
            if value:
                return value
            # The page has no event for what it has drawn.
            time.sleep(0.05)
        raise TimeoutError(f"{script} has not become true; the page says:\n{self.run('document.body.innerText')}")

    def look(self, width, height, is_dark=False):
        """Lays the page out anew, as on a screen of that size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path):
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(picture["data"]))

    def close(self):
        self.call("Browser.close")
        self._ends.close()
        self._process.stop()
