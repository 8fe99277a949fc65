"""Salts and commitments: how a text that may be erased enters a hash, so that nothing that is left tells what it was.

Each row has one salt of 16 random bytes; each slot of the row has a salt of its own, derived from it. A commitment is a SHA-256 over the slot,
its salt and its text, and only commitments enter other hashes. Erasing a slot drops its text and keeps its commitment; the row's salt is
replaced by the derived salts of the slots that stay, because the erased slot's salt could be derived from it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256

from .framing import frame, listed, number, refuse, utf8

SALT_BYTES = 16

SLOTS = frozenset(
    {
        *("run.session", "run.user", "run.requester", "run.input", "run.additional", "run.metadata"),
        *("event.by", "event.note", "event.value", "event.session"),
        *("pause.message", "pause.form", "pause.choices", "pause.names", "pause.shown", "pause.voter"),
        *("decision.by", "decision.login", "decision.answer", "decision.comment"),
        *("act.by", "act.login", "act.delegate", "act.answer", "act.comment"),
        *("cancel.by", "tombstone.by", "erasure.by", "erasure.reason"),
    }
)
"""Erasable bodies, by table and column. `event.session` and `pause.shown` are several, numbered from 0; of the others there is number 0."""

SEVERAL = frozenset({"event.session", "pause.shown"})

Place = tuple[str, int]
"""A slot and its number."""


def slot_salt(salts: bytes | None, slot: str, index: int = 0) -> bytes | None:
    """The salt of a slot, 16 bytes, from what a row keeps: its salt, or what an erasure left; None where the slot was erased.

    Raises `OutsideFormat` for an unknown slot, and for bytes that no row keeps.
    """
    parts = parts_of((slot, index))
    if salts is None:
        return None
    if len(salts) == SALT_BYTES:
        return sha256(frame("salt", salts, *parts)).digest()[:SALT_BYTES]
    return salts_kept(salts).get((slot, index))


def salts_left(salts: bytes | None, staying: Iterable[Place]) -> bytes | None:
    """The replacement of a row's salts when all of its slots but `staying` are erased: their derived salts; None where none stays.

    The slots that stay are ordered by name and number. Raises `OutsideFormat` where one of them has no salt any more.
    """
    parts: list[bytes | None] = []
    for place in sorted(set(staying)):
        salt = slot_salt(salts, *place)
        if salt is None:
            refuse(f"The salt of {place[0]} {place[1]}", "the slot was erased, so it cannot stay")
        parts += [*parts_of(place), salt]
    return listed(*parts) if parts else None


def salts_kept(salts: bytes) -> Mapping[Place, bytes]:
    """The salts that an erasure left, by slot. Raises `OutsideFormat` for bytes that `salts_left` does not write."""
    found: dict[Place, bytes] = {}
    parts = split(salts)
    for slot, index, salt in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        found[slot.decode("ascii", "replace"), int.from_bytes(index, "big")] = salt
    again = [part for place, salt in sorted(found.items()) if place[0] in SLOTS for part in (*parts_of(place), checked_salt(salt))]
    if not parts or listed(*again) != salts:
        refuse("The salts of a row", "they are neither 16 bytes nor what an erasure leaves")
    return found


def split(salts: bytes) -> list[bytes]:
    """The parts of a list; what does not follow from lengths is left out."""
    parts = []
    while len(salts) >= 8:  # noqa: PLR2004  # the bytes of a length
        end = 8 + int.from_bytes(salts[:8], "big")
        parts.append(salts[8:end])
        salts = salts[end:]
    return parts


def commitment(slot: str, salt: bytes, body: str | bytes) -> bytes:
    """The commitment to the text of a slot under the slot's own salt. Texts are taken as UTF-8; the salt depends on the slot's number.

    Raises `OutsideFormat` for an unknown slot or another length of salt, `UnstorableValue` for a lone surrogate.
    """
    parts_of((slot, 0))
    if slot == "event.session":
        refuse(slot, "a session's value is committed to together with its key: session_commitment")
    return sha256(frame(slot, checked_salt(salt), body_of(slot, body))).digest()


def session_commitment(salt: bytes, key: str, body: str | bytes | None) -> bytes:
    """The commitment to one key of a session's state and its value; None where the key was removed.

    Key and value are committed to together, because a key may be a customer's name. Raises as `commitment` does.
    """
    value = None if body is None else body_of("event.session", body)
    return sha256(frame("event.session", checked_salt(salt), utf8("A key of a session's state", key), value)).digest()


def session_commitments(salts: bytes, changed: Mapping[str, str | bytes | None]) -> list[bytes]:
    """The commitments of the keys that an event changed, ordered by the UTF-8 of the keys; their slots are numbered in this order."""
    found = []
    for index, key in enumerate(sorted(changed, key=lambda key: utf8("A key of a session's state", key))):
        salt = slot_salt(salts, "event.session", index)
        if salt is None:
            refuse("The salts of an event", "they no longer hold the one of a session's key")
        found.append(session_commitment(salt, key, changed[key]))
    return found


def enclosed(salt: bytes, body: str | bytes) -> bytes:
    """The input of a cipher: the slot's salt and the text. Beside its commitment a salt in clear would let anybody guess the text."""
    return checked_salt(salt) + body_of("A text", body)


def disclosed(plain: bytes) -> tuple[bytes, bytes]:
    """The salt and the text of what `enclosed` made. Raises `OutsideFormat`."""
    if len(plain) < SALT_BYTES:
        refuse("A deciphered text", f"it has {len(plain)} bytes, and its salt alone has 16")
    return plain[:SALT_BYTES], plain[SALT_BYTES:]


# -- domains -----------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def parts_of(place: Place) -> tuple[bytes, bytes]:
    """A slot and its number as parts. Raises `OutsideFormat` where there is none."""
    slot, index = place
    if slot not in SLOTS:
        refuse(f"The slot {slot!r}", f"the slots are {', '.join(sorted(SLOTS))}")
    if index < 0 or (index and slot not in SEVERAL):
        refuse(f"{slot} {index}", "only event.session and pause.shown are several, numbered from 0")
    return slot.encode(), number("The number of a slot", index)


def checked_salt(salt: bytes) -> bytes:
    """A salt. Raises `OutsideFormat` for another length."""
    if len(salt) != SALT_BYTES:
        refuse("A salt", "16 bytes are wanted")
    return salt


def body_of(name: str, body: str | bytes) -> bytes:
    """The bytes of a text; NUL is allowed, for bodies lie in BLOB columns."""
    if isinstance(body, str):
        return utf8(name, body)
    if not isinstance(body, bytes):
        refuse(name, f"it is {type(body).__name__}, and a text or its bytes are wanted")
    return body
