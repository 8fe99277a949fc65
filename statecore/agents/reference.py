"""Agents and teams of the reference framework (agno), recognised by shape: a paused result becomes questions, and `continue_run` goes on.

The saved state is the framework's own plain data of the paused result. Nothing of the framework is imported before a result is read back.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from attrs import field, frozen

from statecore.definition import UserInputField
from statecore.definition.agents import Asks, Done, Failed, InputCall, Outcome, Ruling, Task, ToolCall
from statecore.errors import DefinitionError

TYPES: dict[type, str] = {str: "str", int: "int", float: "float", bool: "bool", list: "list", dict: "dict"}


def installed_version() -> str:
    """The version of the framework that is installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # it loads what speaks to networks

    try:
        return version("agno")
    except PackageNotFoundError:
        return "unknown"


@frozen
class Reference:
    """The adapter of an agent or a team that has `run` and `continue_run`, or their async twins."""

    agent: Any
    framework: str = "agno"
    version: str = field(factory=installed_version)

    @property
    def name(self) -> str:
        """The agent's name."""
        return str(getattr(self.agent, "name", None) or type(self.agent).__name__)

    def start(self, task: Task) -> Any:
        """Run the agent with what its signature names."""
        return self.brought(self.method("run")(task.prompt, **self.keywords("run", task)))

    def resume(self, state: Any, verdicts: Sequence[Ruling], task: Task) -> Any:
        """Continue the paused run that the state has, each of its requirements resolved."""
        run = read(deepcopy(state), is_team=hasattr(self.agent, "members"))
        for requirement, verdict in zip(open_requirements(run), verdicts, strict=True):
            resolve(requirement, verdict)
        share_calls(run)
        given = self.keywords("continue_run", task)
        return self.brought(self.method("continue_run")(run_response=run, requirements=run.requirements, **given))

    def method(self, name: str) -> Callable[..., Any]:
        """A method of the agent, or its async twin where it has no other."""
        found: Callable[..., Any] = getattr(self.agent, name, None) or getattr(self.agent, f"a{name}")
        return found

    def keywords(self, name: str, task: Task) -> dict[str, Any]:
        """The values that a method is given by name: those that its signature has; of a stream its result, too."""
        known = inspect.signature(self.method(name)).parameters
        given = {each: value for each, value in task.given.items() if each in known and value is not None}
        if given.get("stream") and "yield_run_output" in known:
            given["yield_run_output"] = True
        return given

    def brought(self, result: Any) -> Any:
        """The outcome of a result, of a promise of one, or of the stream that ends with one."""
        if isinstance(result, AsyncIterator):
            return self.astreamed(result)
        if isinstance(result, Iterator):
            return self.streamed(result)
        return self.awaited(result) if inspect.isawaitable(result) else outcome(result)

    async def awaited(self, result: Any) -> Outcome:
        """The outcome of a promise."""
        return outcome(await result)

    def streamed(self, events: Iterator[Any]) -> Iterator[Any]:
        """The events of a stream, then its outcome."""
        seen: list[Any] = []
        for each in events:
            seen.append(each)
            yield each
        yield outcome_of_stream(seen)

    async def astreamed(self, events: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The events of an async stream, then its outcome."""
        seen: list[Any] = []
        async for each in events:
            seen.append(each)
            yield each
        yield outcome_of_stream(seen)


def outcome_of_stream(seen: list[Any]) -> Outcome:
    """The outcome of a stream: that of its last result, which has the requirements; else of all that was yielded."""
    results = [each for each in seen if hasattr(each, "requirements") and hasattr(each, "messages")]
    return outcome(results[-1]) if results else Done(seen[-1] if seen else None)


def outcome(result: Any) -> Outcome:
    """The outcome of a result: questions where it is paused for a person, else the result itself."""
    waiting = open_requirements(result) if getattr(result, "is_paused", False) is True else []
    if not waiting:
        return Done(result)
    others = sorted({kind for each in waiting if (kind := unsupported(each)) is not None})
    if others:
        return Failed(
            f"its tools wait for {', '.join(others)}, and only confirmations and user input are asked here", "UNSUPPORTED"
        )
    words = result.content if isinstance(result.content, str) and not hasattr(result, "member_responses") else None
    return Asks([call_of(each, words or None) for each in waiting], result.to_dict())


def open_requirements(run: Any) -> list[Any]:
    """The requirements of a paused run that nobody has resolved."""
    return [each for each in run.requirements or () if not each.is_resolved()]


def unsupported(requirement: Any) -> str | None:
    """The kind of a requirement that is not asked here; None for one that is."""
    if getattr(requirement, "needs_external_execution", False):
        return "external execution"
    return "user feedback" if getattr(requirement, "needs_user_feedback", False) else None


def call_of(requirement: Any, words: str | None) -> ToolCall | InputCall:
    """The call of a requirement: a tool that is to be confirmed, or values that its tool asks for."""
    tool, member = requirement.tool_execution, getattr(requirement, "member_agent_name", None)
    if requirement.needs_confirmation:
        return ToolCall(tool.tool_name, dict(tool.tool_args or {}), str(requirement.id), member, words)
    form = [field_of(each) for each in requirement.user_input_schema or ()]
    asks = f"{member or 'The agent'} asks for the values of {tool.tool_name}"
    return InputCall(asks, form, str(requirement.id), member, tool.tool_name)


def field_of(each: Any) -> UserInputField:
    """A field of the framework's form; a type that is none of ours is a text."""
    given = each.field_type if isinstance(each.field_type, str) else TYPES.get(each.field_type, "str")
    kind = given if given in TYPES.values() else "str"
    return UserInputField(each.name, kind, description=each.description, value=each.value)


def resolve(requirement: Any, verdict: Ruling) -> None:
    """Put a verdict into its requirement."""
    if verdict.values is not None:
        requirement.provide_user_input(verdict.values)
    elif verdict.approved:
        requirement.confirm()
    else:
        requirement.reject(verdict.words)


def share_calls(run: Any) -> None:
    """Let the calls of a run be those of its requirements: read back, they are copies, and the framework looks at the calls."""
    resolved = {each.tool_execution.tool_call_id: each.tool_execution for each in run.requirements}
    if run.tools:
        run.tools = [resolved.get(each.tool_call_id, each) for each in run.tools]


def read(state: Any, *, is_team: bool) -> Any:
    """A paused run out of its plain data. Raises `DefinitionError` where the framework is not there."""
    try:
        if is_team:
            from agno.run.team import TeamRunOutput  # noqa: PLC0415  # the framework is the user's own

            return TeamRunOutput.from_dict(state)
        from agno.run.agent import RunOutput  # noqa: PLC0415  # as above

        return RunOutput.from_dict(state)
    except ImportError as error:
        message = "the agent's saved state is read by agno, and that is not installed here"
        raise DefinitionError(message) from error
