"""Agents whose tool calls a person approves: the call of an adapter, its questions, and the verdicts with which it goes on (TOOL-1, TOOL-2).

The notes of such a step have the agent's saved state, the name and version of its framework, and the calls that it asked about. They and the
answers are all that the next attempt needs: in this process, or in another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from statecore.agents.reference import Reference
from statecore.definition import UserInputField
from statecore.definition.agents import Asks, Done, Failed, InputCall, Ruling, Task, ToolCall, is_adapter
from statecore.definition.questions import Answered, AnswersByKey, Ask
from statecore.errors import AgentFailed, OtherFramework

from . import agents

if TYPE_CHECKING:
    from statecore.core import Call
    from statecore.definition import Step
    from statecore.definition.agents import Adapter

    from .execution import Execution


class ToldBefore(agents.Told, Protocol):
    """The facts of a call: those that an agent is told, and what its step has asked before."""

    def answers(self) -> AnswersByKey:
        """The answers of this visit."""

    def notes(self) -> Any:
        """The last notes of this visit."""


FORMAT = "statecore/agent/1"
"""The form of the notes."""


def adapter_of(step: Step) -> Adapter | None:
    """The adapter of a step: its agent, or that of the reference framework for an agent that may pause; None where its agent asks nothing."""
    if step.agent is None:
        return None
    if is_adapter(step.agent):
        found: Adapter = step.agent
        return found
    reference: Adapter | None = Reference(step.agent) if step.may_ask else None
    return reference


def go(execution: Execution, call: Call, values: ToldBefore, adapter: Adapter) -> Any:
    """Start the agent of a step, or let it go on with the verdicts on the calls that it asked about. Raises `OtherFramework`."""
    task = Task(agents.prompt(values), {name: give(execution, values) for name, give in agents.OFFERED.items()})
    notes, answers = notes_of(execution, call, values)
    if notes is None:
        return adapter.start(task)
    if (notes["framework"], notes["version"]) != (adapter.framework, adapter.version):
        name = execution.program.nodes[call.at].name
        raise OtherFramework(name, f"{notes['framework']} {notes['version']}", f"{adapter.framework} {adapter.version}")
    calls = [call_of(each) for each in notes["calls"]]
    if len(answers) < len(calls):
        return Asks(calls, notes["state"])  # they have lapsed (ASK-8): the same calls are asked about anew
    return adapter.resume(notes["state"], [verdict_on(*each) for each in zip(calls, answers, strict=True)], task)


def notes_of(execution: Execution, call: Call, values: ToldBefore) -> tuple[Any, Sequence[Answered]]:
    """The notes of the last question and the answers to it; None where the agent begins, also after a review that rejected its output."""
    notes = values.notes()
    if notes is None or notes["reviews"] != execution.cursor_at(call).marks.reviews:
        return None, ()
    return notes, values.answers()[notes["before"] :]


def is_spent(execution: Execution, call: Call) -> bool:
    """Whether a call has let an agent go on with an approval: no automatic retry follows its failure, for the tool may have run (TOOL-2)."""
    component: Any = execution.compiled.components.get(call.at)
    if getattr(component, "agent", None) is None or adapter_of(component) is None:
        return False
    marks = execution.cursor_at(call).marks
    if not marks.asked:
        return False
    history = execution.history()
    notes = history.notes(call.at, call.turn)
    said = [each.value for each in history.answers(call.at, call.turn)[notes["before"] :]] if notes is not None else []
    return notes is not None and notes["reviews"] == marks.reviews and any(map(approves, said))


def approves(said: Any) -> bool:
    """Whether an answer lets a tool run: an approval, or the values that an agent asked for."""
    return bool(said.get("approved", True)) if isinstance(said, dict) else True


# -- questions and verdicts --------------------------------------------------------------------------------------------------------


def questions(execution: Execution, call: Call, adapter: Adapter, asked: Asks) -> list[Ask]:
    """The questions that the calls of an agent put, with its saved state as their notes. Raises `AgentFailed` where it asks nothing."""
    marks = execution.cursor_at(call).marks
    if not asked.calls:
        raise AgentFailed(execution.program.nodes[call.at].name, "PAUSED", "it is paused and asks for nothing")
    notes = {
        "format": FORMAT,
        "framework": adapter.framework,
        "version": adapter.version,
        "state": asked.state,
        "calls": [plain(each) for each in asked.calls],
        "before": marks.asked,
        "reviews": marks.reviews,
    }
    return [ask_of(each, notes if number == 0 else None) for number, each in enumerate(asked.calls)]


def ask_of(each: ToolCall | InputCall, notes: Any) -> Ask:
    """The question of one call."""
    if isinstance(each, ToolCall):
        return Ask(each.message, call=each, notes=notes)
    return Ask(each.message, form=list(each.form), call=each, notes=notes)


def plain(each: ToolCall | InputCall) -> dict[str, Any]:
    """A call as plain data, for the notes."""
    fields = each.schema if isinstance(each, ToolCall) else each.form
    form = None if fields is None else [field.to_dict() for field in fields]
    if isinstance(each, ToolCall):
        return {"call": each.plain(), "form": form}
    return {"message": each.message, "id": each.id, "agent": each.agent, "form": form, "tool": each.tool}


def call_of(said: dict[str, Any]) -> ToolCall | InputCall:
    """A call from the notes."""
    form = None if said["form"] is None else [UserInputField(**each) for each in said["form"]]
    if "call" in said:
        return ToolCall(**said["call"], schema=form)
    return InputCall(said["message"], form or [], said["id"], said["agent"], said.get("tool"))


def verdict_on(call: ToolCall | InputCall, answer: Answered) -> Ruling:
    """The verdict that an answer is."""
    if isinstance(call, InputCall):
        return Ruling(call.id, approved=True, values=answer.value, by=answer.by)
    said = answer.value
    return Ruling(call.id, said["approved"], said.get("arguments"), said.get("words"), by=answer.by)


# -- what an adapter gave ------------------------------------------------------------------------------------------------------------


def given(execution: Execution, call: Call, adapter: Adapter, value: Any) -> Any:
    """The outcome of an adapter, as its step hands it on: an output, or questions. Raises `AgentFailed`, also for anything that is no outcome."""
    name = execution.program.nodes[call.at].name
    if isinstance(value, Asks):
        return questions(execution, call, adapter, value)
    if isinstance(value, Failed):
        raise AgentFailed(name, value.word, value.why)
    if not isinstance(value, Done):
        raise AgentFailed(name, "NO OUTCOME", f"its adapter gave {type(value).__name__}, and not Done, Asks or Failed")
    return value.output
