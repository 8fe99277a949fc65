"""`inbox`: the web pages where people decide, served for one person on this machine, or for many behind a proxy that signs them in."""

from __future__ import annotations

import socket
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import click

from statecore.asking.text import clean
from statecore.lazy import INBOX, load

from . import exits
from .person import login
from .stores import db_option, inbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores import RunReader

PORT = 8321
BACKLOG = 128
GRACE = 2
"""Seconds that a stopping server waits for open pages."""


@click.command("inbox")
@click.option("--as", "name", metavar="NAME", default=login, show_default="who is logged in", help="The name of the decider.")
@click.option(
    "--role", "roles", metavar="ROLE", multiple=True, help="A role of the decider, as declared. May be given several times."
)
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535), help="The port; 0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--title", default="statecore", show_default=True, help="The title of each page.")
@click.option("--user-header", metavar="NAME", help="The header in which a proxy names the person, e.g. X-Forwarded-User.")
@click.option("--roles-header", metavar="NAME", help="The header in which the proxy names the roles, between commas.")
@click.option(
    "--proxy", "proxies", metavar="ADDRESS", multiple=True, help="The address of the proxy, or its network. Default: this machine."
)
@db_option
def serve_inbox(  # noqa: PLR0913  # the options of the command, one by one
    name: str,
    roles: tuple[str, ...],
    port: int,
    host: str,
    title: str,
    user_header: str | None,
    roles_header: str | None,
    proxies: tuple[str, ...],
    db: str | None,
) -> int:
    """Serve the inbox: web pages where people decide.

    The printed link signs one person in, once, on this machine. With --user-header a proxy signs people in; without it the command
    refuses an address that other machines reach. The pages execute nothing: a worker continues the runs that were decided.
    """
    import_extra()
    from statecore.inbox.auth import LOCAL, Declared, TrustedHeader  # noqa: PLC0415  # an extra

    if user_header is None and not is_local(host):
        message = f"{clean(host)} is reached from other machines, and --as is checked by nothing. Give --user-header, or listen at 127.0.0.1."
        raise click.UsageError(message)
    auth = Declared(name, roles) if user_header is None else TrustedHeader(user_header, roles_header, proxies or LOCAL)
    serve(
        inbox(db).db,
        auth,
        title,
        (host, port),
        lambda link: click.echo(f"Open this link in a browser; it works once:\n\n    {link}\n"),
    )
    return exits.FINE


def import_extra() -> None:
    """Raise `MissingExtra` where the packages of the inbox are not installed."""
    load("statecore inbox", "statecore.inbox.app", "app", INBOX)
    load("statecore inbox", "uvicorn", "Server", INBOX)


def is_local(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(db: RunReader, auth: Any, title: str, place: tuple[str, int], ready: Callable[[str], None]) -> None:
    """Serve the inbox of a store until the process is told to stop. `ready` is given the link. Raises `click.UsageError` for a taken port."""
    import uvicorn  # noqa: PLC0415  # an extra

    from statecore.inbox.app import app  # noqa: PLC0415  # the same

    application = app(db, auth=auth, title=title)
    with closing(listening(*place)) as at:
        host, port = at.getsockname()[:2]
        token = getattr(auth, "token", None)
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{port}/" + (f"enter?token={token}" if token else ""))
        # forwarded headers are not believed: the address of a request is that of its connection
        config = uvicorn.Config(
            application, log_level="warning", proxy_headers=False, server_header=False, timeout_graceful_shutdown=GRACE
        )
        try:
            uvicorn.Server(config).run(sockets=[at])
        except KeyboardInterrupt:
            click.echo("Stopped.")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at an address. Raises `click.UsageError` where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    at = socket.socket(family, socket.SOCK_STREAM)
    try:
        at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        at.bind((host, port))
        at.listen(BACKLOG)
    except OSError as error:
        at.close()
        message = f"The inbox cannot listen at {clean(host)}:{port}: {error.strerror or error}. Name another --port."
        raise click.UsageError(message) from error
    return at
