"""A real browser without a window, told what to do over a pipe: no port, no driver, no package."""

import base64
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any

from program import REPOSITORY

# A browser that has just been installed reads a lot from the disk.
DEADLINE = 60.0


class Pipe:
    """Chrome's DevTools protocol: JSON with a zero byte behind it."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self.waiting = b""
        self.ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        request: dict[str, Any] = {"id": next(self.ids), "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.writing, json.dumps(request).encode() + b"\0")
        while True:
            message = self.receive(f"the answer to {method}")
            if message.get("id") == request["id"]:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, event: str) -> None:
        while not any(known.get("method") == event for known in self.events):
            self.events.append(self.receive(event))

    def receive(self, what: str) -> dict[str, Any]:
        end = time.monotonic() + DEADLINE
        while b"\0" not in self.waiting:
            ready, _, _ = select([self.reading], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self.reading, 1 << 16) if ready else b""
            if not chunk:
                raise AssertionError(f"the browser has ended or does not answer; waited for {what}")
            self.waiting += chunk
        message, _, self.waiting = self.waiting.partition(b"\0")
        return json.loads(message)


class Page:
    """An empty page until it is opened."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        target = pipe.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = pipe.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.pipe.call(method, self.session, **parameters)

    def look_at(self, file: Path, width: int, height: int, scheme: str) -> None:
        """Opens a file on a screen of this size, for somebody who likes it light or dark."""
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.pipe.events.clear()
        self.call("Page.navigate", url=file.as_uri())
        self.pipe.wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> bytes:
        """All of the page, not only what fits on the screen."""
        picture = base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
        return picture

    def requests(self) -> list[str]:
        """What the page has asked for since it was opened, itself included."""
        events = [event for event in self.pipe.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in events]

    def complaints(self) -> list[str]:
        """What the browser remarks: markup or policies that it refuses."""
        events = [event for event in self.pipe.events if event.get("method") == "Log.entryAdded"]
        return [event["params"]["entry"]["text"] for event in events]

    def roles(self) -> list[tuple[str, str]]:
        """Role and name of everything that somebody is told who cannot see the page."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        told = [node for node in nodes if not node.get("ignored")]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in told]


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page in a browser that ends with the block."""
    script = REPOSITORY / "scripts/install_browser.sh"
    browser = subprocess.run([script, "--path"], capture_output=True, check=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="project-browser-", ignore_cleanup_errors=True) as profile:
        (commands, to_browser), (from_browser, answers) = os.pipe(), os.pipe()
        flags = [
            "--headless",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "--no-first-run",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            # Containers mostly forbid what its own sandbox needs; it only ever sees our file.
            "--no-sandbox",
            # Whatever the page or the browser itself would look for in the network is not there.
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]
        # The protocol's file descriptors are 3 and 4.
        launch = ["bash", "-c", f'exec "$0" "$@" 3<&{commands} 4>&{answers}', browser, *flags]
        process = subprocess.Popen(launch, pass_fds=(commands, answers), stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        try:
            pipe = Pipe(from_browser, to_browser)
            yield Page(pipe)
            with suppress(AssertionError, BrokenPipeError):
                pipe.call("Browser.close")
                process.wait(10)
        finally:
            process.kill()
            process.wait()
            os.close(from_browser)
            os.close(to_browser)
