"""A line to the server that can be cut where it hurts: between a COMMIT and its answer, or before the COMMIT arrives."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread

CUTS = {"answer": "to the client", "commit": "to the server"}
"""Which way what is lost was going: the answer says COMMIT, too."""


class Proxy:
    """Forwards connections to a port of loopback; `cut` says what happens to the next COMMIT: "answer", "commit", or nothing (None).

    `meanwhile` is done at the cut, before anybody can call again.
    """

    def __init__(self, port: int) -> None:
        self.behind = port
        self.cut: str | None = None
        self.cuts = 0
        self.meanwhile: Callable[[], object] = int
        self.closed = False
        self.gate = Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listening.getsockname()[1])
        Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Take one connection after the other until the proxy is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                if self.closed:
                    client.close()
                    continue
                with self.gate:
                    server = socket.create_connection(("127.0.0.1", self.behind))
                for which, source, target in (("to the server", client, server), ("to the client", server, client)):
                    Thread(target=self.forward, args=(which, source, target), daemon=True).start()

    def forward(self, which: str, source: socket.socket, target: socket.socket) -> None:
        """Pass bytes on until either end hangs up."""
        with suppress(OSError):
            while sent := source.recv(1 << 16):
                if b"COMMIT" in sent and CUTS.get(str(self.cut)) == which:
                    self.cut = None
                    self.cuts += 1
                    with self.gate:
                        self.meanwhile()
                    break
                target.sendall(sent)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        """Hang up on whoever calls from now on."""
        self.closed = True


class Hole:
    """Forwards connections to a port of loopback until it is shut: then it takes what it is given, passes nothing on, and hangs up on no one.

    `after` says after how many messages to the server it shuts itself; None leaves that to `shut`. `passed` counts the messages.
    """

    def __init__(self, port: int, after: int | None = None) -> None:
        self.behind, self.after = port, after
        self.passed, self.shut = 0, False
        self.open: list[socket.socket] = []
        self.counting = Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listening.getsockname()[1])
        Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Take one connection after the other; once it is shut, nothing is behind them."""
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                server = socket.create_connection(("127.0.0.1", self.behind))
                self.open += [client, server]
                for source, target in ((client, server), (server, client)):
                    Thread(target=self.forward, args=(source, target, source is client), daemon=True).start()

    def forward(self, source: socket.socket, target: socket.socket, there: bool) -> None:  # its thread's argument
        """Pass bytes on until either end hangs up, or the hole is shut."""
        with suppress(OSError):
            while sent := source.recv(1 << 16):
                with self.counting:
                    self.shut = self.shut or (there and self.passed == self.after)
                    self.passed += there
                if not self.shut:
                    target.sendall(sent)
            if not self.shut:
                target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up on everybody."""
        for each in (self.listening, *self.open):
            with suppress(OSError):
                each.close()
