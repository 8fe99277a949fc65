"""Verdicts on the tool calls of agents: which answers they are, and the answer that a deadline gives (TOOL-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statecore.definition import UserInputField
from statecore.definition.forms import checked
from statecore.errors import InvalidInput
from statecore.lifecycles.decisions import ANSWER, CONFIRM, EDIT, REJECT
from statecore.stores.detail import PauseDetail

SILENCE = "nobody decided in time"
"""The words that reach the model where the deadline of a tool call has rejected it."""
YES = frozenset({"y", "yes", "true", "approve", CONFIRM.word})
NO = frozenset({"n", "no", "false", REJECT.word})
NAMES = frozenset({"approved", "arguments", "words"})
WANTED = "yes or no is wanted: True, False, 'yes', 'no', 'no: a reason', or {'approved': ..., 'words': ..., 'arguments': ...}"


def meant(word: str, value: Any) -> tuple[str, Any]:
    """A decision of a tool call as it is stored: confirm, edit and reject are answers to it."""
    if word == CONFIRM.word:
        return ANSWER.word, {"approved": True} if value is None else value
    if word == EDIT.word:
        return ANSWER.word, {"approved": True, "arguments": value}
    if word == REJECT.word:
        return ANSWER.word, {"approved": False, "words": value}
    return word, value


def verdict(step_name: str, asked: PauseDetail, value: Any) -> dict[str, Any]:
    """The answer to a tool call as it is stored: approved, with other arguments where these may be given, or rejected with words."""
    said = spelt(value)
    if said is None or set(said) - NAMES or type(said.get("approved")) is not bool:
        raise InvalidInput(step_name, [WANTED])
    given = {name: each for name, each in said.items() if each is not None}
    if "words" in given and (given["approved"] or not isinstance(given["words"], str)):
        raise InvalidInput(step_name, ["the words of a rejection are a text, and an approval has none"])
    if "arguments" in given:
        given["arguments"] = other_arguments(step_name, asked, given)
    return given


def spelt(value: Any) -> dict[str, Any] | None:
    """A verdict out of a bool, a text that spells it, or a mapping; None out of anything else."""
    if isinstance(value, Mapping):
        return dict(value)
    if type(value) is bool:
        return {"approved": value}
    if not isinstance(value, str):
        return None
    word, _, rest = value.partition(":")
    word = word.strip().lower()
    if word in YES and not rest.strip():
        return {"approved": True}
    return {"approved": False, "words": rest.strip() or None} if word in NO else None


def other_arguments(step_name: str, asked: PauseDetail, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a person gives instead of the agent's, by name; checked by their fields where these are known."""
    call, arguments = asked.call or {}, given["arguments"]
    if not call.get("editable"):
        raise InvalidInput(step_name, ["the arguments of this call cannot be changed; approve it, or reject it with words"])
    if not given["approved"] or not isinstance(arguments, Mapping) or not all(isinstance(name, str) for name in arguments):
        raise InvalidInput(step_name, ["other arguments are given by name, and with an approval"])
    if asked.schema is None:
        return dict(arguments)
    return checked(step_name, [UserInputField(**each) for each in asked.schema], arguments)
