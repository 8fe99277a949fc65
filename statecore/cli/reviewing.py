"""`inbox`: the web pages where people decide, served for one person on this machine, or for many behind a proxy that signs them in."""

from __future__ import annotations

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

    auth = Declared(name, roles) if user_header is None else TrustedHeader(user_header, roles_header, proxies or LOCAL)
    served(
        inbox(db).db,
        auth,
        title,
        (host, port),
        lambda link: click.echo(f"Open this link in a browser; it works once:\n\n    {link}\n"),
    )
    return exits.FINE


def import_extra() -> None:
    """Raise `MissingExtra` where the packages of the inbox are not installed."""
    load("statecore inbox", "statecore.inbox.serving", "serve", INBOX)


def served(db: RunReader, auth: Any, title: str, place: tuple[str, int], ready: Callable[[str], None]) -> None:
    """Serve the inbox until the process is told to stop. Raises `click.UsageError` where the port is taken."""
    from statecore.inbox.serving import serve  # noqa: PLC0415  # an extra

    try:
        serve(db, auth, title, place, ready)
    except OSError as error:
        message = f"The inbox cannot listen at {clean(place[0])}:{place[1]}: {error.strerror or error}. Name another --port."
        raise click.UsageError(message) from error
    except KeyboardInterrupt:
        click.echo("Stopped.")
