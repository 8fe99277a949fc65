"""Agents of pydantic-ai: a deferred tool call becomes a question, and the messages so far are the saved state."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from attrs import frozen
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ModelMessagesTypeAdapter, ToolApproved, ToolDenied

from statecore.definition.agents import Asks, Done, Failed, Outcome, Ruling, Task, ToolCall

REJECTED = "A person has rejected this call."
"""The words that reach the model where a person gave none."""


@frozen
class PydanticAI:
    """The adapter of an agent of pydantic-ai; `options` go to its `run`, as `deps`, `usage_limits` and `model_settings`."""

    agent: Agent[Any, Any]
    options: dict[str, Any]
    framework: str
    version: str

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.agent.name or "agent"

    async def start(self, task: Task) -> Outcome:
        """Run the agent on the prompt."""
        return outcome(await self.agent.run(task.text, **self.deferring()))

    async def resume(self, state: Any, verdicts: Sequence[Ruling], task: Task) -> Outcome:  # noqa: ARG002  # the prompt is in the state
        """Let the agent go on from its messages, with a result for each deferred call."""
        results = DeferredToolResults(approvals={each.id: result_of(each) for each in verdicts})
        messages = ModelMessagesTypeAdapter.validate_json(state)
        return outcome(await self.agent.run(message_history=messages, deferred_tool_results=results, **self.deferring()))

    def deferring(self) -> dict[str, Any]:
        """The options, with an output type that takes deferred calls."""
        known = self.options.get("output_type", self.agent.output_type)
        several = list(known) if isinstance(known, list | tuple) else [known]
        return {**self.options, "output_type": several if DeferredToolRequests in several else [*several, DeferredToolRequests]}


def result_of(verdict: Ruling) -> ToolApproved | ToolDenied:
    """The result of a deferred call."""
    if verdict.approved:
        return ToolApproved(override_args=verdict.arguments)
    return ToolDenied(verdict.words or REJECTED)


def outcome(result: Any) -> Outcome:
    """The outcome of a run of the agent."""
    asked = result.output
    if not isinstance(asked, DeferredToolRequests):
        return Done(asked)
    if asked.calls:
        names = ", ".join(sorted(each.tool_name for each in asked.calls))
        return Failed(f"its tools {names} are executed elsewhere, and only approvals are asked here", "UNSUPPORTED")
    words = "\n".join(part.content for part in result.response.parts if part.part_kind == "text" and part.content) or None
    calls = [
        ToolCall(each.tool_name, each.args_as_dict(), each.tool_call_id, words=words, editable=True) for each in asked.approvals
    ]
    return Asks(calls, result.all_messages_json().decode())


def pydantic_ai(agent: Agent[Any, Any], **options: Any) -> PydanticAI:
    """An agent of pydantic-ai for `Step(agent=...)`; the options are those of its `run`, but for the messages and the deferred results.

    Its tools with `requires_approval=True`, and those that raise `ApprovalRequired`, are asked about; other arguments may be given with an
    approval. Raises `TypeError` for anything but an agent.

    Example: `Step("mail", agent=pydantic_ai(agent))`.
    """
    if not isinstance(agent, Agent):
        message = f"pydantic_ai() takes an Agent of pydantic-ai, not {type(agent).__name__}"
        raise TypeError(message)
    kept = {"message_history", "deferred_tool_results"} & set(options)
    if kept:
        message = f"pydantic_ai() takes no {', '.join(sorted(kept))}: the saved state of the agent is kept with its run"
        raise TypeError(message)
    return PydanticAI(agent, options, "pydantic-ai", version("pydantic-ai-slim"))
