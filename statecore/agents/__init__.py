"""Agents of other frameworks as steps: their pending tool calls become questions, and they go on from their own saved state.

Owns: one adapter a framework. `openai` has `openai_agents` (extra `openai-agents`), `pydantic` has `pydantic_ai` (extra `pydantic-ai`), and
`chains` has `langchain` (extra `langchain`): they wrap an agent for `Step(agent=...)`. An agent of the reference framework needs no wrapping,
`reference` knows it by shape. The protocol, for an
adapter of your own, is `Adapter`: `start` and `resume`, which give `Done`, `Asks` or `Failed`. `AdapterConformance` of the testing kit tests one.

May enter: the definition and what is below; the framework of each adapter, in its own module, and nothing of it before the adapter is
made. No core, no store, no runtime: an adapter knows no run.

Start with `reference`.
"""

from typing import TYPE_CHECKING

from statecore.definition.agents import Adapter, Asks, Done, Failed, InputCall, Ruling, Task, ToolCall
from statecore.lazy import LANGCHAIN, OPENAI_AGENTS, PYDANTIC_AI, lazy

if TYPE_CHECKING:
    from .chains import langchain
    from .openai import openai_agents
    from .pydantic import pydantic_ai

_HOMES = {
    "langchain": "statecore.agents.chains",
    "openai_agents": "statecore.agents.openai",
    "pydantic_ai": "statecore.agents.pydantic",
}
_NEEDS = {"langchain": LANGCHAIN, "openai_agents": OPENAI_AGENTS, "pydantic_ai": PYDANTIC_AI}

__all__ = [
    "Adapter",
    "Asks",
    "Done",
    "Failed",
    "InputCall",
    "Ruling",
    "Task",
    "ToolCall",
    "langchain",
    "openai_agents",
    "pydantic_ai",
]

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(__name__, __all__, _HOMES, _NEEDS)
