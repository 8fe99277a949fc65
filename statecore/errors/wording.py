"""How the parts of an error are worded: on one line, bounded, and without a sign that drives a terminal or turns the text around.

Pure functions of texts and values. A value that is no plain data is never printed by its own `repr`: it is named by its type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from string import Formatter
from typing import Any

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
