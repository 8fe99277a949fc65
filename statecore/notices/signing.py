"""Signatures of webhooks as Standard Webhooks has them, and the check for those who receive them (NOTE-5).

Signed are the id, the time and the body, with HMAC-SHA256 under a secret that both sides know. `Receiver.check` refuses a delivery with
another signature, one that is older or newer than five minutes, and one whose id it has accepted before.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from json import loads
from threading import Lock
from typing import Any

from attrs import define, field

from statecore.core import Seconds
from statecore.errors import ForgedNotice, UnsafeNotice

PREFIX = "whsec_"
SHORTEST = 24
"""The fewest bytes of a secret."""
TOLERANCE: Seconds = 300.0
KEPT = 100_000


def key_of(secret: str) -> bytes:
    """The key of a secret: Base64 after `whsec_`, else the text itself. Raises `UnsafeNotice` for a short one."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else secret.encode()
    except ValueError:
        key = b""
    if len(key) < SHORTEST:
        why = f"the secret of a webhook has fewer than {SHORTEST} bytes, or is no Base64 behind {PREFIX}"
        raise UnsafeNotice(why, "Make one: whsec_ and the Base64 of 32 random bytes.")
    return key


def sign(key: bytes, id_: str, at: int, body: bytes) -> str:
    """The signature of a delivery, as its header has it."""
    return "v1," + b64encode(hmac.new(key, f"{id_}.{at}.".encode() + body, sha256).digest()).decode()


def signed(key: bytes, id_: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a delivery."""
    return {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": sign(key, id_, at, body)}


@define
class Receiver:
    """The check of deliveries for whoever serves the address of a webhook.

    Example: `receiver = Receiver(secret)`, then `receiver.check(request.headers, body)` for each request.
    """

    key: bytes = field(converter=key_of, repr=False)
    clock: Callable[[], Seconds] = time.time
    _seen: dict[str, Seconds] = field(factory=dict, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def check(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The notice of a delivery. Raises `ForgedNotice`; where its `known` is set the id came before: answer 2xx, and do nothing.

        An id is known for as long as its signature could be sent again; a receiver that must never act twice keeps ids itself.
        """
        told = {name.lower(): value for name, value in headers.items()}
        id_, at, given = (told.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        now = self.clock()
        if not (id_ and at.isascii() and at.isdecimal() and len(at) < 16):  # noqa: PLR2004  # digits of a time
            why = "it has no id or no time"
            raise ForgedNotice(why)
        wanted = sign(self.key, id_, int(at), body).encode()
        if not any(hmac.compare_digest(wanted, each.encode("utf-8", "surrogatepass")) for each in given.split(" ")):
            why = "its signature is not that of this secret"
            raise ForgedNotice(why)
        if abs(now - int(at)) > TOLERANCE:
            why = "its time is more than five minutes away"
            raise ForgedNotice(why)
        self._note(id_, now)
        found: dict[str, Any] = loads(body)
        return found

    def _note(self, id_: str, now: Seconds) -> None:
        """Remember an id. Raises `ForgedNotice` for a known one."""
        with self._lock:
            for old in [each for each, until in self._seen.items() if until < now]:
                del self._seen[old]
            if id_ in self._seen:
                why = "its id came before"
                raise ForgedNotice(why, known=True)
            self._seen[id_] = now + 2 * TOLERANCE
            if len(self._seen) > KEPT:
                del self._seen[next(iter(self._seen))]
