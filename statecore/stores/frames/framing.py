"""Frames: how parts become the bytes that are hashed. Pure, and for ever: `specs/format-3.md` says the rules, with test vectors.

A frame is a list of parts; each is its length (8 bytes, big endian) and its bytes, and a part that is not there is the length 2^64 - 1 alone.
The first part is the tag, which says what the others are: under one tag each part has one kind, so that a number is never taken for a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


# -- records -----------------------------------------------------------------------------------------------------------------------


@frozen
class Kind:
    """The kind of a part: how a value becomes bytes (it is given the part's name, for refusals), and whether there may be none."""

    name: str
    encode: Callable[[str, object], bytes]
    optional: bool = False


TEXT, NUMBER, HASH = Kind("text", text), Kind("number", number), Kind("hash", hashed)
HASHES, TEXTS, HASH_BY_TEXT = Kind("hashes", hashes), Kind("texts", texts), Kind("hash by text", hash_by_text)


def maybe(kind: Kind) -> Kind:
    """The same kind, or nothing: None is the part that is not there."""
    return Kind(kind.name, kind.encode, optional=True)


@frozen
class Record:
    """One thing that is hashed: its tag, and the names and kinds of its parts in their order."""

    tag: str
    parts: Mapping[str, Kind]
    head: bytes
    """The part of the tag."""

    def framed(self, **values: object) -> bytes:
        """The frame of the values, each given by name. Raises `OutsideFormat` where one is missing, unknown or not of its kind."""
        if values.keys() != self.parts.keys():
            odd = ", ".join(sorted(values.keys() ^ self.parts.keys()))
            refuse(f"This {self.tag}", f"each part is given once, by its name; missing or unknown: {odd}")
        found = [self.head]
        for name, kind in self.parts.items():
            value = values[name]
            if value is None and kind.optional:
                found.append(NULL)
            else:
                part = kind.encode(name, value)
                found += (LENGTH(len(part)), part)
        return b"".join(found)

    def digest(self, **values: object) -> bytes:
        """The SHA-256 of the frame. Raises as `framed` does."""
        return sha256(self.framed(**values)).digest()


def record(tag: str, /, **parts: Kind) -> Record:
    """A record with these parts; the order in which they are written is the order in which they are hashed."""
    return Record(tag, parts, frame(tag))
