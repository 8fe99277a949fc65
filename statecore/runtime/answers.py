"""Which answers fit which question, checked before anything is stored. One place, for requirements, `decide` and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from statecore.codec import LIMIT, encode
from statecore.core import DECISIONS
from statecore.definition import StepOutput, UserInputField
from statecore.definition.forms import Secret, checked
from statecore.definition.schemas import instance
from statecore.errors import InvalidInput, described, quoted
from statecore.errors.base import plain
from statecore.lifecycles import BY_WORD, DECISION_WORDS, SHOWS
from statecore.stores.detail import is_tool_call, pause_detail

from .asked import taken
from .verdicts import meant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.lifecycles.decisions import Carries
    from statecore.stores import Pause

REPEATED = 4
"""A text this long is a value where it is seen again, and not by chance."""
VERBS = {each.word: f"{each.verb}()" for each in DECISION_WORDS}


class Said(Protocol):
    """A requirement as far as a continuation reads it: which question, and what was decided of it."""

    @property
    def run_id(self) -> str:
        """The run that asks."""

    @property
    def pause_id(self) -> str:
        """The question."""

    @property
    def decision(self) -> str | None:
        """The word, None while undecided."""

    @property
    def value(self) -> Any:
        """The value that the word carries."""

    @property
    def by(self) -> str | None:
        """The person who decided, as the caller names them."""

    @property
    def comment(self) -> str | None:
        """The reason."""

    def shown(self, canonical: str | None = None) -> str | None:
        """The digest of the question that the person was shown; None where it is not known, or was shown under this very definition."""


def answered_by(words: Iterable[str]) -> str:
    """The methods of a requirement that say these words, as a message lists them."""
    return " or ".join(", ".join(VERBS[word] for word in words).rsplit(", ", 1))


def plain_words(kind: str) -> tuple[str, ...]:
    """The words that answer each question of a kind."""
    return tuple([word for word in DECISIONS[kind] if kind not in BY_WORD[word].offered_by])


def meaning(pause: Pause, word: str, value: Any) -> tuple[str, Any]:
    """A decision as it is stored: the word and the value of one about a tool call are its answer (TOOL-3), others are as they were given."""
    return meant(word, value) if SHOWS.get(pause.kind) == "question" and is_tool_call(pause) else (word, value)


def stored_value(pause: Pause, word: str, value: Any, component: Any = None, limit: int = LIMIT) -> str | None:
    """The value of a decision as it is stored, None without one. Raises `InvalidInput` where it does not fit the question.

    None is a value of its own where the word carries any value; elsewhere it means that nothing is carried. Where the process has the
    component that asks, and its form is that of the question, the class and the check of the form judge the values as a whole.
    """
    fits = fitting(pause, word, value)
    if word in DECISIONS[pause.kind] and carries(word, "form") and asks(pause, form_of(component)):
        as_given(pause.step_name, component, fits)
    return None if fits is None and not carries(word, "value") else encode(fits, limit=limit)


def as_given(step_name: str, component: Any, values: Mapping[str, Any]) -> Any:
    """The values of a form as the step gets them: an instance of its class, or the mapping. Raises `InvalidInput` where they do not fit together."""
    model = getattr(form_of(component), "model", None)
    made = values if model is None else judged(step_name, model, values)
    check = getattr(getattr(component, "human_review", None), "user_input_check", None)
    if check is None:
        return made
    try:
        verdict = check(made)
    except (ValueError, TypeError) as error:
        raise InvalidInput(step_name, reasons(error, revealed(values))) from None  # as above: its text may repeat a value
    if isinstance(verdict, str):
        raise InvalidInput(step_name, [unrepeated(verdict, repeatable(revealed(values)), "user_input_check")])
    if verdict is not None and verdict is not True:
        told = "the values do not fit together (user_input_check)"
        odd = f"user_input_check gave {described(verdict)}; it gives None or True, else the reason as a text, or False"
        raise InvalidInput(step_name, [told if verdict is False else odd])
    return made


def revealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with secrets as texts, so that a reason that repeats one is found."""
    return {name: each.reveal() if isinstance(each, Secret) else each for name, each in values.items()}


def judged(step_name: str, model: Any, values: Mapping[str, Any]) -> Any:
    """An instance of a form's class. Raises `InvalidInput` with the reasons of the class, and without a value, secret ones included."""
    try:
        return instance(model, values)
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            step_name, reasons(error, revealed(values))
        ) from None  # a traceback would show its text, and with it a value


def carries(word: str | None, what: Carries) -> bool:
    """Whether a decision word, None before a decision, carries this kind of data."""
    known = BY_WORD.get(word) if word is not None else None
    return known is not None and known.carries == what


def form_of(component: Any) -> Any:
    """The form of a component that this process has; None where there is none."""
    return getattr(getattr(component, "human_review", None), "user_input_schema", None)


def asks(pause: Pause, form: Iterable[UserInputField] | None) -> bool:
    """Whether a question has this form: a question of another definition is judged by its own fields alone."""
    schema = pause_detail(pause.detail).schema
    return (schema is None) == (form is None) and list(schema or ()) == [each.to_dict() for each in form or ()]


def fitting(pause: Pause, word: str, value: Any) -> Any:  # noqa: PLR0911  # one for each kind of data
    """The value of a decision in the form in which it is stored. Raises `InvalidInput` where it does not fit the question.

    An unknown word is left for the store to refuse, which knows first whether the pause was decided.
    """
    if word not in DECISIONS[pause.kind]:
        return value
    match BY_WORD[word].carries:
        case "form":
            schema = pause_detail(pause.detail).schema
            return checked(
                pause.step_name, [UserInputField(**each) for each in schema] if schema is not None else None, value or {}
            )
        case "names":
            said = pause_detail(pause.detail)
            names = [value] if isinstance(value, str) else list(value or ())
            return chosen_names(pause.step_name, names, said.choices or (), multiple=said.multiple or False)
        case "value":
            return value.content if type(value) is StepOutput else value
        case "reply":
            return taken(pause.step_name, pause_detail(pause.detail), value)
        case "feedback":
            return value
        case "nothing":
            if value is not None:
                raise InvalidInput(pause.step_name, [f"{quoted(word)} carries no value"])
            return None


def reasons(error: Exception, given: Any) -> list[str]:
    """Why the class of a schema refuses an input: of each field its place and the reason, and no value.

    A library of schemas lists them under `errors()`, as pydantic does. A reason that repeats a value of the input is left out.
    """
    texts = repeatable(given)
    found: Any = getattr(error, "errors", None)
    listed = [each for each in found() if isinstance(each, Mapping)] if callable(found) else []
    if not listed:
        return [unrepeated(str(error), texts, type(error).__name__)]
    told = [
        (".".join(map(str, each.get("loc", ()))), unrepeated(str(each.get("msg")), texts, each.get("type", ""))) for each in listed
    ]
    return [f"{place}: {reason}" if place else reason for place, reason in told]


def repeatable(given: Any) -> tuple[str, ...]:
    """The values in an input that a reason must not repeat."""
    return tuple(text for text in leaves(plain(given)) if len(text) >= REPEATED)


def unrepeated(reason: str, texts: Iterable[str], kind: str) -> str:
    """A reason; of one that repeats a value only its kind."""
    return f"it was refused ({kind})" if any(text in reason for text in texts) else reason


def leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in a value, as texts."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, str | int | float | bytes):
        yield str(value)


def chosen_names(step_name: str, choices: Iterable[str], known: Sequence[str], *, multiple: bool) -> list[str]:
    """The names of a selection. Raises `InvalidInput` where it is empty, unknown, repeated, or more than was asked for."""
    names = list(choices)
    wrong = [
        f"choice {number} is none of {', '.join(map(quoted, known))}" for number, name in enumerate(names, 1) if name not in known
    ]
    if not names:
        wrong.append("nothing was selected")
    if len(set(map(str, names))) < len(names):
        wrong.append("a choice is selected twice")
    if len(names) > 1 and not multiple:
        wrong.append("one choice is asked for; allow_multiple_selections is not set")
    if wrong:
        raise InvalidInput(step_name, wrong)
    return names
