"""The hashes of a tombstone and of an order to erase. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.stores.frames.chain import ERASURE, TOMBSTONE
from statecore.stores.sql3.questions import committed

if TYPE_CHECKING:
    from statecore.core import Micros

PURGE = "purge"
"""The text of an order that is a purge of which rows are left."""


class Tomb(NamedTuple):
    """The rest of a purged run, but for the person who purged it."""

    run_id: str
    workflow_id: str
    identity: bytes
    phase: str
    number: int
    head: bytes
    created_us: Micros
    ended_us: Micros
    purged_us: Micros


def tombstone_digest(tomb: Tomb, by: bytes | None) -> bytes:
    """The digest of a tombstone; `by` is the commitment to the person."""
    return TOMBSTONE.digest(**tomb._asdict(), by=by)


def tombstone_by(salt: bytes | None, by: str | bytes | None) -> bytes | None:
    """The commitment to the person who purged a run. Raises `UnreadableValue` where the salt is missing."""
    return committed(salt, "tombstone.by", by)


def erasure_digest(run_id: str, what: str, by: bytes | None, reason: bytes | None, time: Micros) -> bytes:
    """The digest of an order; `by` and `reason` are commitments."""
    return ERASURE.digest(run_id=run_id, what=what, by=by, reason=reason, time_us=time)


def erasure_bodies(salt: bytes | None, by: str | bytes | None, reason: str | bytes | None) -> tuple[bytes | None, bytes | None]:
    """The commitments to the person who ordered an erasure, and to the reason. Raises `UnreadableValue` where the salt is missing."""
    return committed(salt, "erasure.by", by), committed(salt, "erasure.reason", reason)
