"""The protocol of an adapter: how an agent of a framework becomes a step whose tool calls a person approves (TOOL-1).

An adapter has two calls, `start` and `resume`, and three answers: `Done`, `Asks` and `Failed`. It keeps no run in memory: `Asks` carries the
agent's own saved state as a value, and the next process resumes from that. `may_pause` says by shape whether an agent of the reference
framework may pause; `statecore.agents` has the adapters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from attrs import field, frozen

from statecore.errors import DefinitionError, described, quoted

if TYPE_CHECKING:
    from .forms import UserInputField

ASKS_AT_MOST = 100
"""The number of questions that an agent asks in one visit where its step does not say `may_ask`."""


def plain_arguments(_instance: object, _attribute: object, value: object) -> None:
    """A validator: the arguments of a call are data by name."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        message = f"The arguments of a ToolCall must be a mapping by name, not {described(value)}."
        raise DefinitionError(message)


def some_text(_instance: object, attribute: Any, value: str) -> None:
    """A validator: a text with at least one sign."""
    given: object = value  # annotations bind no caller
    if not isinstance(given, str) or not given:
        message = f"The {attribute.name} of a ToolCall must be a text that is not empty, not {quoted(given)}."
        raise DefinitionError(message)


@frozen
class ToolCall:
    """A call of a tool that an agent wants to make and that a person decides: its name and its arguments, as data.

    `id` is the framework's name of the call. `agent` is the agent that wants it, in a team; `words` are the agent's own words beside it.
    `editable` says that other arguments may be given; `schema` has the fields of the arguments, where they are known.

    Example: `ToolCall("pay", {"amount": 3}, id="call_1")`.
    """

    name: str = field(validator=some_text)
    arguments: Mapping[str, Any] = field(factory=dict, validator=plain_arguments)
    id: str = ""
    agent: str | None = None
    words: str | None = None
    editable: bool = False
    schema: Sequence[UserInputField] | None = None

    @property
    def message(self) -> str:
        """The sentence of the question, where the agent has none of its own."""
        by = f"{self.agent} wants to call" if self.agent else "The agent wants to call"
        told = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{by} {self.name}({told})"

    def plain(self) -> dict[str, Any]:
        """The call as it is stored with its question."""
        told = {"name": self.name, "arguments": dict(self.arguments), "id": self.id, "agent": self.agent, "words": self.words}
        return {name: value for name, value in {**told, "editable": self.editable}.items() if value is not None}


@frozen
class InputCall:
    """Values that an agent asks for: `form` has their fields, `id` is the framework's name of the call, `tool` the tool that wants them (TOOL-4)."""

    message: str
    form: Sequence[UserInputField]
    id: str = ""
    agent: str | None = None
    tool: str | None = None

    def plain(self) -> dict[str, Any]:
        """The call as it is stored with its question."""
        told: dict[str, Any] = {"name": self.tool or "input", "arguments": {}, "id": self.id, "agent": self.agent}
        return {name: value for name, value in told.items() if value is not None}


@frozen
class Done:
    """The agent is done: `output` is the output of its step, or a result that is read as any agent's is (AGENT-2)."""

    output: Any


@frozen
class Asks:
    """The agent is paused: one question for each call, and the agent's saved state, a value that can be stored."""

    calls: Sequence[ToolCall | InputCall]
    state: Any


@frozen
class Failed:
    """The agent failed: the reason, and a word for it."""

    why: str
    word: str = "FAILED"


Outcome: TypeAlias = Done | Asks | Failed
OUTCOMES = (Done, Asks, Failed)


@frozen
class Ruling:
    """The answer of a person to one call of an agent: the call is approved, perhaps with other arguments, or rejected with words.

    `values` are those of a form (`InputCall`), by name. `by` is the person, None where the deadline has rejected the call.
    """

    id: str
    approved: bool
    arguments: dict[str, Any] | None = None
    words: str | None = None
    values: dict[str, Any] | None = None
    by: str | None = None


@frozen
class Task:
    """The facts of one call of an agent: its prompt (AGENT-4), and the values that it may be given by name (AGENT-3), None where there is none."""

    prompt: Any
    given: Mapping[str, Any] = field(factory=dict)

    @property
    def text(self) -> str:
        """The prompt as text."""
        return self.prompt if isinstance(self.prompt, str) else "" if self.prompt is None else str(self.prompt)


class Adapter(Protocol):
    """An agent of a framework as a step runs it. Both calls may be async; a generator yields pieces, and its outcome at its end.

    `framework` and `version` name the framework: a state of another one is refused by name, before the adapter sees it. `resume` is called with
    one verdict for each call of the state, in their order, once for each time that they were decided.
    """

    @property
    def name(self) -> str:
        """The agent's name."""

    @property
    def framework(self) -> str:
        """The framework's name."""

    @property
    def version(self) -> str:
        """The framework's version."""

    def start(self, task: Task) -> Any:
        """Ask the agent: its `Outcome`."""

    def resume(self, state: Any, verdicts: Sequence[Ruling], task: Task) -> Any:
        """Let the agent go on from its saved state: its `Outcome`."""


def is_adapter(agent: object) -> bool:
    """Whether an agent is an adapter: an object with `start` and `resume`."""
    return not isinstance(agent, type) and all(callable(getattr(agent, name, None)) for name in ("start", "resume"))


def check_adapter(where: str, agent: Any) -> None:
    """An adapter names itself and its framework. Raises `DefinitionError`."""
    for name in ("name", "framework", "version"):
        if not isinstance(getattr(agent, name, None), str) or not getattr(agent, name):
            message = f"The agent of {where} has start() and resume(), so it is an adapter, and its {name} is no text."
            raise DefinitionError(message)


FLAGS = ("requires_confirmation", "requires_user_input", "external_execution", "user_feedback_schema")
LISTED = ("requires_confirmation_tools", "external_execution_required_tools")


def may_pause(agent: Any) -> bool:
    """Whether an agent of the reference framework, by shape, may pause for a person: it can be continued, and a tool of it waits."""
    continues = callable(getattr(agent, "continue_run", None)) or callable(getattr(agent, "acontinue_run", None))
    return continues and any(waits(each) for each in tools_of(agent))


def tools_of(agent: Any) -> Iterator[Any]:
    """The tools of an agent, and of the members of a team."""
    tools = getattr(agent, "tools", None)
    yield from tools if isinstance(tools, list | tuple) else [tools] if tools is not None else ()
    members = getattr(agent, "members", None)
    for each in members if isinstance(members, list | tuple) else ():
        yield from tools_of(each)


def waits(tool: Any) -> bool:
    """Whether a tool, or one of a kit of tools, waits for a person."""
    kit = getattr(tool, "functions", None)
    if isinstance(kit, Mapping) and any(waits(each) for each in kit.values()):
        return True
    return any(bool(getattr(tool, name, None)) for name in (*FLAGS, *LISTED))
