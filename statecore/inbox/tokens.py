"""Bearer tokens of programs: made, listed and ended by an operator; of each the SHA-256 is kept, and the token is shown once.

They lie in a file beside the store, which only its owner reads: scopes (`read`, `decide`, `audit`, `metrics`), an owner, an end. A wrong token
costs its address a growing delay: for so long each token from there is refused unseen.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from json import dumps, loads
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from attrs import asdict, define, evolve, field, frozen

from statecore.core import Seconds
from statecore.errors import BadRequest

from .seeing import Person

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

PREFIX = "sc_"
SCOPES = frozenset({"read", "decide", "audit", "metrics"})
OWNER_ONLY = 0o600
LONGEST_DELAY = 300.0
ADDRESSES = 10_000
"""The most addresses whose wrong tokens are remembered."""


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Any iterable of texts, in its order."""
    return tuple(given)


@frozen(kw_only=True)
class Token:
    """A token as it is kept: a short name, the hash, the scopes, the owner, and its beginning and end in seconds since 1970."""

    name: str
    sha256: str
    scopes: tuple[str, ...] = field(converter=texts)
    owner: str
    roles: tuple[str, ...] = field(default=(), converter=texts)
    made_at: Seconds
    ends_at: Seconds


@define
class TokenFile:
    """The tokens of a store, in a file; another process that changes it is seen at the next request."""

    path: Path = field(converter=Path)
    clock: Callable[[], Seconds] = time.time
    _lock: Lock = field(factory=Lock, repr=False, init=False)

    def tokens(self) -> list[Token]:
        """The tokens that were made, ended ones included, the oldest first."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [Token(**each) for each in loads(text)]

    def new(self, owner: str, scopes: Iterable[str], days: int, roles: Iterable[str] = ()) -> tuple[str, Token]:
        """Make a token, and return it with what is kept of it. Raises `BadRequest` for an unknown scope or an owner without a name."""
        wanted = tuple(sorted(set(scopes)))
        if not wanted or not set(wanted) <= SCOPES:
            raise BadRequest(400, f"the scopes of a token are some of {', '.join(sorted(SCOPES))}")
        if not owner.strip() or days <= 0:
            raise BadRequest(400, "a token has an owner, and ends in the future")
        secret = PREFIX + secrets.token_urlsafe(32)
        now = self.clock()
        name, ends = secrets.token_hex(4), now + days * 86_400
        made = Token(
            name=name, sha256=hashed(secret), scopes=wanted, owner=owner.strip(), roles=tuple(roles), made_at=now, ends_at=ends
        )
        with self._lock:
            self._write([*self.tokens(), made])
        return secret, made

    def end(self, name: str) -> bool:
        """End a token now; whether there was one that had not ended."""
        now = self.clock()
        with self._lock:
            every = self.tokens()
            ending = [each.name == name and each.ends_at > now for each in every]
            self._write([evolve(each, ends_at=now) if ends else each for each, ends in zip(every, ending, strict=True)])
        return any(ending)

    def find(self, secret: str) -> Person | None:
        """The person for whom a token speaks; None for an unknown token, or one that has ended."""
        wanted, now = hashed(secret), self.clock()
        found = [each for each in self.tokens() if secrets.compare_digest(each.sha256, wanted) and each.ends_at > now]
        if not found:
            return None
        return Person(found[0].owner, "token", frozenset(found[0].roles), {"scopes": list(found[0].scopes), "token": found[0].name})

    def _write(self, tokens: list[Token]) -> None:
        """Put another file in place of the former one, for its owner alone."""
        beside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(dumps([asdict(each) for each in tokens], indent=1))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


@define
class Patience:
    """The wrong tokens of each address: how many in a row, and until when its tokens are refused unseen."""

    clock: Callable[[], Seconds] = time.monotonic
    wrong: dict[str, tuple[int, Seconds]] = field(factory=dict)
    _lock: Lock = field(factory=Lock, repr=False, init=False)

    def is_waiting(self, address: str) -> bool:
        """Whether an address has to wait."""
        return self.clock() < self.wrong.get(address, (0, 0.0))[1]

    def told(self, address: str, *, right: bool) -> None:
        """Note how a token was: a right one is forgiven the others, each wrong one doubles the delay."""
        with self._lock:
            if right:
                self.wrong.pop(address, None)
                return
            times = min(self.wrong.pop(address, (0, 0.0))[0] + 1, 16)
            self.wrong[address] = times, self.clock() + min(2.0 ** (times - 1), LONGEST_DELAY)
            if len(self.wrong) > ADDRESSES:
                del self.wrong[next(iter(self.wrong))]


@define
class Bearer:
    """The way of programs to say who they are: `Authorization: Bearer sc_...`. No browser sends it by itself."""

    tokens: TokenFile
    patience: Patience = field(factory=Patience)
    ambient: bool = field(default=False, init=False)

    def person(self, request: HTTPConnection) -> Person | None:
        """The person for whom the token of a request speaks; None without a token, for a wrong one, and while the address has to wait."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            return None
        address = request.client.host if request.client is not None else ""
        if self.patience.is_waiting(address):
            return None
        found = self.tokens.find(secret.strip())
        self.patience.told(address, right=found is not None)
        return found


def hashed(secret: str) -> str:
    """The hash under which a token is kept: it has 256 random bits, so that a plain hash tells nothing."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def scopes_of(person: Person) -> frozenset[str]:
    """The scopes of a person: all but `metrics` of one who is signed in, those of the token for a program."""
    claimed: Any = person.claims.get("scopes") if person.via == "token" else None
    return SCOPES if claimed is None else frozenset(claimed)
