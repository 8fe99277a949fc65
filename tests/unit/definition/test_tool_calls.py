"""A tool call is data by name, and an agent that may pause for a person is known by its tools."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from statecore.definition.agents import ToolCall, may_pause
from statecore.errors import DefinitionError


def test_a_call_without_words_has_a_sentence():
    """The sentence names the agent of a team, the tool and its arguments."""
    assert ToolCall("pay", {"amount": 3}).message == "The agent wants to call pay(amount=3)"
    assert ToolCall("pay", {}, agent="clerk").message == "clerk wants to call pay()"


@pytest.mark.parametrize("arguments", [[1], "x", {1: 2}, None])
def test_arguments_are_data_by_name(arguments):
    """What is no mapping of names is refused."""
    with pytest.raises(DefinitionError, match="must be a mapping by name"):
        ToolCall("pay", arguments)


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_tool_has_a_name(name):
    """A name that is no text, or empty, is refused."""
    with pytest.raises(DefinitionError, match="must be a text that is not empty"):
        ToolCall(name)


def agent(*tools: Any, **more: Any) -> Any:
    """An agent of the reference framework, by shape."""
    return SimpleNamespace(continue_run=lambda: None, tools=list(tools), **more)


def test_an_agent_pauses_where_one_of_its_tools_waits():
    """A tool of its own, of a kit, or of a member of a team; an agent that cannot be continued never does."""
    waiting, plain = SimpleNamespace(requires_confirmation=True), SimpleNamespace(requires_confirmation=False)
    assert may_pause(agent(plain, waiting))
    assert may_pause(agent(SimpleNamespace(functions={"a": plain, "b": waiting})))
    assert may_pause(agent(members=[agent(plain), agent(waiting)]))
    assert not may_pause(agent(plain, SimpleNamespace(functions={"a": plain}), members=[agent(plain)]))
    assert not may_pause(SimpleNamespace(tools=[waiting]))
    assert not may_pause(SimpleNamespace(continue_run=print, tools=None))
