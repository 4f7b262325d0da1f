"""A real Pushgateway of the tests' own."""

import re
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from operations_tools import tool


class Pushgateway:
    def __init__(self, url: str) -> None:
        self.url = url

    def metrics(self, trusted: ssl.SSLContext | None = None) -> str:
        """What Prometheus would get."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30, context=trusted) as answer:
            return answer.read().decode()


@contextmanager
def running_pushgateway(*flags: str, scheme: str = "http") -> Iterator[Pushgateway]:
    """A server that ends with the block."""
    command = [tool("pushgateway"), "--web.listen-address=127.0.0.1:0", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if found := re.search(r'msg="Listening on" address=(\S+)', line):
                    yield Pushgateway(f"{scheme}://{found[1]}")
                    return
            raise AssertionError("the Pushgateway did not start")
        finally:
            process.terminate()
            process.wait(30)
