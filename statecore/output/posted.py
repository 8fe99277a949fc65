"""An answer that comes back in the plain data of a requirement, as a page posts it: under the names that `to_dict` writes beside the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.errors import InvalidInput
from statecore.lifecycles import SHOWS
from statecore.lifecycles.decisions import ANSWER, CONFIRM, EDIT, INPUT, REJECT, SELECT

if TYPE_CHECKING:
    from collections.abc import Mapping

MEANT = {"user_input": INPUT, "selected_choices": SELECT, "edited_output": EDIT, "rejection_feedback": REJECT}
"""The names under which plain data repeats a value, each with the word that it means."""

ANSWERED = (*MEANT, "confirmed")
"""All names that repeat an answer; `confirmed` says only yes or no."""

EMPTY = ("rejection_feedback", "")
"""A field of a page that was left empty."""


def take_posted(asked: Any, plain: Mapping[str, Any]) -> None:
    """Let an answer of plain data count as the decision of a requirement. Raises `InvalidInput` where two of them contradict each other."""
    given = {name: plain.get(name) for name in ANSWERED}
    told = {name: value for name, value in given.items() if value is not None and (name, value) != EMPTY}
    if asked.decision is None and told:
        told |= {"value": asked.value} if asked.value is not None else {}
        asked.decision, asked.value = answer_of(asked, told)
    wrong = [f"{name} says otherwise than the rest" for name, value in told.items() if getattr(asked, name) != value]
    if wrong:
        raise InvalidInput(asked.step_name, wrong)


def answer_of(asked: Any, told: Mapping[str, Any]) -> tuple[str, Any]:
    """The word and the value of an answer that stands under the names of `ANSWERED` alone; a yes to a form means its values as posted."""
    for name, meant in MEANT.items():
        if name in told:
            return meant.word, told[name]
    if told["confirmed"] is False:
        return REJECT.word, None
    if SHOWS.get(asked.kind) == "form":
        return INPUT.word, {each.name: each.value for each in asked.user_input_schema or () if each.value is not None}
    return (ANSWER.word, True) if SHOWS.get(asked.kind) == "question" else (CONFIRM.word, None)
