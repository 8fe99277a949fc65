"""`encode`: a value becomes a text that `reading.decode` reads back equal and of the same type, or is refused with its path.

Writing is one pass over the value that makes text at once: a table from exact type to writer, scalars in the loop, containers by recursion.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from json.encoder import encode_basestring_ascii as quote
from math import isfinite
from typing import Any, NoReturn

from attrs import define

from statecore.errors import UnstorableValue

from .erased import Gone
from .families import tag_of
from .registry import CODECS, Codec, Registry
from .tags import EXACT, HALVES, LATER_TAGS, TAGS, Refused, refuse

LIMIT = 16_777_216
"""The most bytes that a stored value takes, where the caller names no other limit: 16 MiB."""

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
        text = scalar(value) if scalar is not None else Encoding(limit, registry or CODECS).nested(value, depth)
    except Refused as refusal:
        raise unstorable(refusal) from refusal.__cause__
    except RecursionError as error:
        raise UnstorableValue(ROOT, "it is nested deeper than this stack has room for") from error
    except RuntimeError as error:  # a dict or a set tells its iterator so
        raise UnstorableValue(ROOT, "it was changed while it was being stored") from error
    if len(text) > limit:
        raise UnstorableValue(ROOT, too_large(limit), SIZE)
    return text


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
    Gone: write_str,  # a name in place of an erased one is shown as a text
}


@define
class Encoding:
    """One pass over a value's containers. `room` counts how many may still be entered; it ends every cycle."""

    limit: int
    registry: Registry

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
        codec = self.registry.by_type.get(kind)
        return self.registered(codec, value, room - 1) if codec is not None else self.unregistered(kind, value, room - 1)

    def unregistered(self, kind: type, value: Any, room: int) -> str:
        """The text of a value whose type has no codec yet: one that got its tag later, or one of a class of a family."""
        if kind in LATER:
            return LATER[kind](value)
        if kind in SHELVES:
            return self.shelved(SHELVES[kind], value, room)
        codec = self.registry.learn(kind)
        if codec is None:
            why = ": its class was defined anew" if kind in self.registry.replaced else ""
            refuse(f"{described(kind)} cannot be stored{why}", kind=kind)
        return self.registered(codec, value, room)

    def shelved(self, tag: str, value: Any, room: int) -> str:
        """The text of a kind of dict or list that has more to it than its items."""
        if type(value) is deque:
            return f'{{"{tag}":[{write_int(value.maxlen) if value.maxlen is not None else "null"},[{",".join(self.items(value, room - 1))}]]}}'
        pairs = self.pairs(*self.written(value, room - 1)[:2])
        if type(value) is not defaultdict:
            return f'{{"{tag}":{pairs}}}'
        factory = value.default_factory
        if factory is not None and FACTORIES.get(factory.__name__ if isinstance(factory, type) else "") is not factory:
            refuse("a defaultdict whose factory is no type of plain data cannot be stored")
        return f'{{"{tag}":[{quote(factory.__name__) if factory is not None else "null"},{pairs}]}}'

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
            refusal.within(f"[{len(texts)}]" if isinstance(values, list | tuple | deque) else "{}", values)
            raise
        if size > limit:  # now, not when all is written: a small value can refer to one list a million times
            refuse_size(limit)
        return texts

    def mapping(self, value: dict[Any, Any], room: int) -> str:
        """A JSON object where its keys are plain, else pairs under a tag; in the order of the dict."""
        keys, texts, plain = self.written(value, room)
        if plain:
            return f"{{{','.join([f'{key}:{text}' for key, text in zip(keys, texts, strict=True)])}}}"
        return f'{{"$dict":{self.pairs(keys, texts)}}}'

    @staticmethod
    def pairs(keys: list[str], texts: list[str]) -> str:
        """Keys and values as a list of pairs."""
        return f"[{','.join([f'[{key},{text}]' for key, text in zip(keys, texts, strict=True)])}]"

    def written(self, value: dict[Any, Any], room: int) -> tuple[list[str], list[str], bool]:
        """The texts of the keys and of the values of a dict, and whether all its keys are plain."""
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
            refuse_size(limit)
        return keys, texts, plain

    def registered(self, codec: Codec, value: Any, room: int) -> str:
        """The text of what the codec of a type makes of a value."""
        try:
            plain, rest = codec.part(value)
        except (MemoryError, Refused):
            raise
        except Exception as error:  # noqa: BLE001  # user code
            refuse(f"the codec {codec.tag!r} raised {type(error).__name__} for {described(codec.type)}", cause=error)
        try:
            text = f'{{"$type":[{quote(codec.tag)},{self.write(plain, room)}'
            return f"{text}]}}" if rest is None else f"{text},{self.write(rest, room)}]}}"
        except Refused as refusal:
            refusal.within(f"<{codec.tag}>" if codec.family is None else "", value)
            raise


# -- refusing ----------------------------------------------------------------------------------------------------------------------


def unstorable(refusal: Refused) -> UnstorableValue:
    """The error that a caller sees. Only here is a cycle told from mere depth, so that no other value pays for it."""
    way = refusal.way[::-1]
    if refusal.deep is None:
        return UnstorableValue(path(step for step, _ in way), refusal.why, refusal.remedy or remedy_for(refusal.kind))
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


def refuse_size(limit: int) -> NoReturn:
    """Refuse a value that is too large."""
    refuse(too_large(limit), remedy=SIZE)


def remedy_for(kind: type | None) -> str:
    """The remedy for a type whose values cannot be stored: the line that registers it; "" for a value that is refused for something else."""
    if kind is None:
        return ""
    package = kind.__module__.partition(".")[0]
    if package in EXTRAS:
        return f"Call statecore.{EXTRAS[package]}() once, before the workflow runs"
    name, tag = kind.__qualname__, tag_of(kind)
    return f"Return plain data, make {name} a dataclass, or add the line register_codec({name}, {tag!r}, to_plain, from_plain)"


EXTRAS = {"numpy": "register_numpy", "pandas": "register_pandas"}
"""The functions that register the types of a package."""
SIZE = "Raise max_value_bytes of the workflow or the store, or store the data elsewhere and return its address"
"""The advice for a value that is too large."""


LATER: dict[type, Callable[[Any], str]] = {tag.type: tag.write for tag in LATER_TAGS}
SHELVES: dict[type, str] = {OrderedDict: "$ordereddict", Counter: "$counter", defaultdict: "$defaultdict", deque: "$deque"}
FACTORIES: dict[str, type] = {
    each.__name__: each for each in (list, dict, set, tuple, frozenset, int, float, str, bool, bytes, Decimal)
}
"""The makers of the default values of a defaultdict, by the stored name."""
STORED = frozenset({list, tuple, dict, set, frozenset, *SCALARS})
