"""`encode` and `decode`: a value comes back equal and of the same type, or is refused with its path.

Writing is one pass over the value that makes text at once: a table from exact type to writer, scalars in the loop, containers by
recursion. Reading is the standard library's JSON scanner with one hook for objects, called from the inside out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from json import JSONDecodeError, JSONDecoder
from json.encoder import encode_basestring_ascii as quote
from math import isfinite
from typing import Any, NoReturn

from attrs import define

from statecore.errors import UnreadableValue, UnstorableValue

from .tags import CODECS, EXACT, HALVES, TAGS, Codec, Refused, Registry, refuse

LIMIT = 1_048_576
"""The most bytes that a stored value takes, where the caller names no other limit."""

DEPTH = 100
"""The most containers within one another, where the caller names no other limit."""

ROOT = "$"
LONGEST_STEP, LONGEST_PATH = 40, 400


def encode(value: Any, *, limit: int = LIMIT, depth: int = DEPTH, registry: Registry | None = None) -> str:
    """The text of a value: ASCII, at most `limit` bytes, containers at most `depth` within one another.

    Raises `UnstorableValue`, which names the path of what cannot be stored, and nothing else (a want of memory passes through).
    """
    scalar = SCALARS.get(type(value))
    try:
        text = scalar(value) if scalar is not None else Encoding(limit, (registry or CODECS).by_type).nested(value, depth)
    except Refused as refusal:
        raise unstorable(refusal) from refusal.__cause__
    except RecursionError as error:
        raise UnstorableValue(ROOT, "it is nested deeper than this stack has room for") from error
    except RuntimeError as error:  # a dict or a set tells its iterator so
        raise UnstorableValue(ROOT, "it was changed while it was being stored") from error
    if len(text) > limit:
        raise UnstorableValue(ROOT, too_large(limit))
    return text


def decode(text: str, registry: Registry | None = None) -> Any:
    """The value of a text that `encode` wrote. Raises `UnreadableValue`, and nothing else, for any other."""
    try:
        value, end = scanner(registry or CODECS)(text)
    except (UnreadableValue, MemoryError):
        raise
    except JSONDecodeError as error:
        unreadable(f"it is no JSON at character {error.pos}", error)
    except RecursionError as error:
        unreadable("it is nested deeper than this stack has room for", error)
    except Exception as error:  # noqa: BLE001  # whatever a hostile text breaks is refused by this one name
        unreadable(f"{type(error).__name__} while it was read", error)
    if end != len(text):
        unreadable(f"something follows its end at character {end}")
    return value


# -- writing -----------------------------------------------------------------------------------------------------------------------


def write_str(value: str) -> str:
    """A JSON string. A surrogate pair in halves is refused: JSON cannot tell it from the one character that it would make."""
    if not value.isascii() and HALVES.search(value) is not None:
        refuse("a str with a surrogate pair in halves cannot be stored")
    return quote(value)


def write_int(value: int) -> str:
    """A JSON number where every reader reads it exactly, else tagged."""
    return repr(value) if -EXACT <= value <= EXACT else BIG(value)


def write_float(value: float) -> str:
    """A JSON number, with a point or an exponent, that is read as this very float; else tagged."""
    return repr(value) if isfinite(value) else NOT_FINITE(value)


WRITERS: dict[type, Callable[[Any], str]] = {tag.type: tag.write for tag in TAGS}
BIG, NOT_FINITE = WRITERS[int], WRITERS[float]
SCALARS: dict[type, Callable[[Any], str]] = WRITERS | {
    type(None): {None: "null"}.__getitem__,
    bool: {True: "true", False: "false"}.__getitem__,
    int: write_int,
    float: write_float,
    str: write_str,
}


@define
class Encoding:
    """One pass over a value's containers. `room` counts how many may still be entered; it ends every cycle."""

    limit: int
    by_type: dict[type, Codec]

    def write(self, value: Any, room: int) -> str:
        """The text of any value."""
        scalar = SCALARS.get(type(value))
        return scalar(value) if scalar is not None else self.nested(value, room)

    def nested(self, value: Any, room: int) -> str:
        """The text of a container, or of a value of a registered type."""
        if room <= 0:
            refuse("the nesting is too deep", deep=value)
        kind = type(value)
        if kind is dict:
            return self.mapping(value, room - 1)
        if kind is list:
            return f"[{','.join(self.items(value, room - 1))}]"
        if kind is tuple:
            return f'{{"$tuple":[{",".join(self.items(value, room - 1))}]}}'
        if kind is set or kind is frozenset:
            return f'{{"${kind.__name__}":[{",".join(sorted(self.items(value, room - 1)))}]}}'
        codec = self.by_type.get(kind)
        if codec is None:
            refuse(f"{described(kind)} cannot be stored")
        return self.registered(codec, value, room - 1)

    def items(self, values: Collection[Any], room: int) -> list[str]:
        """The texts of a collection's items, in its order."""
        texts: list[str] = []
        size, limit, get = 0, self.limit, SCALARS.get
        try:
            for value in values:
                scalar = get(type(value))
                text = scalar(value) if scalar is not None else self.nested(value, room)
                texts.append(text)
                size += len(text)
                if size > limit:
                    break
        except Refused as refusal:
            refusal.within(f"[{len(texts)}]" if isinstance(values, list | tuple) else "{}", values)
            raise
        if size > limit:  # now, not when all is written: a small value can refer to one list a million times
            refuse(too_large(limit))
        return texts

    def mapping(self, value: dict[Any, Any], room: int) -> str:
        """A JSON object where its keys are plain, else pairs under a tag; in the order of the dict."""
        keys: list[str] = []
        texts: list[str] = []
        size, limit, get, plain = 0, self.limit, SCALARS.get, True
        try:
            for key, item in value.items():
                plain = plain and type(key) is str and key[:1] != "$"
                keys.append(write_str(key) if type(key) is str else self.write(key, room))
                scalar = get(type(item))
                text = scalar(item) if scalar is not None else self.nested(item, room)
                texts.append(text)
                size += len(keys[-1]) + len(text)
                if size > limit:
                    break
        except Refused as refusal:
            refusal.within(named(key) if len(keys) > len(texts) else f".keys()[{len(keys)}]", value)
            raise
        if size > limit:
            refuse(too_large(limit))
        if plain:
            return f"{{{','.join([f'{key}:{text}' for key, text in zip(keys, texts, strict=True)])}}}"
        return f'{{"$dict":[{",".join([f"[{key},{text}]" for key, text in zip(keys, texts, strict=True)])}]}}'

    def registered(self, codec: Codec, value: Any, room: int) -> str:
        """The text of what a user's codec makes of a value."""
        try:
            plain = codec.to_plain(value)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # user code
            refuse(f"the codec {codec.tag!r} raised {type(error).__name__} for {described(codec.type)}", cause=error)
        try:
            return f'{{"$type":[{quote(codec.tag)},{self.write(plain, room)}]}}'
        except Refused as refusal:
            refusal.within(f"<{codec.tag}>", value)
            raise


# -- refusing ----------------------------------------------------------------------------------------------------------------------


def unstorable(refusal: Refused) -> UnstorableValue:
    """The error that a caller sees. Only here is a cycle told from mere depth, so that no other value pays for it."""
    way = refusal.way[::-1]
    if refusal.deep is None:
        return UnstorableValue(path(step for step, _ in way), refusal.why)
    seen: set[int] = set()
    for n, container in enumerate([*(container for _, container in way), refusal.deep]):
        if id(container) in seen:
            return UnstorableValue(path(step for step, _ in way[:n]), f"{described(type(container))} contains itself")
        seen.add(id(container))
    return UnstorableValue(path(step for step, _ in way), f"more than {len(way)} containers within one another cannot be stored")


def path(steps: Iterable[str]) -> str:
    """The way to a part of a value, from its root `$`; the middle of a very long one is left out."""
    whole = ROOT + "".join(steps)
    return whole if len(whole) <= LONGEST_PATH else f"{whole[: LONGEST_PATH // 2]}...{whole[-LONGEST_PATH // 2 :]}"


def named(key: Any) -> str:
    """The step of a path from a dict to the value at a key."""
    if type(key) is str and key.isidentifier() and len(key) <= LONGEST_STEP:
        return f".{key}"
    if type(key) is str or type(key) is int:
        shown = ascii(key)  # a path is printed, and not every str can be
        return f"[{shown}]" if len(shown) <= LONGEST_STEP else f"[{shown[:LONGEST_STEP]}...]"
    return f"[<{type(key).__name__}>]"


def described(kind: type) -> str:
    """A type in words; of a subclass, also what it is a kind of, because that is why it is refused."""
    article = "an" if kind.__name__[:1] in "AEIOUaeiou" else "a"
    base = next((base.__name__ for base in kind.__mro__[1:] if base in STORED), None)
    return f"{article} {kind.__name__}" + (f" (a kind of {base}, which would come back as a plain one)" if base else "")


def too_large(limit: int) -> str:
    """The sentence about size."""
    return f"it takes more than {limit:,} bytes, the limit"


STORED = frozenset({list, tuple, dict, set, frozenset, *SCALARS})


# -- reading -----------------------------------------------------------------------------------------------------------------------


def unreadable(why: str, cause: Exception | None = None) -> NoReturn:
    """Refuse a text."""
    raise UnreadableValue(why) from cause


@lru_cache(maxsize=16)
def scanner(registry: Registry) -> Callable[[str], tuple[Any, int]]:
    """The function that reads one value from the beginning of a text, and where it ends."""
    readers: dict[str, Callable[[Any], Any]] = READERS | {"$type": lambda plain: read_type(plain, registry.by_tag)}

    def read_object(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) != len(pairs):
            unreadable("a key occurs twice")
        for key in found:
            if key[:1] == "$":
                return read_tag(found, readers)
        return found

    return JSONDecoder(object_pairs_hook=read_object, parse_constant=read_constant).raw_decode


def read_constant(_word: str) -> NoReturn:
    """NaN and Infinity are no JSON; `encode` tags them."""
    unreadable("it has a number that is no JSON")


def read_tag(found: dict[str, Any], readers: dict[str, Callable[[Any], Any]]) -> Any:
    """The value of a tagged object."""
    if len(found) != 1:
        unreadable("a tag stands beside other keys")
    [(tag, plain)] = found.items()
    reader = readers.get(tag)
    if reader is None:
        unreadable(f"the tag {tag[:LONGEST_STEP]!a} is unknown to this release")
    try:
        return reader(plain)
    except (UnreadableValue, MemoryError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001  # parsers of the standard library differ in what they raise
        unreadable(f"what stands under {tag} is not of its form", error)


def read_list(plain: Any) -> list[Any]:
    """The list that a tag holds."""
    if type(plain) is not list:
        raise TypeError
    return plain


def read_tuple(plain: Any) -> tuple[Any, ...]:
    """A tuple."""
    return tuple(read_list(plain))


def read_set(plain: Any) -> set[Any]:
    """A set; an element that occurs twice is damage."""
    found = set(read_list(plain))
    if len(found) != len(plain):
        raise ValueError
    return found


def read_frozenset(plain: Any) -> frozenset[Any]:
    """A frozenset."""
    return frozenset(read_set(plain))


def read_dict(plain: Any) -> dict[Any, Any]:
    """A dict from pairs; a key that occurs twice is damage, and so are keys that need no tag."""
    found = dict(map(read_list, read_list(plain)))
    if len(found) != len(plain) or all(type(key) is str and key[:1] != "$" for key in found):
        raise ValueError
    return found


def read_type(plain: Any, by_tag: dict[str, Codec]) -> Any:
    """A value of a user's own type, if its codec is registered here."""
    tag, stored = read_list(plain)
    codec = by_tag.get(tag)
    if codec is None:
        unreadable(f"no codec is registered for {tag[:LONGEST_STEP]!a}; call register_codec before reading")
    try:
        value = codec.from_plain(stored)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # user code
        unreadable(f"the codec {tag!r} raised {type(error).__name__}", error)
    if type(value) is not codec.type:
        unreadable(f"the codec {tag!r} gave {described(type(value))} for {described(codec.type)}")
    return value


READERS: dict[str, Callable[[Any], Any]] = {tag.name: tag.read for tag in TAGS} | {
    "$tuple": read_tuple,
    "$set": read_set,
    "$frozenset": read_frozenset,
    "$dict": read_dict,
}
