"""Agents of the OpenAI Agents SDK: a tool with `needs_approval` becomes a question, and the `RunState` is the saved state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from agents import Agent, Runner, RunState
from attrs import frozen

from statecore.definition.agents import Asks, Done, Failed, Outcome, Ruling, Task, ToolCall

REJECTED = "A person has rejected this call."
"""The words that reach the model where a person gave none."""


@frozen
class OpenAIAgents:
    """The adapter of an agent of the OpenAI Agents SDK; `options` go to its `Runner`, as `run_config`, `context` and `max_turns`."""

    agent: Agent[Any]
    options: dict[str, Any]
    framework: str
    version: str

    @property
    def name(self) -> str:
        """The agent's name."""
        return str(self.agent.name)

    async def start(self, task: Task) -> Outcome:
        """Run the agent on the prompt."""
        return outcome(await Runner.run(self.agent, task.text, **self.options))

    async def resume(self, state: Any, verdicts: Sequence[Ruling], task: Task) -> Outcome:  # noqa: ARG002  # the prompt is in the state
        """Approve and reject the calls of the state, and let the agent go on."""
        context = self.options.get("context")
        saved: Any = await RunState.from_string(self.agent, state, **({} if context is None else {"context_override": context}))
        said = {each.id: each for each in verdicts}
        for item in saved.get_interruptions():
            verdict = said[str(item.call_id)]
            if verdict.approved:
                saved.approve(item)
            else:
                saved.reject(item, rejection_message=verdict.words or REJECTED)
        return outcome(
            await Runner.run(self.agent, saved, **{name: each for name, each in self.options.items() if name != "context"})
        )


def outcome(result: Any) -> Outcome:
    """The outcome of a result of the SDK."""
    if not result.interruptions:
        return Done(result.final_output)
    calls = [call_of(item) for item in result.interruptions]
    if len({each.id for each in calls}) < len(calls):
        return Failed("two of its calls have one id", "UNSUPPORTED")
    return Asks(calls, result.to_state().to_string())


def call_of(item: Any) -> ToolCall:
    """The tool call of an interruption."""
    said = json.loads(item.arguments) if item.arguments else {}
    arguments = said if isinstance(said, dict) else {"arguments": said}
    return ToolCall(str(item.tool_name or item.name), arguments, str(item.call_id), item.agent.name)


def openai_agents(agent: Agent[Any], **options: Any) -> OpenAIAgents:
    """An agent of the OpenAI Agents SDK for `Step(agent=...)`; the options are those of `Runner.run`, but for its session and streaming.

    Its tools with `needs_approval=True`, or with a function that says so, are asked about. A call is approved or rejected as it is: the SDK
    takes no other arguments for it. Raises `TypeError` for anything but an agent.

    Example: `Step("mail", agent=openai_agents(agent))`.
    """
    if not isinstance(agent, Agent):
        message = f"openai_agents() takes an Agent of the OpenAI Agents SDK, not {type(agent).__name__}"
        raise TypeError(message)
    kept = {"session", "conversation_id", "previous_response_id"} & set(options)
    if kept:
        message = f"openai_agents() takes no {', '.join(sorted(kept))}: the saved state of the agent is kept with its run"
        raise TypeError(message)
    return OpenAIAgents(agent, options, "openai-agents", version("openai-agents"))
