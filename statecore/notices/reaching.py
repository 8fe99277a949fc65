"""A POST that goes where its address says, and to no private network: the name is resolved once, judged, and connected to as it was judged.

A redirect is not followed: its place would have to be judged again, and a receiver has one address.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from statecore.core import Seconds
from statecore.errors import UnsafeNotice

TIMEOUT: Seconds = 10.0
OK = range(200, 300)
LOCAL = ("127.0.0.1", "::1", "localhost")


def checked(url: str) -> SplitResult:
    """The parts of an address. Raises `UnsafeNotice` for http to anything but this machine, and for a user or a password in it."""
    try:
        parts = urlsplit(url)
        fine = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine or parts.scheme not in ("https", "http") or any(each <= " " or each == "\x7f" for each in url):
        why = "the address of a webhook is no URL with https"
        raise UnsafeNotice(why, "Write e.g. https://ops.example/hook.")
    if parts.username is not None or parts.password is not None:
        why = "the address of a webhook holds a user or a password, which logs would show"
        raise UnsafeNotice(why, "The signature says from whom it comes; leave them out.")
    if parts.scheme == "http" and parts.hostname not in LOCAL:
        why = "the address of a webhook is http, and not on this machine"
        raise UnsafeNotice(why, "Use https.")
    return parts


def judged(host: str, port: int, *, private: bool) -> tuple[Any, ...]:
    """The one address of a name to connect to. Raises `UnsafeNotice` where any of its addresses is private and none may be, and `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    bad = [each for each in found if not ip_address(each[4][0].split("%")[0]).is_global]  # type: ignore[union-attr]  # a text
    if bad and not private:
        why = "the name of a webhook's host is that of a private address"
        raise UnsafeNotice(why, "Give Webhook(..., private=True) where that is meant.")
    return found[0]


def post(url: str, headers: Mapping[str, str], body: bytes, *, private: bool = False, timeout: Seconds = TIMEOUT) -> int:
    """Send a body; the status of the answer. Raises `UnsafeNotice`, and `OSError` or `HTTPException` where there is no answer."""
    parts = checked(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    family, kind, proto, _, address = judged(host, port, private=private or (parts.scheme == "http" and host in LOCAL))
    connection: HTTPConnection = HTTPSConnection(host, port) if parts.scheme == "https" else HTTPConnection(host, port)
    sock = socket.socket(family, kind, proto)
    try:
        sock.settimeout(timeout)
        sock.connect(address)
        if parts.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection.sock = sock
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
        sock.close()
