"""The probes of a worker: `/metrics`, `/healthz` and `/readyz`, by HTTP on one port.

`/healthz` says that the process answers; `/readyz` that each store answers within a second and has a format of this release. Neither says
anything else, and nothing here takes a log-in: the port is on the loopback interface, unless an operator names another one.
"""

from __future__ import annotations

from concurrent.futures import TimeoutError as Late
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

from statecore.errors import UnknownRun
from statecore.runtime.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Seconds

    from .metrics import Metrics

LOOPBACK = "127.0.0.1"
LAST_PORT = 65_535
TEXT = "text/plain; version=0.0.4; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
PATIENCE = 1.0
"""For how many seconds a store may be asked before its worker is not ready."""


class Probes:
    """An HTTP server on a thread, from its making until `close`. `port` 0 takes a free one; raises `OSError` where the port is taken."""

    metrics: Metrics
    patience: Seconds
    is_stopping: Callable[[], bool]

    def __init__(
        self, metrics: Metrics, host: str, port: int, patience: Seconds = PATIENCE, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.metrics, self.patience, self.is_stopping = metrics, patience, is_stopping
        self._asking = Hands("statecore-probe", 8)
        self._server = Server((host, port), self.answers())
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="statecore-probes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answers(self) -> type[Prober]:
        """The handler of requests."""

        class Answers(Prober):
            """The answers of these probes."""

            paths: ClassVar = {"/metrics": self.figures, "/healthz": healthy, "/readyz": self.ready}

        return Answers

    def figures(self) -> tuple[int, str, str]:
        """The metrics."""
        return 200, TEXT, self.metrics.text()

    def ready(self) -> tuple[int, str, str]:
        """Whether each store answers in time."""
        if self.is_stopping():
            return 503, PLAIN, "stopping\n"
        stores = {id(workflow.db): workflow.db for workflow in self.metrics.workflows}
        asked = [self._asking.submit(answers, store) for store in stores.values()]
        try:
            ready = all(each.result(self.patience) for each in asked)
        except Late:
            ready = False
        return (200, PLAIN, "ready\n") if ready else (503, PLAIN, "not ready\n")


def address(text: str) -> tuple[str, int] | None:
    """The host and the port of `[HOST:]PORT`, loopback without a host; None for another text."""
    host, colon, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) <= LAST_PORT) or (colon and not host) or ":" in host:
        return None
    return host or LOOPBACK, int(port)


def healthy() -> tuple[int, str, str]:
    """The process answers."""
    return 200, PLAIN, "ok\n"


def answers(store: Any) -> bool:
    """Whether a store answers, and has a format that this release reads."""
    try:
        store.load("")
    except UnknownRun:
        return True
    except Exception:  # noqa: BLE001  # whatever it says, it is not ready
        return False
    return True


class Server(ThreadingHTTPServer):
    """A server whose threads end with the process."""

    daemon_threads = True


class Prober(BaseHTTPRequestHandler):
    """The answer to a GET of a known path; nothing is written to the terminal."""

    paths: ClassVar[dict[str, Callable[[], tuple[int, str, str]]]] = {}
    timeout: ClassVar[float | None] = 10

    def do_GET(self) -> None:
        """Answer."""
        answer = self.paths.get(self.path.partition("?")[0])
        status, kind, text = answer() if answer is not None else (404, PLAIN, "not found\n")
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
