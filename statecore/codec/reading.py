"""`decode`: the value of a stored text, through the standard library's JSON scanner with one hook for objects, called from the inside out.

`decode_plain` is for those who show a value: where this process does not know a type, it gives the plain data of it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from functools import lru_cache, partial
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

from statecore.errors import UnreadableValue

from .registry import CODECS, Registry
from .tags import LATER_TAGS, TAGS, Refused
from .values import FACTORIES, LONGEST_STEP, described


def decode(text: str, registry: Registry | None = None) -> Any:
    """The value of a text that `encode` wrote. Raises `UnreadableValue`, and nothing else, for any other."""
    return scanned(text, registry or CODECS, shows=False)


def decode_plain(text: str, registry: Registry | None = None) -> Any:
    """The value of a text for people: of a type that this process does not know, or cannot make, the plain data (VALUE-2).

    Such data that no set or dict can hold makes a list of it. Raises `UnreadableValue` for a text that `encode` never wrote.
    """
    return scanned(text, registry or CODECS, shows=True)


def scanned(text: str, registry: Registry, *, shows: bool) -> Any:
    """The value of a text, strictly or for people."""
    try:
        value, end = scanner(registry, shows)(text)
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


def unreadable(why: str, cause: Exception | None = None, remedy: str = "") -> NoReturn:
    """Refuse a text."""
    raise UnreadableValue(why, remedy) from cause


@lru_cache(maxsize=16)
def scanner(registry: Registry, shows: bool) -> Callable[[str], tuple[Any, int]]:  # noqa: FBT001  # lru_cache is called by position
    """The function that reads one value from the beginning of a text, and where it ends."""
    readers: dict[str, Callable[[Any], Any]] = READERS | {"$type": partial(read_type, registry=registry)}
    if shows:
        readers |= {tag: partial(hashed_or_listed, readers[tag]) for tag in HASHED}
        readers["$dict"] = partial(hashed_or_listed, partial(read_pairs, dict))
        readers["$type"] = partial(read_or_shown, registry=registry)

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


def read_pairs(kind: Callable[[Any], Any], plain: Any) -> Any:
    """A kind of dict from pairs; a key that occurs twice is damage."""
    pairs = [read_list(pair) for pair in read_list(plain)]
    found = kind(pairs)
    if len(found) != len(plain):
        raise ValueError
    return found


def read_counter(plain: Any) -> Counter[Any]:
    """A Counter from pairs."""
    return Counter(dict(read_pairs(dict, plain)))


def read_defaultdict(plain: Any) -> defaultdict[Any, Any]:
    """A defaultdict from the name of its factory and its pairs."""
    name, pairs = read_list(plain)
    return defaultdict(None if name is None else FACTORIES[name], read_pairs(dict, pairs))


def read_deque(plain: Any) -> deque[Any]:
    """A deque from its greatest length and its items."""
    most, items = read_list(plain)
    if most is not None and (type(most) is not int or most < len(read_list(items))):
        raise ValueError
    return deque(read_list(items), most)


def hashed_or_listed(reader: Callable[[Any], Any], plain: Any) -> Any:
    """A set or dict; the list that is stored of it where the plain data in it has no hash, or is no longer different."""
    try:
        return reader(plain)
    except (TypeError, ValueError):
        return read_list(plain)


def read_type(plain: Any, registry: Registry) -> Any:
    """A value of a user's own type, if it is known here."""
    tag, stored, *more = read_list(plain)
    codec = registry.of_tag(tag) if type(tag) is str else None
    if codec is None:
        unreadable(
            f"no codec is registered for {tag[: 3 * LONGEST_STEP]!a}; its type is unknown to this process", remedy=line_for(tag)
        )
    [rest] = more or [None]
    if more and (type(rest) is not dict or codec.family is None):
        raise ValueError
    try:
        value = codec.join(stored, rest)
    except MemoryError:
        raise
    except Refused as refusal:
        unreadable(f"{tag!a}: {refusal.why}", remedy="Keep the field, give it a default, or register a codec that reads both forms")
    except Exception as error:  # noqa: BLE001  # user code
        unreadable(f"the codec {tag!r} raised {type(error).__name__}", error)
    if type(value) is not codec.type:
        unreadable(f"the codec {tag!r} gave {described(type(value))} for {described(codec.type)}")
    return value


def line_for(tag: str) -> str:
    """The line that makes a stored type known to a process."""
    module, colon, name = tag.partition(":")
    if not colon or not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
        return "Call register_codec with this tag before reading"
    if module in ("numpy", "pandas"):
        return f"Call statecore.register_{module}() before reading"
    top = name.partition(".")[0]
    return f"Import it (from {module} import {top}) and add types=[{name}] to the Workflow, or the line register_type({name})"


def read_or_shown(plain: Any, registry: Registry) -> Any:
    """A value of a user's own type, or the plain data that is stored of it."""
    try:
        return read_type(plain, registry)
    except UnreadableValue:
        return plain[1]


READERS: dict[str, Callable[[Any], Any]] = {
    **{tag.name: tag.read for tag in (*TAGS, *LATER_TAGS)},
    "$tuple": read_tuple,
    "$set": read_set,
    "$frozenset": read_frozenset,
    "$dict": read_dict,
    "$ordereddict": partial(read_pairs, OrderedDict),
    "$counter": read_counter,
    "$defaultdict": read_defaultdict,
    "$deque": read_deque,
}
HASHED = ("$set", "$frozenset", "$dict", "$ordereddict", "$counter", "$defaultdict")
"""The tags of values whose elements or keys have to have a hash."""
