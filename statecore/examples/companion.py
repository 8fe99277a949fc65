"""The companion of an analysed file: what its columns mean and which words say little, served over HTTP on this machine only.

The server answers 503 to the first attempts of every run. A client says in a header which attempt it is at, so the server keeps no
count: it behaves the same after it was killed and started again, at another port. Its address is never stored with a run: whoever starts
a server publishes the address in the environment of its process, and a step looks there at the moment it calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps, loads
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

URL = "STATECORE_COMPANION_URL"
"""The environment variable in which the server's address is published."""

ATTEMPT = "Attempt"
FAIL_TIMES = 1
PATIENCE = 10.0
"""Seconds that a client waits for an answer."""

STOPWORDS = """
a about all also am an and any are as at be been but by can did do for from had has have he her his how i if in into
is it its me more my no not of on or our out she so some than that the their them then there these they this to up us
was we were what when which who will with would you your
"""
CONTENT: dict[str, Any] = {
    "source": "the companion server",
    "columns": {
        "temperature_c": "air temperature at noon, degrees Celsius",
        "rain_mm": "rain since the day before, millimetres",
        "wind_ms": "mean wind speed, metres per second",
    },
    "stopwords": STOPWORDS.split(),
}


class CompanionUnavailable(ConnectionError):
    """The server did not give the companion."""


class Companion(BaseHTTPRequestHandler):
    """One request: 503 while the client's attempt is among the first `fail_times`, the companion afterwards."""

    fail_times = FAIL_TIMES

    def do_GET(self) -> None:
        """Answer with the companion, or with the excuse of a busy server."""
        attempt = self.headers.get(ATTEMPT, "0")
        if attempt.isdigit() and int(attempt) < self.fail_times:
            self.answer(503, {"why": "warming up, try again"})
        else:
            self.answer(200, CONTENT)

    def answer(self, status: int, content: dict[str, Any]) -> None:
        """Send a status and a JSON body."""
        body = dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Nothing is printed: the terminal belongs to the person who is asked."""


@contextmanager
def serving(fail_times: int = FAIL_TIMES) -> Iterator[str]:
    """Serve the companion while the block runs, at a free port of 127.0.0.1; the address is published, and yielded."""
    answering = type("Answering", (Companion,), {"fail_times": fail_times})
    before = os.environ.get(URL)
    with ThreadingHTTPServer(("127.0.0.1", 0), answering) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        os.environ[URL] = url = f"http://127.0.0.1:{server.server_port}/companion.json"
        try:
            yield url
        finally:
            os.environ.pop(URL)
            if before is not None:
                os.environ[URL] = before
            server.shutdown()


@contextmanager
def at_hand() -> Iterator[str]:
    """The published address; where nobody has published one, a server of our own while the block runs."""
    published = os.environ.get(URL)
    if published:
        yield published
    else:
        with serving() as url:
            yield url


def fetch(attempt: int) -> dict[str, Any]:
    """The companion, asked for once. Raises `CompanionUnavailable` with the server's status and words."""
    with at_hand() as url:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=PATIENCE)
        try:
            connection.request("GET", parts.path, headers={ATTEMPT: str(attempt)})
            answer = connection.getresponse()
            body = answer.read().decode()
        finally:
            connection.close()
    if answer.status != 200:  # noqa: PLR2004  # HTTP's OK
        message = f"HTTP {answer.status} {answer.reason}: {loads(body).get('why')}"
        raise CompanionUnavailable(message)
    content: dict[str, Any] = loads(body)
    return content
