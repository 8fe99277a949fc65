"""Agents of LangChain: an interrupt of its `HumanInTheLoopMiddleware` becomes questions, and the newest checkpoint is the saved state.

The checkpoint is read back with the types of LangGraph's own list of safe ones, and with no other: a stored name imports nothing.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from attrs import frozen
from langchain import __version__ as langchain_version
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command

from statecore.definition.agents import Asks, Done, Failed, Outcome, Ruling, Task, ToolCall

THREAD = "statecore"
CONFIG = {"configurable": {"thread_id": THREAD, "checkpoint_ns": ""}}
REJECTED = "A person has rejected this call."
"""The words that reach the model where a person gave none."""


@frozen
class LangChain:
    """The adapter of a graph that `create_agent` made; `options` go to its `ainvoke`, as `context`, and its `config` is taken over."""

    graph: Any
    options: dict[str, Any]
    framework: str
    version: str

    @property
    def name(self) -> str:
        """The agent's name."""
        return str(self.graph.name)

    async def start(self, task: Task) -> Outcome:
        """Run the agent on the prompt."""
        return await self.invoked({"messages": [{"role": "user", "content": task.text}]}, saver())

    async def resume(self, state: Any, verdicts: Sequence[Ruling], task: Task) -> Outcome:  # noqa: ARG002  # the prompt is in the state
        """Let the agent go on from its checkpoint, with a decision for each action that it asked about."""
        decisions: dict[str, Any] = {name: {"decisions": []} for name, _ in state["asked"]}
        actions = [(name, action) for name, listed in state["asked"] for action in listed]
        for (name, action), verdict in zip(actions, verdicts, strict=True):
            decisions[name]["decisions"].append(decision_of(action, verdict))
        return await self.invoked(Command(resume=decisions), restored(state))

    async def invoked(self, given: Any, kept: InMemorySaver) -> Outcome:
        """The outcome of the graph, called on a checkpointer of its own."""
        graph = self.graph.copy(update={"checkpointer": kept})
        config = {**self.options.get("config", {}), **CONFIG}
        more = {name: value for name, value in self.options.items() if name != "config"}
        result = await graph.ainvoke(given, config, **more)
        waiting = result.get("__interrupt__", ())
        return asked(waiting, kept) if waiting else Done(final(result))


def final(result: Mapping[str, Any]) -> Any:
    """The output: the structured response where there is one, else the text of the last message."""
    if result.get("structured_response") is not None:
        return result["structured_response"]
    return str(result["messages"][-1].text)


def asked(waiting: Sequence[Any], kept: InMemorySaver) -> Outcome:
    """The questions of some interrupts, with the checkpoint as the saved state."""
    if not all(isinstance(each.value, Mapping) and each.value.get("action_requests") for each in waiting):
        return Failed("it is interrupted by something else than HumanInTheLoopMiddleware", "UNSUPPORTED")
    calls, named = [], []
    for each in waiting:
        allowed = {config["action_name"]: config["allowed_decisions"] for config in each.value["review_configs"]}
        actions = each.value["action_requests"]
        for action in actions:
            words = allowed[action["name"]]
            if "approve" not in words or "reject" not in words:
                return Failed(f"its tool {action['name']} does not allow both approve and reject", "UNSUPPORTED")
            calls.append(ToolCall(action["name"], dict(action["args"]), words=action.get("description"), editable="edit" in words))
        named.append([each.id, [action["name"] for action in actions]])
    return Asks(calls, {"asked": named, **saved(kept)})


def decision_of(action: str, verdict: Ruling) -> dict[str, Any]:
    """The decision of the middleware that a verdict is."""
    if not verdict.approved:
        return {"type": "reject", "message": verdict.words or REJECTED}
    if verdict.arguments is not None:
        return {"type": "edit", "edited_action": {"name": action, "args": verdict.arguments}}
    return {"type": "approve"}


# -- the checkpoint as a value -------------------------------------------------------------------------------------------------------


def saver() -> InMemorySaver:
    """A checkpointer for one call; it constructs safe types only."""
    return InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))


def saved(kept: InMemorySaver) -> dict[str, Any]:
    """The newest checkpoint of each of its graphs, with what was written after it."""
    spaces = {}
    for space in kept.storage[THREAD]:
        found: Any = kept.get_tuple({"configurable": {"thread_id": THREAD, "checkpoint_ns": space}})
        written = [[task, channel, packed(kept, value)] for task, channel, value in found.pending_writes or ()]
        versions = dict(found.checkpoint["channel_versions"])
        spaces[space] = [packed(kept, found.checkpoint), packed(kept, dict(found.metadata)), versions, written]
    return {"spaces": spaces}


def restored(state: Mapping[str, Any]) -> InMemorySaver:
    """A checkpointer with the checkpoints that a state has."""
    kept = saver()
    for space, (checkpoint, metadata, versions, written) in state["spaces"].items():
        config: Any = {"configurable": {"thread_id": THREAD, "checkpoint_ns": space}}
        put = kept.put(config, unpacked(kept, checkpoint), unpacked(kept, metadata), versions)
        for task, channel, value in written:
            kept.put_writes(put, [(channel, unpacked(kept, value))], task)
    return kept


def packed(kept: InMemorySaver, value: Any) -> list[str]:
    """A value as its serializer writes it, as text."""
    kind, data = kept.serde.dumps_typed(value)
    return [kind, b64encode(data).decode()]


def unpacked(kept: InMemorySaver, text: Sequence[str]) -> Any:
    """A value out of its text."""
    kind, data = text
    return kept.serde.loads_typed((kind, b64decode(data)))


def langchain(agent: Any, **options: Any) -> LangChain:
    """A graph of LangChain's `create_agent` for `Step(agent=...)`; the options are those of its `ainvoke`.

    The calls that its `HumanInTheLoopMiddleware` interrupts are asked about; other arguments may be given where it allows `edit`. It needs no
    checkpointer: its checkpoint is kept with its run. Raises `TypeError` for anything but such a graph, and for one with a checkpointer.

    Example: `Step("mail", agent=langchain(agent))`.
    """
    if not all(hasattr(agent, name) for name in ("ainvoke", "copy", "checkpointer")):
        message = f"langchain() takes what create_agent() gives, not {type(agent).__name__}"
        raise TypeError(message)
    if agent.checkpointer is not None:
        message = "langchain() takes an agent without a checkpointer: its checkpoint is kept with its run"
        raise TypeError(message)
    return LangChain(agent, options, "langchain", f"{langchain_version}, langgraph {version('langgraph')}")
