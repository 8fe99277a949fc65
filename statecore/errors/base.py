"""What all errors share: a class is a code, a template and its attributes; the rest is done once, here.

`attrs` makes each constructor from the attributes. Errors are compared by their contents, and survive pickle, copies and process pools
with their attributes, message and notes (not with cause and traceback, as all exceptions of Python).
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, TypeVar

from attrs import setters

from .wording import MESSAGE, cut, filled, plain, worded

Kind = TypeVar("Kind", bound="StatecoreError")

AS_ERROR: Final[dict[str, Any]] = {"slots": False, "eq": False, "repr": False, "auto_exc": False, "on_setattr": setters.NO_OP}
"""How `attrs.define` makes an error: a constructor and nothing else. With `auto_exc`, `args` would be the attributes, and not the message."""


class StatecoreError(Exception):
    """Something in statecore was refused.

    Two errors of one class are equal when their messages and attributes are. An attribute keeps the value that was given. When an error is
    pickled or copied, an attribute that is no plain data (text, bytes, numbers, None, lists, tuples and dicts of these) is replaced by a
    text that tells its type and name, and counts as equal to that text.
    """

    code: ClassVar[str] = "SC000"
    says: ClassVar[str] = ""

    def __attrs_post_init__(self) -> None:
        """Word the message, once: it stays, whatever becomes of the attributes' contents."""
        super().__init__(filled(self.says, self))

    def __str__(self) -> str:
        """Return the code and the sentence: one line of at most `MESSAGE` signs, all of them visible."""
        said = ", ".join(worded(each, MESSAGE) for each in self.args)
        return cut(f"{self.code} {said}", MESSAGE)

    def __eq__(self, other: object) -> bool:
        """Compare class, message and attributes."""
        if type(self) is not type(other):
            return NotImplemented
        return (str(self), plain(self.args), public(self)) == (str(other), plain(other.args), public(other))

    def __hash__(self) -> int:
        """Follow `__eq__`."""
        return hash((type(self), str(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Take the error apart for pickle and copy: its class, its message, its attributes and notes."""
        new: Any = copyreg.__newobj__  # type: ignore[attr-defined]  # typeshed leaves it out; pickle has a code of one byte for it
        return new, (type(self), *map(plain, self.args)), {**vars(self), **parts(self)}

    def __setstate__(self, state: Mapping[str, Any] | None) -> None:
        """Put an error together again."""
        super().__init__(*self.args)
        vars(self).update(state or {})


def public(error: BaseException) -> dict[str, object]:
    """All attributes of an error that do not begin with an underscore, as plain data; those of a class that a user derives, too."""
    return {name: plain(value) for name, value in vars(error).items() if not name.startswith("_")}


def parts(error: StatecoreError) -> dict[str, Any]:
    """The attributes of an error by name, as plain data."""
    held = vars(error)
    return {each.name: plain(held[each.name]) for each in fields_of(type(error)) if each.name in held}


def rebuilt(kind: type[Kind], message: str, given: Mapping[str, Any]) -> Kind:
    """An error from its message and its parts, as the constructor would keep them; unknown parts are left out.

    They may have travelled as JSON, which has no tuples, and may be those of another release, or none.
    """
    error = kind.__new__(kind, message)
    held = {each: given[each.name] for each in fields_of(kind) if each.name in given}
    error.__setstate__(
        {each.name: each.converter(part) if isinstance(part, list) and each.converter else part for each, part in held.items()}
    )
    return error


def fields_of(kind: type[StatecoreError]) -> tuple[Any, ...]:
    """What attrs knows of a class's attributes; a group of errors has none."""
    return getattr(kind, "__attrs_attrs__", ())


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Any iterable of texts as a tuple, in its order."""
    return tuple(given)
