"""Questions that the code of a step asks: `Ask`, and the answers to it (ASK-1, ASK-7). `runtime.asked` judges an answer by its question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from attrs import frozen

from statecore.errors import DefinitionError, quoted

from .agents import InputCall, ToolCall
from .forms import UserInputField
from .schemas import as_form

Wants: TypeAlias = Literal["confirmation", "choice", "input", "text", "tool_call"]
"""The kinds of answer: yes or no, one or several of the choices, the values of a form, a text, a verdict on a tool call."""
WANTS: frozenset[str] = frozenset(get_args(Wants))


class Ask(Exception):  # it is no error: code that stands deep inside others raises it to ask
    """A question to a person, returned or raised by the code of a step; a list of them puts several questions at once.

    The call is over then, and nothing of it is kept but the `notes`, a storable value. When all its questions are answered the step is called
    again, with `step_input.answers` and `step_input.notes`. `choices` are storable values, of which one is chosen, or several where `multiple` is
    True; `form` is a schema, as for `user_input_schema`; `kind="confirmation"` asks for yes or no; `call` is a tool call
    that a person approves or rejects. Without these a text is wanted. `key` names
    the question among the answers of its visit; without it, its number there does. The step says how many questions it may ask:
    `Step(..., may_ask=3)`. Raises `DefinitionError` for a question that no answer fits.

    Example: `return Ask("How much?", choices=[10, 20, 30])`, and `statecore.examples.asking_from_a_step`.
    """

    message: str
    wants: Wants
    choices: list[Any] | None
    multiple: bool
    form: tuple[UserInputField, ...] | None
    key: str | None
    notes: Any
    call: ToolCall | InputCall | None

    def __init__(  # noqa: PLR0913  # as many keywords as a question has parts
        self,
        message: str,
        *,
        choices: Sequence[Any] | None = None,
        multiple: bool = False,
        form: Sequence[UserInputField | Mapping[str, Any]] | Mapping[str, Any] | type | None = None,
        kind: Wants | None = None,
        key: str | None = None,
        notes: Any = None,
        call: ToolCall | InputCall | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.multiple, self.key, self.notes, self.call = message, multiple, key, notes, call
        self.choices = None if choices is None else list(choices)
        self.form = as_form(form)
        self.wants = kind or (
            "tool_call"
            if isinstance(call, ToolCall)
            else "choice"
            if choices is not None
            else "input"
            if form is not None
            else "text"
        )
        self._check()

    def _check(self) -> None:
        """Refuse a question that cannot be put, or that no answer fits. Raises `DefinitionError`."""
        given: Any = self  # annotations bind no caller
        faults = {
            "its message is a text with at least one sign": not isinstance(given.message, str) or not given.message.strip(),
            f"its kind is one of {', '.join(sorted(WANTS))}": self.wants not in WANTS,
            "choices belong to the kind 'choice', and it has at least one": (self.wants == "choice") != bool(self.choices),
            "a form belongs to the kind 'input'": (self.wants == "input") != (self.form is not None),
            "a ToolCall belongs to the kind 'tool_call'": (self.wants == "tool_call") != isinstance(given.call, ToolCall),
            "an InputCall belongs to the kind 'input'": isinstance(given.call, InputCall) and self.wants != "input",
            "multiple=True is about choices": self.multiple not in (False, self.wants == "choice"),
            "its key is a text with at least one sign": given.key is not None and (not isinstance(given.key, str) or not given.key),
        }
        for rule, broken in faults.items():
            if broken:
                message = f"Ask({quoted(self.message)}) is no question: {rule}."
                raise DefinitionError(message)


class AskedQuestion(NamedTuple):
    """A question as it is stored in the row that asks it: an `Ask` as plain data. `key` is its own or its number in the visit.

    `call` is a tool call; `schema` has the fields of its arguments then, where they are known.
    """

    key: str
    message: str
    wants: str
    options: list[Any] | None = None
    multiple: bool = False
    schema: list[dict[str, Any]] | None = None
    call: dict[str, Any] | None = None

    def plain(self) -> list[Any]:
        """The parts in their order; a question of no tool call has none for it, as in the rows of older releases."""
        return [*self] if self.call is not None else [*self][:-1]


def questions_of(asked: Sequence[Ask], before: int) -> list[AskedQuestion]:
    """The questions that some `Ask`s put, `before` having been asked in the visit."""
    return [
        AskedQuestion(
            each.key if each.key is not None else str(number),
            each.message,
            each.wants,
            each.choices,
            each.multiple,
            fields_of(each),
            each.call.plain() if each.call is not None else None,
        )
        for number, each in enumerate(asked, before)
    ]


def fields_of(asked: Ask) -> list[dict[str, Any]] | None:
    """The fields of a form, or of the arguments of a tool call; None where there are none."""
    form = asked.call.schema if isinstance(asked.call, ToolCall) else asked.form
    return [field.to_dict() for field in form] if form is not None else None


@frozen
class Answered:
    """The answer to one question of a step's code: `value` as the question asks for it, and the person, the reason and the time (ISO 8601, UTC).

    Of a confirmation `value` is True or False, of a choice one of the choices or a list of them, of a form the values by name.

    Example: `step_input.answers[0].value`.
    """

    key: str
    message: str
    value: Any
    by: str | None = None
    comment: str | None = None
    time: str = ""


class AnswersByKey(tuple[Answered, ...]):
    """The answers of this visit of a step, in the order of its questions; each is found by its number or by its key.

    Example: `step_input.answers["amount"].value`.
    """

    __slots__ = ()

    def __getitem__(self, which: Any) -> Any:
        """The answer of a number or a key. Raises `KeyError` where no question of the visit has that key."""
        if not isinstance(which, str):
            return super().__getitem__(which)
        found = self.get(which)
        if found is None:
            raise KeyError(which)
        return found

    def get(self, key: str) -> Answered | None:
        """The answer of a key; None where no question of the visit has it."""
        return next((each for each in self if each.key == key), None)


def asked_by(value: Any) -> tuple[Ask, ...]:
    """The questions that code returned instead of an output; none where it returned an output. Raises `TypeError` for a list of both."""
    if isinstance(value, Ask):
        return (value,)
    if not isinstance(value, list | tuple) or not any(isinstance(each, Ask) for each in value):
        return ()
    asked = tuple([each for each in value if isinstance(each, Ask)])
    if len(asked) < len(value):
        message = "a list of questions holds something else; return all of them as Ask, or none"
        raise TypeError(message)
    return asked
