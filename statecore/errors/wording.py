"""How the parts of an error are worded: on one line, bounded, and without a sign that drives a terminal or turns the text around.

Pure functions of texts and values. A value that is no plain data is never printed by its own `repr`: it is named by its type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from string import Formatter

MESSAGE, LIST, PART = 2_000, 800, 400
"""How many signs a message, a list in it and a single part of it have at most."""
GAP = " ... "
"""It stands where something was cut."""
DEPTH = 8
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
    value = plain(value)
    if type(value) is str:
        return cut(repr(cut(value, PART)), PART)
    return worded(value)


def worded(value: object) -> str:
    """A text or a number as it is; of anything else its type and its name."""
    value = plain(value)
    if type(value) is str:
        return visible(value, PART)
    try:
        return visible(str(value), PART) if value is None or isinstance(value, float | int) else described(value)
    except ValueError:  # an integer with more digits than Python prints
        return described(value)


WORDED: dict[str | None, Callable[[object], str]] = {None: worded, "r": quoted}


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
    pieces = [
        before if name is None else before + piece(getattr(error, name), how, spec or "") for before, name, spec, how in PARSE(says)
    ]
    return cut("".join(pieces), MESSAGE)


def piece(value: object, how: str | None, spec: str) -> str:
    """One part of a sentence."""
    match how, value:
        case "t", _:
            return described(value)
        case "v", _:
            return quoted(value)
        case None, int() if spec == ",":
            return cut(f"{value:,}", PART)
        case _, list() | tuple() if spec == ";":
            return listed(map(WORDED[how], value), "; ")
        case _, list() | tuple():
            return listed(map(WORDED[how], value)) or spec
        case _:
            return WORDED[how](value) if value or not spec else spec


def plain(value: object, depth: int = DEPTH) -> object:
    """A value as plain data: text, bytes, numbers, None, and lists, tuples and dicts of these. Anything else is its `described` text."""
    kind = type(value)
    if kind in {str, int, bool, bytes, type(None)}:
        return value
    if isinstance(value, float):
        return float.__float__(value) if value == value else NAN  # noqa: PLR0124  # NaN is the one that differs from itself
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    return gathered(value, depth - 1) if depth else described(value)


def gathered(value: object, depth: int) -> object:
    """A list, tuple or dict of plain data."""
    if isinstance(value, tuple):
        return tuple(plain(each, depth) for each in value)
    if isinstance(value, list):
        return [plain(each, depth) for each in value]
    if type(value) is dict:
        return {plain(name, depth): plain(each, depth) for name, each in value.items()}
    return described(value)


def suggest(word: str, known: Iterable[str]) -> str:
    """A misspelt name gets the nearest known one, as the end of a sentence; an unrelated one gets the list."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a misspelling pays for it

    names: Sequence[str] = sorted(set(known))
    near = get_close_matches(word, names, n=1)
    if near:
        return f" Did you mean {quoted(near[0])}?"
    return f" Known: {listed(map(quoted, names))}." if names else ""
