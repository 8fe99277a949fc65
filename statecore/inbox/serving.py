"""The inbox as a server of its own: one process, one socket, until it is told to stop."""

from __future__ import annotations

import socket
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn

from statecore.errors import UnsafeInbox

from .app import app
from .auth import Declared

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores import RunReader

    from .auth import Auth

BACKLOG = 128
GRACE = 2
"""Seconds that a stopping server waits for open pages."""


def is_local(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(db: RunReader, auth: Auth, title: str, place: tuple[str, int], ready: Callable[[str], None]) -> None:
    """Serve the inbox of a store until the process is told to stop. `ready` is given the link.

    Raises `UnsafeInbox` where a declared name would be served to other machines, and `OSError` for an address that cannot be listened at.
    """
    host, port = place
    if isinstance(auth, Declared) and not is_local(host):
        why = f"other machines reach {host}, and a declared name is checked by nothing"
        raise UnsafeInbox(why, "Listen at 127.0.0.1, or name the header in which a proxy tells who signed in.")
    application = app(db, auth=auth, title=title)
    with closing(listening(host, port)) as at:
        host, port = at.getsockname()[:2]
        token = auth.token if isinstance(auth, Declared) else None
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{port}/" + (f"enter?token={token}" if token else ""))
        # forwarded headers are not believed: the address of a request is that of its connection
        config = uvicorn.Config(
            application, log_level="warning", proxy_headers=False, server_header=False, timeout_graceful_shutdown=GRACE
        )
        uvicorn.Server(config).run(sockets=[at])


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at an address. Raises `OSError`."""
    at = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        at.bind((host, port))
        at.listen(BACKLOG)
    except OSError:
        at.close()
        raise
    return at
