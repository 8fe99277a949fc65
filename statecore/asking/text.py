"""Texts, as people read and write them on any surface.

The first half shows: texts of unknown origin, lengths of time and ids. The second half reads the values that people write, in a shell,
after `--answers` or at a prompt. Nothing here drives a terminal.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from statecore.lifecycles import BY_WORD, exhaustive
from statecore.lifecycles.decisions import INPUT, Carries

if TYPE_CHECKING:
    from statecore.definition import UserInputField

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, change direction or show nothing."""

NAME_WIDTH, TEXT_WIDTH = 40, 100
LONGEST = 2_000
UUID_LENGTH, SHORT = 36, 8
Schema: TypeAlias = "Sequence[UserInputField] | None"


def clean(text: object, width: int | None = None) -> str:
    """Text of unknown origin as one line of visible signs: controls, escapes and marks of direction are spelt out.

    It is cut at its end to a `width`; without one, where it is longer than anybody reads, in its middle, so that a message keeps its advice.
    """
    raw = str(text)
    if width is None and len(raw) > LONGEST:
        raw = f"{raw[: LONGEST * 3 // 4]} [...] {raw[-LONGEST // 4 :]}"
    seen = raw if width is None else raw[: width + 1]
    spelt = visible(seen)
    return spelt if width is None or len(spelt) <= width else spelt[: width - 3] + "..."


def visible(text: str) -> str:
    """A line of unknown origin in visible signs, whole."""
    return "".join(spell(sign) if unicodedata.category(sign) in UNPRINTABLE else sign for sign in text)


def named(name: str) -> str:
    """A name that users gave, short enough for a sentence."""
    return clean(name, NAME_WIDTH)


def spell(sign: str) -> str:
    """An invisible sign as Python writes it."""
    return sign.encode("unicode_escape").decode("ascii")


def brief(value: Any, width: int = TEXT_WIDTH) -> str:
    """A value in one line: text as it is, anything else as Python writes it."""
    return clean(value if isinstance(value, str) else repr(value), width)


def short(run_id: str) -> str:
    """A run's id as people type it: its beginning where it is a UUID."""
    is_uuid = len(run_id) == UUID_LENGTH and run_id.count("-") == 4  # noqa: PLR2004  # the four dashes of a UUID
    return run_id[:SHORT] if is_uuid else clean(run_id)


def since(micros: int) -> str:
    """How long ago an instant was, roughly."""
    return lasting(time.time() - micros / 1_000_000)


def lasting(seconds: float) -> str:
    """A length of time, roughly."""
    seconds = max(0, int(seconds))
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


# -- values as people write them ----------------------------------------------------------------------------------------------------


class Miswritten(ValueError):
    """A text that cannot be read as what it stands for: why, and where it was written."""

    message: str
    hint: str

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def read_json(text: str, hint: str) -> Any:
    """A value from JSON. Raises `Miswritten`."""
    try:
        return json.loads(text)
    except ValueError as error:
        message = f"This is no JSON: {error}"
        raise Miswritten(message, hint) from None


def read_object(text: str, hint: str) -> dict[str, Any]:
    """The values of a form, as a JSON object. Raises `Miswritten`."""
    value = read_json(text, hint)
    if not isinstance(value, dict):
        message = 'This is no JSON object. Write e.g. {"amount": 3}.'
        raise Miswritten(message, hint)
    return value


def loosely(text: str) -> Any:
    """A value from JSON, or the text as it is where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


TEXTS = frozenset({"str", "text", "email", "date", "datetime", "decimal", "file"})
"""The types of fields whose values are read from a text by the form itself."""
BOOLS = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
"""The words for a yes or no."""


def typed(each: UserInputField, text: str) -> Any:
    """A text as a value of a field's type; what is no such value is left as it is, for the form to refuse."""
    if each.field_type in TEXTS:
        return text
    if each.field_type == "bool":
        return BOOLS.get(text.lower(), text)
    return loosely(text)


def assigned(words: Sequence[str], schema: Schema) -> dict[str, Any]:
    """The values of a form written as NAME=VALUE, each typed by its field. Raises `Miswritten`."""
    form = {each.name: each for each in schema or ()}
    values: dict[str, Any] = {}
    for number, word in enumerate(words, 1):
        name, equals, text = word.partition("=")
        if not equals or name in values:
            message = f"Argument {number} is no NAME=VALUE." if not equals else f"{name!r} is given twice."
            raise Miswritten(message, "NAME=VALUE")
        values[name] = typed(form[name], text) if name in form else loosely(text)
    return values


READS: dict[Carries, Callable[[str], Any]] = {
    "form": lambda text: read_object(text, INPUT.word),
    "names": lambda text: [name.strip() for name in text.split(",")],
    "value": loosely,
    "reply": str,
    "feedback": str,
}
"""How the value of an answer is read from text: an object, names between commas, JSON or text, a text; a question reads its answer."""
exhaustive("asking.text.READS", READS, (each for each in get_args(Carries) if each != "nothing"))


def read_value(word: str, text: str) -> Any:
    """The value of an answer with this word. Raises `Miswritten`; `KeyError` for a word that carries nothing."""
    return READS[BY_WORD[word].carries](text)
