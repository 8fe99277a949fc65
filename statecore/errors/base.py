"""All errors share this: a class is a code, a template and its attributes; the rest is done once, here.

`attrs` makes each constructor from the attributes. Errors are compared by their contents, and survive pickle, copies and process pools
with their attributes, message and notes (not with cause and traceback, as all exceptions of Python). A message is one line, bounded, and
without a sign that drives a terminal or turns the text around; a value that is no plain data is named by its type, never printed by its `repr`.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any, ClassVar, Final, TypeVar

from attrs import setters

MESSAGE, SENTENCE, LIST, PART = 2_000, 1_990, 800, 400
"""How many signs a message, its sentence without the code, a list in it and a single part of it have at most."""
GAP = " ... "
"""It stands where something was cut."""
DEPTH, COUNTABLE = 8, 10**100
NAN = float("nan")
"""The one that stands for all, so that it equals itself in a tuple."""


def cut(text: str, most: int) -> str:
    """A text without its middle where it is longer than `most`: the end of a sentence says what to do."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - len(GAP)]}{GAP}{text[-tail:]}"


def visible(text: str, most: int = MESSAGE) -> str:
    """A text of at most `most` signs, in which a sign that prints nothing is spelt as in a literal of Python."""
    short = cut(text, most)
    if short.isprintable():
        return short
    return cut("".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in short), most)


def described(value: object) -> str:
    """The type of a value, and its name where it has one; never its contents."""
    try:
        kind, name = type(value).__name__, getattr(value, "__name__", None)
    except Exception:  # noqa: BLE001  # the object is a stranger's; its error is not the one to be told
        return "a value of an unknown type"
    called = f" named {quoted(name)}" if type(name) is str else ""
    return f"a value of type {visible(kind, PART)}{called}"


def quoted(value: object) -> str:
    """A text in quotation marks, a number as it is; of anything else its type and its name."""
    if issubclass(type(value), str):
        return cut(repr(cut(str.__str__(value), PART)), PART)
    return worded(value)


def worded(value: object, most: int = PART) -> str:
    """A text or a number as it is; of anything else its type and its name."""
    if issubclass(type(value), str):
        return visible(str.__str__(value), most)
    number = plain(value)
    try:
        return cut(str(number), PART) if type(number) in NUMBERS else described(value)
    except ValueError:  # an integer with more digits than Python prints
        return described(value)


NUMBERS: frozenset[type] = frozenset({int, float, bool, type(None)})
WORDED: dict[str | None, Callable[[object], str]] = {None: worded, "r": quoted, "v": quoted}


def listed(texts: Iterable[str], between: str = ", ") -> str:
    """Texts in a row, from the first on; where they are too many, how many more there are."""
    shown: list[str] = []
    room = LIST
    every = list(texts)
    for text in every:
        room -= len(text) + len(between)
        if room < 0 and shown:
            return f"{between.join(shown)}{GAP}({len(every) - len(shown)} more)"
        shown.append(text)
    return between.join(shown)


PARSE = Formatter().parse


def filled(says: str, error: object) -> str:
    """The sentence of a template: each `{name}` is an attribute of the error.

    `{name}` is its text; `{name!r}` quotes a name, or each of a list; `{name!v}` quotes a value, unless it is more than a text or a number;
    `{name!t}` tells the type only. Commas stand between the texts of a list, with `{name:;}` semicolons. After the colon stands else the word
    for an empty one (`{name:none}`), or `,` for a number with thousands.
    """
    pieces: list[str] = []
    for before, name, spec, how in PARSE(says):
        pieces.append(before)
        if name is not None:
            value = getattr(error, name)
            pieces.append(value if name.startswith("_") else piece(value, how, spec or ""))
    return cut("".join(pieces), SENTENCE)


def piece(value: Any, how: str | None, spec: str) -> str:
    """One part of a sentence."""
    kind = type(value)
    if how == "t":
        return described(value)
    if kind in {list, tuple} and how != "v":
        return listed(map(WORDED[how], value), "; " if spec == ";" else ", ") or spec.strip(";")
    if kind is int and spec == ",":
        return f"{value:,}" if abs(value) < COUNTABLE else worded(value)
    return spec if spec and is_empty(value) else WORDED[how](value)


def is_empty(value: object) -> bool:
    """Whether there is nothing to say: None or an empty text."""
    return value is None or (type(value) is str and not value)


def plain(value: Any, inside: tuple[int, ...] = ()) -> object:
    """A value as plain data: text, bytes, numbers, None, and lists, tuples and dicts of these. Anything else is its `described` text.

    So is a list within itself, and a list that is nested deeper than `DEPTH`.
    """
    kind = type(value)
    if kind in {str, int, bool, bytes, type(None)}:
        return value
    if issubclass(kind, float):
        number = float.__float__(value)
        return number if number == number else NAN  # noqa: PLR0124  # NaN is the one that differs from itself
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        return int.__int__(value)
    if id(value) in inside or len(inside) == DEPTH:
        return described(value)
    return gathered(value, (*inside, id(value)))


def gathered(value: Any, inside: tuple[int, ...]) -> object:
    """A list, tuple or dict of plain data."""
    kind = type(value)
    if issubclass(kind, tuple):
        return tuple(plain(each, inside) for each in tuple.__iter__(value))
    if issubclass(kind, list):
        return [plain(each, inside) for each in list.__iter__(value)]
    if kind is dict:
        return {plain(name, inside): plain(each, inside) for name, each in dict.items(value)}
    return described(value)


def suggest(word: object, known: Iterable[object]) -> str:
    """A misspelt name gets the nearest known one, as the end of a sentence; an unrelated one gets the list."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a misspelling pays for it

    names = sorted({name for name in known if isinstance(name, str)})
    near = get_close_matches(word, names, n=1) if isinstance(word, str) else []
    if near:
        return f" Did you mean {quoted(near[0])}?"
    return f" Known: {listed(map(quoted, names))}." if names else ""


Raised = TypeVar("Raised", bound="StatecoreError")

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


def rebuilt(kind: type[Raised], message: str, given: Mapping[str, Any]) -> Raised:
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
    """The attributes of a class, as attrs knows them; a group of errors has none."""
    return getattr(kind, "__attrs_attrs__", ())


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Any iterable of texts as a tuple, in its order."""
    return tuple(given)
