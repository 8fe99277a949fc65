"""Values as people write them, in a shell, after `--answers` or at a prompt, read as values of Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from statecore.lifecycles import DECISION_WORDS, exhaustive

if TYPE_CHECKING:
    from statecore.definition import UserInputField

Schema: TypeAlias = "Sequence[UserInputField] | None"


class Miswritten(ValueError):
    """A text that cannot be read as what it stands for: why, and where it was written."""

    message: str
    hint: str

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def read_json(text: str, hint: str) -> Any:
    """What JSON means. Raises `Miswritten`."""
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
    """What JSON means, or the text as it is where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def typed(each: UserInputField, text: str) -> Any:
    """A text as a value of a field's type; what is no such value is left as it is, for the form to refuse."""
    if each.field_type == "str":
        return text
    return loosely(text.lower() if each.field_type == "bool" else text)


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


CARRIED: dict[str, Callable[[str], Any]] = {
    "input": lambda text: read_object(text, "input"),
    "select": lambda text: [name.strip() for name in text.split(",")],
    "edit": loosely,
    "reject": str,
}
"""How the value of an answer is read: an object for an input, names for a selection, JSON or text for an edit, text for a rejection."""
exhaustive("asking.written.CARRIED", CARRIED, (each.word for each in DECISION_WORDS if each.carries != "nothing"))
