"""The wait of an agent in the words of the reference framework: `executor_requirements` of a requirement, and their plain data (TOOL-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from statecore.errors import InvalidInput
from statecore.lifecycles.decisions import ANSWER, CONFIRM, REJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.definition import UserInputField


@frozen
class ToolExecution:
    """The call of a tool that an agent waits with: its name, its arguments and the framework's id; `user_input_schema` where it asks for values."""

    tool_name: str
    tool_args: dict[str, Any]
    tool_call_id: str
    requires_confirmation: bool
    requires_user_input: bool
    confirmed: bool | None = None
    answered: bool | None = None
    user_input_schema: list[UserInputField] | None = None


@frozen
class ExecutorRequirement:
    """The wait of a step's agent: for the confirmation of a tool call, or for the values of a form.

    A word on it is recorded on the requirement that it belongs to: `confirm`, `reject` with a note for the model, `provide_user_input`.

    Example: `run.steps_requiring_executor_resolution[0].executor_requirements[0].confirm()`.
    """

    _asked: Any = field(repr=False)

    @property
    def id(self) -> str:
        """The framework's name of the call."""
        return str((self._asked.call or {}).get("id", ""))

    @property
    def tool_execution(self) -> ToolExecution:
        """The call as data."""
        asked = self._asked
        return ToolExecution(
            asked.tool_name or "",
            asked.tool_args or {},
            self.id,
            requires_confirmation=asked.is_tool_call,
            requires_user_input=not asked.is_tool_call,
            confirmed=self.confirmation,
            answered=None if asked.is_tool_call else asked.is_resolved,
            user_input_schema=self.user_input_schema,
        )

    @property
    def member_agent_name(self) -> str | None:
        """The agent of a team that asks."""
        name: str | None = (self._asked.call or {}).get("agent")
        return name

    @property
    def user_input_schema(self) -> list[UserInputField] | None:
        """The fields that the agent asks for; None where it asks for a confirmation."""
        fields: list[UserInputField] | None = None if self._asked.is_tool_call else self._asked.user_input_schema
        return fields

    @property
    def confirmation(self) -> bool | None:
        """True after a confirmation, False after a rejection, None before."""
        confirmed: bool | None = self._asked.confirmed if self._asked.is_tool_call else None
        return confirmed

    @property
    def confirmation_note(self) -> str | None:
        """The words of a rejection."""
        note: str | None = self._asked.rejection_feedback if self._asked.is_tool_call else None
        return note

    @property
    def needs_confirmation(self) -> bool:
        """Whether a confirmation is still owed."""
        return self._asked.is_tool_call and not self._asked.is_resolved

    @property
    def needs_user_input(self) -> bool:
        """Whether values are still owed."""
        return not self._asked.is_tool_call and not self._asked.is_resolved

    def is_resolved(self) -> bool:
        """Whether nothing is owed any more."""
        return bool(self._asked.is_resolved)

    def confirm(self, *, by: str | None = None) -> None:
        """Approve the call. Raises `UnknownDecision` where values are asked for."""
        self._asked.decide(CONFIRM.word, by=by)

    def reject(self, note: str | None = None, *, by: str | None = None) -> None:
        """Reject the call, or the form; the note of a rejected call reaches the model."""
        self._asked.decide(REJECT.word, note, by=by)

    def provide_user_input(self, values: Mapping[str, Any], *, by: str | None = None) -> None:
        """Give the values of the form, by name. Raises `InvalidInput` for a value that does not fit."""
        self._asked.answer(dict(values), by=by)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, under the names of the reference framework; `StepRequirement.from_dict` reads a word from it."""
        call = self.tool_execution
        fields = None if call.user_input_schema is None else [each.to_dict() for each in call.user_input_schema]
        told = {name: getattr(call, name) for name in CALL} | {"user_input_schema": fields}
        plain = {"id": self.id, "confirmation": self.confirmation, "confirmation_note": self.confirmation_note}
        return {**plain, "member_agent_name": self.member_agent_name, "tool_execution": told, "user_input_schema": fields}


CALL = ("tool_name", "tool_args", "tool_call_id", "requires_confirmation", "requires_user_input", "confirmed", "answered")
"""The words of plain data about a call, beside its form."""


def take_word(asked: Any, plain: Mapping[str, Any]) -> None:
    """Let a word in the plain data of `executor_requirements` count as the decision. Raises `InvalidInput` where two words contradict each other."""
    listed: list[Any] = plain.get("executor_requirements") or []
    if not asked.requires_executor_input or len(listed) != 1:
        return
    [said] = listed
    told = word_of(asked, said)
    if told is None:
        return
    if asked.decision is None and told[0] == ANSWER.word:
        asked.answer(told[1])
    elif asked.decision is None:
        asked.decide(*told)
    elif asked.is_tool_call and asked.confirmed != (told[0] == CONFIRM.word):
        raise InvalidInput(asked.step_name, ["executor_requirements says otherwise than the rest"])


def word_of(asked: Any, said: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The word that plain data of an executor requirement says; None where it says none. Raises `InvalidInput` where it says two."""
    call = said.get("tool_execution") or {}
    if not asked.is_tool_call:
        fields = said.get("user_input_schema") or call.get("user_input_schema") or ()
        values = {each["name"]: each.get("value") for each in fields if each.get("value") is not None}
        return (ANSWER.word, values) if call.get("answered") is True else None
    words = {each for each in (said.get("confirmation"), call.get("confirmed")) if each is not None}
    if not words:
        return None
    if words not in ({True}, {False}):
        raise InvalidInput(asked.step_name, ["an executor requirement is confirmed by True and rejected by False, and not by both"])
    return (CONFIRM.word, None) if words == {True} else (REJECT.word, said.get("confirmation_note"))
