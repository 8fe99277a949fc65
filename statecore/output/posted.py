"""An answer that comes back in the plain data of a requirement, as a page posts it: under the names that `to_dict` writes beside the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.errors import InvalidInput
from statecore.lifecycles import SHOWS
from statecore.lifecycles.decisions import ANSWER, CONFIRM, EDIT, INPUT, REJECT, SELECT
from statecore.runtime.asked import taken
from statecore.stores.detail import PauseDetail

from .executors import take_word

if TYPE_CHECKING:
    from collections.abc import Mapping

MEANT = {"user_input": INPUT, "selected_choices": SELECT, "edited_output": EDIT, "rejection_feedback": REJECT}
"""The names under which plain data repeats a value, each with the word that it means."""

ANSWERED = (*MEANT, "confirmed")
"""All names that repeat an answer; `confirmed` says only yes or no."""

EMPTY = ("rejection_feedback", "")
"""A field of a page that was left empty."""


def answered(asked: Any, value: Any) -> Any:
    """The answer to a question of a step's code, as a requirement records it. Raises `InvalidInput` for a value that does not fit."""
    schema = None if asked.user_input_schema is None else tuple(each.to_dict() for each in asked.user_input_schema)
    options, multiple = tuple(asked.options), asked.allow_multiple_selections
    return taken(
        asked.step_name, PauseDetail(wants=asked.wants, schema=schema, options=options, multiple=multiple, call=asked.call), value
    )


def agent_told(asked: Any) -> dict[str, Any]:
    """The part of plain data that only a question of an agent has, in the reference framework's words (TOOL-6)."""
    if not asked.requires_executor_input:
        return {}
    return {"requires_executor_input": True, "executor_requirements": [each.to_dict() for each in asked.executor_requirements]}


def said_of(value: Any, name: str) -> Any:
    """A part of a verdict on a tool call; None before there is one."""
    return value.get(name) if isinstance(value, dict) else None


def take_posted(asked: Any, plain: Mapping[str, Any]) -> None:
    """Let an answer of plain data count as the decision of a requirement. Raises `InvalidInput` where two of them contradict each other."""
    take_word(asked, plain)
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
    if asked.is_tool_call and "rejection_feedback" in told:
        return ANSWER.word, {"approved": False, "words": told["rejection_feedback"]}
    for name, meant in MEANT.items():
        if name in told:
            return meant.word, told[name]
    if told["confirmed"] is False and not asked.is_tool_call:
        return REJECT.word, None
    if SHOWS.get(asked.kind) == "form":
        return INPUT.word, {each.name: each.value for each in asked.user_input_schema or () if each.value is not None}
    if asked.is_tool_call:
        return ANSWER.word, {"approved": told["confirmed"]}
    return (ANSWER.word, True) if SHOWS.get(asked.kind) == "question" else (CONFIRM.word, None)
