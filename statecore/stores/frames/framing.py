"""Frames: how parts become the bytes that are hashed. Pure, and for ever: `specs/format-3.md` says the rules, with test vectors.

A frame is a list of parts; each is its length (8 bytes, big endian) and its bytes, and a part that is not there is the length 2^64 - 1 alone.
The first part is the tag, which says what the others are: under one tag each part has one kind, so that a number is never taken for a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from re import compile as pattern
from struct import Struct
from typing import NoReturn

from attrs import frozen

from statecore.errors import OutsideFormat, UnstorableValue

FORMAT = "statecore/3/"
"""The beginning of each tag."""

TAG = pattern(r"[a-z_]+(\.[a-z_]+)?")
LENGTH = Struct(">Q").pack
HASH_PART = LENGTH(32)
NUMBER_PART = Struct(">Qq").pack
"""The part of a number: its length, and the number."""
NULL = b"\xff" * 8
HASH_BYTES = 32
LEAST, MOST = -(2**63), 2**63 - 1


def refuse(what: str, why: str) -> NoReturn:
    """Raise `OutsideFormat`."""
    raise OutsideFormat(what, why)


def frame(tag: str, *parts: bytes | None) -> bytes:
    """The bytes of a tag and its parts. Two different lists never have the same bytes. Raises `OutsideFormat`."""
    if not TAG.fullmatch(tag):
        refuse(f"The tag {tag!r}", "a tag is lower-case letters and underscores, with at most one dot between them")
    return listed((FORMAT + tag).encode(), *parts)


def listed(*parts: bytes | None) -> bytes:
    """Parts without a tag: a list that is itself one part of a frame. Raises `OutsideFormat`."""
    for part in parts:
        if part is not None and type(part) is not bytes:
            refuse(f"A part of the type {type(part).__name__}", "a part is bytes or None")
    return b"".join([NULL if part is None else LENGTH(len(part)) + part for part in parts])


# -- kinds of parts ----------------------------------------------------------------------------------------------------------------


def text(name: str, value: object) -> bytes:
    """A text as UTF-8, never normalised. Raises `UnstorableValue` for a lone surrogate, and `OutsideFormat` for a NUL."""
    if not isinstance(value, str):
        refuse(name, f"it is {type(value).__name__}, and a text is wanted")
    if "\0" in value:
        refuse(name, "it holds a NUL, which the text of a Postgres column cannot")
    return utf8(name, value)


def utf8(name: str, value: str) -> bytes:
    """A text as UTF-8. Raises `UnstorableValue` for a lone surrogate."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise UnstorableValue(name, "it holds a lone surrogate") from None


def number(name: str, value: object) -> bytes:
    """A whole number as 8 bytes, big endian, two's complement. A bool is no number. Raises `OutsideFormat`."""
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(name, f"it is {type(value).__name__}, and a whole number is wanted")
    if not LEAST <= value <= MOST:
        refuse(name, f"{value} takes more than 64 bits")
    return value.to_bytes(8, "big", signed=True)


def hashed(name: str, value: object) -> bytes:
    """A SHA-256: 32 bytes. Raises `OutsideFormat`."""
    if not isinstance(value, bytes) or len(value) != HASH_BYTES:
        refuse(name, "a hash of 32 bytes is wanted")
    return value


def hashes(name: str, value: object) -> bytes:
    """One or more hashes, one after the other, in the order given. Raises `OutsideFormat`; no hash at all is None, not an empty list."""
    found = [hashed(name, each) for each in members(name, value)]
    if not found:
        refuse(name, "it is an empty list; where there is no hash, None is wanted")
    return b"".join(found)


def texts(name: str, value: object) -> bytes:
    """Texts, in the order given. Raises as `text` does."""
    return listed(*[text(name, each) for each in members(name, value)])


def hash_by_text(name: str, value: object) -> bytes:
    """A hash for each of several texts, ordered by the UTF-8 of the texts. Raises as `text` and `hashed` do."""
    if not isinstance(value, Mapping):
        refuse(name, "a mapping from texts to hashes is wanted")
    pairs = sorted((text(name, key), hashed(name, each)) for key, each in value.items())
    return listed(*[listed(*pair) for pair in pairs])


def members(name: str, value: object) -> Iterable[object]:
    """The members of a list or a tuple. A text is no list of its characters. Raises `OutsideFormat`."""
    if not isinstance(value, list | tuple):
        refuse(name, f"it is {type(value).__name__}, and a list is wanted")
    return value


# -- parts, written out ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4_096)
def word(value: str) -> bytes:
    """An id or a word of the product as a part: they come again and again. Raises as `text` does."""
    return listed(text("A word", value))


def numeral(value: int) -> bytes:
    """A number as a part. Raises as `number` does."""
    return NUMBER_PART(8, value) if type(value) is int and LEAST <= value <= MOST else listed(number("A number", value))


def link(value: bytes | None) -> bytes:
    """A hash as a part, or none. Raises as `hashed` does."""
    return NULL if value is None else HASH_PART + hashed("A hash", value)


def hashes_of(found: Mapping[str, bytes]) -> bytes:
    """A hash for each of several words of the product, as `hash_by_text` has them. Raises as `text` and `hashed` do."""
    return listed_hashes(tuple(found.items()))


@lru_cache(maxsize=512)
def listed_hashes(found: tuple[tuple[str, bytes], ...]) -> bytes:
    """Words with their hashes; those of a program's questions come again and again. Raises as `text` and `hashed` do."""
    pairs = [word(each) + link(digest) for each, digest in sorted(found, key=lambda pair: pair[0].encode())]
    return b"".join([LENGTH(len(pair)) + pair for pair in pairs])


# -- records -----------------------------------------------------------------------------------------------------------------------


@frozen
class PartKind:
    """The kind of a part: how a value becomes bytes (it is given the part's name, for refusals), and whether there may be none."""

    name: str
    encode: Callable[[str, object], bytes]
    optional: bool = False


TEXT, NUMBER, HASH = PartKind("text", text), PartKind("number", number), PartKind("hash", hashed)
HASHES, TEXTS, HASH_BY_TEXT = PartKind("hashes", hashes), PartKind("texts", texts), PartKind("hash by text", hash_by_text)


def maybe(kind: PartKind) -> PartKind:
    """The same kind, or nothing: None is the part that is not there."""
    return PartKind(kind.name, kind.encode, optional=True)


@frozen
class Record:
    """One thing that is hashed: its tag, and the names and kinds of its parts in their order."""

    tag: str
    parts: Mapping[str, PartKind]
    head: bytes
    """The part of the tag."""
    plan: tuple[tuple[str, Callable[[str, object], bytes], bool], ...]
    """The parts once more, as they are walked through."""

    def framed(self, **values: object) -> bytes:
        """The frame of the values, each given by name. Raises `OutsideFormat` where one is missing, unknown or not of its kind.

        Texts in ASCII, numbers and hashes are most of the parts, and are written here; `encode` says the rest, and every refusal.
        """
        if values.keys() != self.parts.keys():
            odd = ", ".join(sorted(values.keys() ^ self.parts.keys()))
            refuse(f"This {self.tag}", f"each part is given once, by its name; missing or unknown: {odd}")
        found = [self.head]
        for name, encode, optional in self.plan:
            value = values[name]
            kind = type(value)
            if value is None and optional:
                found.append(NULL)
            elif kind is str and encode is text and value.isascii() and "\0" not in value:  # type: ignore[attr-defined, operator]
                found += (LENGTH(len(value)), value.encode())  # type: ignore[arg-type, attr-defined]
            elif kind is int and encode is number and LEAST <= value <= MOST:  # type: ignore[operator]
                found.append(NUMBER_PART(8, value))
            else:
                part = encode(name, value)
                found += (LENGTH(len(part)), part)
        return b"".join(found)

    def digest(self, **values: object) -> bytes:
        """The SHA-256 of the frame. Raises as `framed` does."""
        return sha256(self.framed(**values)).digest()


def record(tag: str, /, **parts: PartKind) -> Record:
    """A record with these parts; the order in which they are written is the order in which they are hashed."""
    return Record(tag, parts, frame(tag), tuple([(name, kind.encode, kind.optional) for name, kind in parts.items()]))


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


def salts_of(salts: Mapping[Place, bytes]) -> bytes | None:
    """Slots' own salts as a row keeps them after an erasure: what was enciphered together with the bodies is put together again so."""
    parts = [part for place in sorted(salts) for part in (*parts_of(place), checked_salt(salts[place]))]
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


def row_commitment(salt: bytes, slot: str, body: bytes) -> bytes:
    """`commitment` under the salt that `slot_salt` derives of a row's salt of 16 bytes, written out: each step makes one."""
    before, after, head = around(slot)
    return sha256(head + sha256(before + checked_salt(salt) + after).digest()[:SALT_BYTES] + LENGTH(len(body)) + body).digest()


@lru_cache(maxsize=64)
def around(slot: str) -> tuple[bytes, bytes, bytes]:
    """The bytes around a row's salt in the frame of a slot's salt, and before the slot's salt in the frame of its commitment."""
    length = LENGTH(SALT_BYTES)
    return frame("salt") + length, listed(*parts_of((slot, 0))), frame(slot) + length


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
