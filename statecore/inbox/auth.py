"""The person or program that asks, as it was authenticated. Nothing in a body or an address says who decides.

`TrustedHeader` believes a proxy, `Declared` the person who started the command on this machine. An application may give its own: an object
with `ambient` and `person(request)`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from hashlib import sha256
from ipaddress import ip_address, ip_network
from threading import Lock
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import define, field, frozen

from statecore.core import Seconds
from statecore.errors import DefinitionError, UnsafeInbox

from .seeing import Person

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

HOURS = 12
"""So long a session lasts (INBOX-10)."""
SESSIONS = 1_000
"""So many sessions are open at once; the oldest one ends for a new one."""
LOCAL = ("127.0.0.1", "::1")


@runtime_checkable
class Auth(Protocol):
    """A way to authenticate a request; `ambient` says that a browser sends its proof by itself, so that a decision must come from our page."""

    @property
    def ambient(self) -> bool:
        """Whether a browser sends the proof by itself."""

    def person(self, request: HTTPConnection) -> Person | None:
        """The person who sent a request; None where it does not say."""


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Some texts as they are, one text as the only one."""
    return (given,) if isinstance(given, str) else tuple(given)


@frozen
class TrustedHeader:
    """The name of the person in a header that a proxy sets, and its roles in another, between commas.

    The headers count from the addresses of `proxies` alone (addresses or networks), and where they come once. The proxy has to remove them
    from what it is sent. Raises `UnsafeInbox` for a proxy that is no address.

    Example: `app(db, auth=TrustedHeader("X-Forwarded-User", roles="X-Forwarded-Groups"))`
    """

    user: str = "X-Forwarded-User"
    roles: str | None = None
    proxies: tuple[str, ...] = field(default=LOCAL, converter=texts)
    ambient: bool = field(default=True, init=False)

    @proxies.validator
    def _are_addresses(self, _: object, proxies: tuple[str, ...]) -> None:
        for each in proxies:
            try:
                ip_network(each)
            except ValueError:
                why = f"{each!r} in proxies is no address and no network"
                raise UnsafeInbox(why, "Write e.g. proxies=('10.0.0.0/8',).") from None

    def person(self, request: HTTPConnection) -> Person | None:
        """The person whom the proxy names; None from any other address, and where a header comes twice."""
        if not is_from(request, self.proxies):
            return None
        names = request.headers.getlist(self.user)
        roles = request.headers.getlist(self.roles) if self.roles is not None else []
        if len(names) != 1 or len(roles) > 1 or not names[0].strip():
            return None
        said = (role.strip() for role in ",".join(roles).split(","))
        try:
            return Person(text_of(names[0].strip()), "header", frozenset(text_of(role) for role in said if role))
        except DefinitionError:  # no name of a person, e.g. one that begins like a role's
            return None


@define
class SignedIn:
    """The open sessions of one process: of each the hash of its secret, the person and its end. They end after 12 hours and at log-out."""

    clock: Callable[[], Seconds]
    held: dict[str, tuple[Person, Seconds]] = field(factory=dict)
    lock: Lock = field(factory=Lock, repr=False)

    def begin(self, person: Person) -> str:
        """Open a session; its secret, for the cookie."""
        secret = secrets.token_urlsafe(32)
        with self.lock:
            self.held[hashed(secret)] = (person, self.clock() + HOURS * 3_600)
            if len(self.held) > SESSIONS:
                del self.held[next(iter(self.held))]
        return secret

    def person(self, secret: str | None) -> Person | None:
        """The person of a session that has not ended."""
        found = self.held.get(hashed(secret)) if secret else None
        return found[0] if found is not None and self.clock() < found[1] else None

    def end(self, secret: str | None) -> None:
        """End a session."""
        with self.lock:
            self.held.pop(hashed(secret or ""), None)


@define
class Declared:
    """The person who started the command on this machine, with roles as declared: nothing checks them, and each page says so.

    Only this machine is served. The link that the command prints has a token; a button exchanges it for a session, once.

    Example: `app(db, auth=Declared("bob", roles=["support"]))`
    """

    name: str
    roles: Iterable[str] = ()
    token: str | None = field(factory=lambda: secrets.token_urlsafe(24), repr=False)
    ambient: bool = field(default=True, init=False)
    sessions: SignedIn | None = field(default=None, init=False, repr=False)
    lock: Lock = field(factory=Lock, init=False, repr=False)

    @property
    def declared(self) -> Person:
        """The person as it was declared."""
        return Person(self.name, "declared", frozenset(self.roles))

    def person(self, request: HTTPConnection) -> Person | None:
        """The person of the session that the request's cookie names, on this machine and under its own name."""
        if not is_from(request, LOCAL) or self.sessions is None or request.url.hostname not in (*LOCAL, "localhost"):
            return None
        return self.sessions.person(request.cookies.get(cookie_name(request)))

    def exchange(self, token: str) -> Person | None:
        """The person, for the token of the link; it is used up. None for another one, and the second time."""
        with self.lock:
            if self.token is None or not secrets.compare_digest(self.token.encode(), token.encode()):
                return None
            self.token = None
            return self.declared


def is_from(request: HTTPConnection, places: Iterable[str]) -> bool:
    """Whether a request comes from one of some addresses or networks."""
    try:
        address = ip_address(request.client.host if request.client is not None else "")
    except ValueError:
        return False
    return any(address in ip_network(each) for each in places)


def text_of(header: str) -> str:
    """A header's text: UTF-8 where it is such, else as it is."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def hashed(secret: str) -> str:
    """The hash under which a secret is held."""
    return sha256(secret.encode()).hexdigest()


def cookie_name(request: HTTPConnection) -> str:
    """The name of the session's cookie: bound to the host where the connection is secure."""
    return "__Host-statecore" if request.url.scheme in ("https", "wss") else "statecore"
