"""A registry holds the codecs of users' own types. It only grows, so what could be read yesterday can be read today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import field, frozen

from statecore.errors import RefusedCodec

from .tags import TAGS

T = TypeVar("T")
BUILT_IN = frozenset({type(None), bool, str, list, tuple, dict, set, frozenset, *(tag.type for tag in TAGS)})
LONGEST_TAG = 100


@frozen
class Codec:
    """How one type becomes plain data and comes back. The tag is what is stored, and says nothing about where the code is."""

    type: type
    tag: str
    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any]


@frozen(eq=False)
class Registry:
    """The codecs that `encode` and `decode` may use: one for a type, one for a tag, none ever replaced or removed."""

    by_type: dict[type, Codec] = field(factory=dict, init=False)
    by_tag: dict[str, Codec] = field(factory=dict, init=False)

    def register(self, kind: type[T], tag: str, to_plain: Callable[[T], Any], from_plain: Callable[[Any], T]) -> None:
        """Exactly this type, no subclass, is stored as `tag` and what `to_plain` returns, which may hold other registered types.

        `from_plain(to_plain(x))` is to equal `x`, in this release of your program and in later ones. The same registration again
        changes nothing. Raises `RefusedCodec` where the type is stored without a codec, or the type or the tag is taken.
        """
        codec = Codec(kind, tag, to_plain, from_plain)
        why = unfit(kind, tag)
        if why is None and self.by_tag.setdefault(tag, codec) != codec:
            why = f"the tag belongs to {self.by_tag[tag].type.__qualname__}"
        if why is None and self.by_type.setdefault(kind, codec) != codec:
            del self.by_tag[tag]
            why = f"the type has the tag {self.by_type[kind].tag!r}"
        if why is not None:
            raise RefusedCodec(getattr(kind, "__qualname__", repr(kind)), tag, why)


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


def register_codec(kind: type[T], tag: str, to_plain: Callable[[T], Any], from_plain: Callable[[Any], T]) -> None:
    """Values of exactly this type can be stored from now on, as `Registry.register` says, in the registry of this process.

    Example: `register_codec(Price, "price", lambda price: price.cents, Price)`.
    """
    CODECS.register(kind, tag, to_plain, from_plain)
