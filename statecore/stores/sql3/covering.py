"""Bodies on their way into rows and back: in plain beside the salt of the row, or each enciphered with the salt of its slot (P29)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from statecore.stores.frames.framing import SALT_BYTES, enclosed, row_commitment, salts_of, slot_salt

from .ciphers import Enclosed, keys_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statecore.stores.sql.link import Link

    from .ciphers import Keys

RUN_SLOTS = ("run.requester", "run.input", "run.additional", "run.metadata")
SEARCHED = ("run.session", "run.user")
"""The slots of a run that are searched by SQL, and so lie in clear; their salts go with the run's metadata."""


class Covered(NamedTuple):
    """Bodies as columns: what lies in the row, the commitments beside them, and the salt."""

    bodies: tuple[bytes | None, ...]
    kept: tuple[bytes | None, ...]
    salt: bytes | None


def covered(connection: Link, salt: bytes | None, slots: Sequence[str], bodies: Sequence[bytes | None]) -> Covered:
    """The columns of some bodies. `salt` is that of the row, 16 bytes; with a cipher it is not stored, for an enciphered body holds its own."""
    keys = keys_of(connection)
    if keys.cipher is None or salt is None or all(body is None for body in bodies):
        return Covered(tuple(bodies), (None,) * len(bodies), salt)
    made = [None if body is None else enciphered(keys, salt, slot, body) for slot, body in zip(slots, bodies, strict=True)]
    kept = [None if body is None else row_commitment(salt, slot, body) for slot, body in zip(slots, bodies, strict=True)]
    return Covered(tuple(made), tuple(kept), None)


def enciphered(keys: Keys, salt: bytes, slot: str, body: bytes, more: bytes = b"") -> bytes:
    """One body with the salt of its slot, which is derived from the row's."""
    return keys.enciphered(enclosed(slot_salt(salt, slot) or b"", more + body))


def covered_run(connection: Link, salt: bytes, bodies: Sequence[bytes | None], searched: Sequence[str | None]) -> Covered:
    """The bodies of a run in the order of `RUN_SLOTS`; the commitments are followed by those of its session and its user."""
    keys = keys_of(connection)
    found = covered(connection, salt, RUN_SLOTS, bodies)
    if keys.cipher is None:
        return found._replace(kept=(*found.kept, None, None))
    more = b"".join(slot_salt(salt, slot) or b"" for slot in SEARCHED)
    metadata = enciphered(keys, salt, RUN_SLOTS[-1], bodies[-1] or b"", more)
    texts = zip(SEARCHED, searched, strict=True)
    kept = [None if text is None else row_commitment(salt, slot, text.encode()) for slot, text in texts]
    return Covered((*found.bodies[:-1], metadata), (*found.kept, *kept), None)


# -- back --------------------------------------------------------------------------------------------------------------------------


def salts_in(salt: Any, bodies: Mapping[str, Any]) -> Any:
    """The salts of a row: what it keeps, or what was enciphered together with its bodies, which are given by slot."""
    if salt is not None:
        return salt
    return salts_of({(slot, 0): body.salt for slot, body in bodies.items() if isinstance(body, Enclosed)})


def uncovered_run(salt: Any, bodies: Mapping[str, Any]) -> tuple[Any, Any]:
    """The salts of a run, and its metadata without those of its session and its user."""
    metadata = bodies["run.metadata"]
    if not isinstance(metadata, Enclosed):
        return salts_in(salt, bodies), metadata
    ends = [metadata[n : n + SALT_BYTES] for n in range(0, len(SEARCHED) * SALT_BYTES, SALT_BYTES)]
    own = {(slot, 0): body.salt for slot, body in bodies.items() if isinstance(body, Enclosed)}
    text = metadata[len(SEARCHED) * SALT_BYTES :]
    return salts_of(own | {(slot, 0): end for slot, end in zip(SEARCHED, ends, strict=True)}), text
