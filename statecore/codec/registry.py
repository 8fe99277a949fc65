"""The registry of users' own types: codecs that users register, and those that classes of a family get by themselves.

A registry only grows, so a value that could be read yesterday can be read today. A class of a family (`families`) is known once it is
registered, named by a workflow, or encoded. A stored tag is looked up among known classes and never imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import RLock
from types import ModuleType
from typing import Any, TypeVar
from weakref import WeakSet, ref

from attrs import field, frozen

from statecore.definition.media import MEDIA
from statecore.errors import RefusedCodec, described

from .annotated import types_in
from .families import Family, family_of, tag_of
from .tags import BUILT_IN, LATER_TAGS

T = TypeVar("T")
LONGEST_TAG = 100
NOT_A_TYPE = "it is neither a class nor a module"
NO_FAMILY = "it is no enum, named tuple, dataclass, attrs class or pydantic model; call register_codec"


@frozen
class Codec:
    """How one type becomes plain data and comes back. The tag is what is stored, and says nothing about where the code is.

    Two functions do it; a class of a family has its `family` instead, and None for both.
    """

    type: type
    tag: str
    to_plain: Any = None
    from_plain: Any = None
    family: Family | None = None

    def part(self, value: Any) -> tuple[Any, dict[str, Any] | None]:
        """The plain data of a value, and the rest of it."""
        return (self.to_plain(value), None) if self.family is None else self.family.part(value)

    def join(self, plain: Any, rest: dict[str, Any] | None) -> Any:
        """The value of plain data and a rest."""
        return self.from_plain(plain) if self.family is None else self.family.join(self.type, plain, rest)


@frozen(eq=False)
class Registry:
    """The codecs that `encode` and `decode` may use: one for a type, one for a tag; a user's own is never replaced or removed."""

    by_type: dict[type, Codec] = field(factory=dict, init=False)
    by_tag: dict[str, Codec] = field(factory=dict, init=False)
    bases: dict[type, None] = field(factory=dict, init=False)
    """The classes whose subclasses are known, too, also those that are defined later."""
    unresolved: list[Callable[[], Any]] = field(factory=list, init=False)
    """Callables with annotations that named nothing yet when they were read; each is a weak reference."""
    replaced: WeakSet[type] = field(factory=WeakSet, init=False)
    """Classes that were defined anew under the same name."""
    lock: RLock = field(factory=RLock, init=False, repr=False)

    def register(self, kind: type[T], tag: str, to_plain: Callable[[T], Any], from_plain: Callable[[Any], T]) -> None:
        """Exactly this type, no subclass, is stored as `tag` and what `to_plain` returns, which may hold other registered types.

        `from_plain(to_plain(x))` is to equal `x`, in this release of your program and in later ones. The same registration again
        changes nothing. Raises `RefusedCodec` where the type is stored without a codec, or the type or the tag is taken. A class of a family
        that was known by itself is stored so from now on; its earlier values can still be read.
        """
        codec = Codec(kind, tag, to_plain, from_plain)
        with self.lock:
            why = unfit(kind, tag) or self.taken(codec)
            if why is not None:
                raise RefusedCodec(getattr(kind, "__qualname__", None) or described(kind), tag, why)
            self.by_tag[tag] = self.by_type[kind] = codec

    def taken(self, codec: Codec) -> str | None:
        """Why a codec cannot be added to those that are there; None where it can."""
        tagged, typed = self.by_tag.get(codec.tag), self.by_type.get(codec.type)
        if tagged is not None and tagged != codec and not (tagged.family is not None and tagged.type is codec.type):
            return f"the tag belongs to {tagged.type.__qualname__}"
        if typed is not None and typed != codec and typed.family is None:
            return f"the type has the tag {typed.tag!r}"
        return None

    # -- classes of a family -------------------------------------------------------------------------------------------------------

    def register_type(self, kind: type | ModuleType, *tags: str) -> None:
        """Values of this class and of its subclasses can be stored and read; of a module: of its classes.

        `tags` are those under which earlier releases stored the class (`old_module:OldName`). Raises `RefusedCodec` for a class of no family
        that has no subclass of one, and for a tag that is taken.
        """
        if isinstance(kind, ModuleType) and not tags:
            for each in list(vars(kind).values()):
                if isinstance(each, type) and (self.learn(each) is not None or each.__module__ == kind.__name__):
                    self.bases.setdefault(each)
            return
        if not isinstance(kind, type):
            raise RefusedCodec(described(kind), "", NOT_A_TYPE)
        why = self.unknown_kind(kind)
        if why is not None:
            raise RefusedCodec(kind.__qualname__, "", why)
        self.bases.setdefault(kind)
        codec = self.learn(kind)
        for tag in tags:
            if codec is None or self.by_tag.setdefault(tag, codec).type is not kind:
                why = NO_FAMILY if codec is None else f"the tag belongs to {self.by_tag[tag].type.__qualname__}"
                raise RefusedCodec(kind.__qualname__, tag, why)

    def unknown_kind(self, kind: type) -> str | None:
        """Why nothing of a class can be stored; None where it, or a subclass of it, can."""
        if kind in BUILT_IN or any(kind is tag.type for tag in LATER_TAGS):
            return "values of this type are stored as they are"
        known = kind in self.by_type or any(family_of(each) is not None for each in (kind, *heirs(kind)))
        return None if known else NO_FAMILY

    def learn(self, kind: type) -> Codec | None:
        """The codec of a class, as it is known from now on; None where it is of no family, or was defined anew under its name."""
        codec = self.by_type.get(kind)
        if codec is not None or kind in self.replaced:
            return codec
        family = family_of(kind)
        if family is None:
            return None
        with self.lock:
            codec = Codec(kind, tag_of(kind), family=family)
            former = self.by_tag.get(codec.tag)
            if former is not None and former.family is None:
                return None
            if former is not None and former.type is not kind:
                self.replaced.add(former.type)
                self.by_type.pop(former.type, None)
            self.by_tag[codec.tag] = codec
            return self.by_type.setdefault(kind, codec)

    def learn_from(self, called: Any) -> None:
        """Learn the types in the annotations of a callable; a name that is not there yet is read again when a tag is unknown."""
        found, whole = types_in(called)
        for kind in found:
            self.learn(kind)
            self.bases.setdefault(kind)
        if not whole:
            try:
                self.unresolved.append(ref(called))
            except TypeError:
                return

    def of_tag(self, tag: Any) -> Codec | None:
        """The codec of a stored tag; None where no known class has it."""
        codec = self.by_tag.get(tag)
        return codec if codec is not None else self.sought(tag)

    def sought(self, tag: Any) -> Codec | None:
        """Look for a tag among the subclasses of known base classes, and among annotations that named nothing before."""
        with self.lock:
            waiting = [called for each in self.unresolved if (called := each()) is not None]
            self.unresolved.clear()
            for called in waiting:
                self.learn_from(called)
            for kind in list(self.bases):
                for each in heirs(kind):
                    if tag_of(each) == tag:
                        self.learn(each)
        return self.by_tag.get(tag)


def heirs(kind: type) -> Iterator[type]:
    """All subclasses of a class."""
    subclasses: list[type] = type.__subclasses__(kind)
    for each in subclasses:
        yield each
        yield from heirs(each)


def unfit(kind: Any, tag: Any) -> str | None:
    """Why no codec can be for this type, or with this tag; None where one can."""
    if not isinstance(kind, type):
        return "it is no class"
    if kind in BUILT_IN:
        return "values of this type are stored as they are"
    if type(tag) is not str or not tag.isprintable() or not 0 < len(tag) <= LONGEST_TAG:
        return f"a tag is a printable str of 1 to {LONGEST_TAG} characters"
    return None


CODECS = Registry()
"""The registry of this process, used where `encode` and `decode` are given none."""
for _medium in MEDIA:  # they are known in every process
    CODECS.register(_medium, f"statecore.media:{_medium.__name__}", _medium.to_dict, _medium.from_dict)


def register_codec(kind: type[T], tag: str, to_plain: Callable[[T], Any], from_plain: Callable[[Any], T]) -> None:
    """Values of exactly this type can be stored from now on, as `Registry.register` says, in the registry of this process.

    Example: `register_codec(Price, "price", lambda price: price.cents, Price)`.
    """
    CODECS.register(kind, tag, to_plain, from_plain)


def register_type(kind: type | ModuleType, *tags: str) -> None:
    """Values of this class and of its subclasses can be stored and read in this process; of a module: of its classes (VALUE-1).

    The class is an enum, a named tuple, a dataclass, an attrs class or a pydantic model, or has such subclasses. `tags` are former names of
    it, as `old_module:OldName`, under which stored values are read. Raises `RefusedCodec`.

    Example: `register_type(Order)`.
    """
    CODECS.register_type(kind, *tags)


def learn_from(callables: Iterable[Any]) -> None:
    """The types in the annotations of these callables are known in this process."""
    for called in callables:
        CODECS.learn_from(called)
