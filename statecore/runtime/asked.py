"""Questions that the code of a step asks: how they are stored and shown, and the check of an answer before it is stored (ASK-6, ASK-7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from statecore.codec import decode, encode
from statecore.codec.values import LIMIT
from statecore.definition import UserInputField
from statecore.definition.forms import checked
from statecore.definition.questions import AskedQuestion
from statecore.errors import InvalidInput, described, quoted
from statecore.lifecycles import words as w
from statecore.stores.detail import PauseDetail, detail_of, pause_text

from .verdicts import verdict

if TYPE_CHECKING:
    from statecore.core import Commit, OpenQuestion

YES_OR_NO = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
"""The texts that stand for a yes or no."""


def questions_in(detail: str) -> list[AskedQuestion]:
    """The questions of a row in which code asked."""
    said = detail_of(detail).questions
    return [AskedQuestion(*each) for each in decode(said)] if said is not None else []


def asked_in(ask: OpenQuestion, effect: Commit) -> AskedQuestion:
    """A question that an effect puts."""
    before = next(c.marks.asked for c in effect.before.cursors if (c.at, c.turn) == (ask.at, ask.turn))
    body = next(e.body for e in effect.events if e.trigger == w.ask and (e.at, e.turn) == (ask.at, ask.turn))
    return questions_in(body.detail)[(ask.number or 0) - before]


def question_shown(ask: OpenQuestion, effect: Commit) -> str:
    """The stored details of a question that an effect puts: the kind of answer, and the choices or the form."""
    put = asked_in(ask, effect)
    schema = None if put.schema is None else tuple(put.schema)
    options = None if put.options is None else tuple(put.options)
    multiple = put.multiple or None
    return pause_text(PauseDetail(schema=schema, multiple=multiple, wants=put.wants, key=put.key, options=options, call=put.call))


# -- answers -----------------------------------------------------------------------------------------------------------------------


def taken(step_name: str, asked: PauseDetail, value: Any) -> Any:
    """An answer as it is stored. A text that spells one of the choices, or yes or no, is that. Raises `InvalidInput` for any other value."""
    return TAKES[asked.wants or "text"](step_name, asked, value)


def text(step_name: str, _asked: PauseDetail, value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str):
        raise InvalidInput(step_name, [f"a text is wanted, not {described(value)}"])
    if not value.strip():
        raise InvalidInput(step_name, ["a text is wanted, and it is empty"])
    return value


def yes_or_no(step_name: str, _asked: PauseDetail, value: Any) -> bool:
    """True or False."""
    said = YES_OR_NO.get(value.lower(), value) if isinstance(value, str) else value
    if type(said) is not bool:
        raise InvalidInput(step_name, ["yes or no is wanted: True or False"])
    return said


def values(step_name: str, asked: PauseDetail, value: Any) -> dict[str, Any]:
    """The values of a form."""
    schema = [UserInputField(**each) for each in asked.schema or ()]
    return checked(step_name, schema, value if value is not None else {})


def choice(step_name: str, asked: PauseDetail, value: Any) -> Any:
    """One of the choices, or a list of several."""
    options = asked.options or ()
    if not asked.multiple:
        return chosen(step_name, options, value)
    several = [chosen(step_name, options, each) for each in (value if isinstance(value, list | tuple) else [value])]
    if not several or len({encode(each) for each in several}) < len(several):
        raise InvalidInput(step_name, ["at least one choice is wanted, and each at most once"])
    return several


def chosen(step_name: str, options: Sequence[Any], value: Any) -> Any:
    """One of the choices: the same value, or the only one that a text spells. Raises `InvalidInput`."""
    same = encode(value, limit=LIMIT)
    for each in options:
        if encode(each) == same:
            return each
    spelt = [each for each in options if isinstance(value, str) and str(each) == value]
    if len(spelt) != 1:
        raise InvalidInput(step_name, [f"the answer is none of the choices: {', '.join(map(quoted, options))}"])
    return spelt[0]


TAKES: dict[str, Callable[[str, PauseDetail, Any], Any]] = {
    "text": text,
    "confirmation": yes_or_no,
    "input": values,
    "choice": choice,
    "tool_call": verdict,
}
"""The check of an answer by the kind of answer that its question wants."""
