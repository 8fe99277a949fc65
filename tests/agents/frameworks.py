"""One scripted agent for each framework: it calls the tool `mail` once, which needs an approval, and tells what came back to its model.

The frameworks are the real packages; their models are scripted, and nothing reaches a network.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from statecore.testing import AdapterCase

CALL = {"to": "bob"}


def openai():
    """A case with an agent of the OpenAI Agents SDK."""
    from agents import Agent, Model, ModelResponse, Usage, function_tool, set_tracing_disabled
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

    from statecore.agents import openai_agents

    set_tracing_disabled(disabled=True)
    ran: list[dict[str, Any]] = []

    @function_tool(needs_approval=True)
    def mail(to: str) -> str:
        """Send a mail."""
        ran.append({"to": to})
        return f"mailed {to}"

    class Scripted(Model):
        async def get_response(self, system_instructions, input, *more, **options):  # noqa: A002  # the framework's name
            back = [each for each in input if isinstance(each, dict) and each.get("type") == "function_call_output"]
            said: Any
            if not back:
                said = ResponseFunctionToolCall(arguments=json.dumps(CALL), call_id="c1", name="mail", type="function_call")
            else:
                text = ResponseOutputText(annotations=[], text=f"done: {back[-1]['output']}", type="output_text")
                said = ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")
            return ModelResponse(output=[said], usage=Usage(), response_id=None)

        def stream_response(self, *more, **options):
            raise NotImplementedError

    return AdapterCase(openai_agents(Agent(name="mailer", model=Scripted(), tools=[mail])), ran)


def pydantic():
    """A case with an agent of pydantic-ai."""
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    from statecore.agents import pydantic_ai

    ran: list[dict[str, Any]] = []

    def scripted(messages, info):
        back = [part for each in messages for part in each.parts if part.part_kind == "tool-return"]
        if not back:
            return ModelResponse(parts=[TextPart("I mail bob."), ToolCallPart("mail", CALL, tool_call_id="c1")])
        return ModelResponse(parts=[TextPart(f"done: {back[-1].content}")])

    agent = Agent(FunctionModel(scripted), name="mailer")

    @agent.tool_plain(requires_approval=True)
    def mail(to: str) -> str:
        """Send a mail."""
        ran.append({"to": to})
        return f"mailed {to}"

    return AdapterCase(pydantic_ai(agent), ran)


def langchain():
    """A case with an agent of LangChain."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain_core.language_models.chat_models import BaseChatModel
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langchain_core.tools import tool

    from statecore.agents import langchain as adapted

    ran: list[dict[str, Any]] = []

    @tool
    def mail(to: str) -> str:
        """Send a mail."""
        ran.append({"to": to})
        return f"mailed {to}"

    class Scripted(BaseChatModel):
        @property
        def _llm_type(self):
            return "scripted"

        def bind_tools(self, tools, **options):
            return self

        def _generate(self, messages, stop=None, run_manager=None, **options):
            back = [each for each in messages if isinstance(each, ToolMessage)]
            called = [{"name": "mail", "args": CALL, "id": "c1"}]
            said = AIMessage(f"done: {back[-1].content}") if back else AIMessage("I mail bob.", tool_calls=called)
            return ChatResult(generations=[ChatGeneration(message=said)])

    guard = HumanInTheLoopMiddleware({"mail": True})
    return AdapterCase(adapted(create_agent(Scripted(), [mail], middleware=[guard], name="mailer")), ran)


def agno_agent(ran, **tool_settings):
    """An agent of agno."""
    from agno.agent import Agent
    from agno.models.base import Model
    from agno.models.response import ModelResponse
    from agno.tools import tool

    @tool(**(tool_settings or {"requires_confirmation": True}))
    def mail(to: str) -> str:
        """Send a mail."""
        ran.append({"to": to})
        return f"mailed {to}"

    @dataclass
    class Scripted(Model):
        def invoke(self, messages, *more, **options):
            back = [each for each in messages if each.role == "tool"]
            if back:
                return ModelResponse(role="assistant", content=f"done: {back[-1].content}")
            function = {"name": "mail", "arguments": json.dumps(CALL)}
            return ModelResponse(
                role="assistant", content="I mail bob.", tool_calls=[{"id": "c1", "type": "function", "function": function}]
            )

        async def ainvoke(self, *more, **options):
            return self.invoke(*more, **options)

        def invoke_stream(self, *more, **options):
            yield self.invoke(*more, **options)

        async def ainvoke_stream(self, *more, **options):
            yield self.invoke(*more, **options)

        def _parse_provider_response(self, response, **options):
            return response

        def _parse_provider_response_delta(self, response):
            return response

    return Agent(name="mailer", id="mailer", model=Scripted(id="scripted"), tools=[mail], telemetry=False)


def agno():
    """A case with an agent of the reference framework."""
    from statecore.agents.reference import Reference

    ran: list[dict[str, Any]] = []
    return AdapterCase(Reference(agno_agent(ran)), ran)


def agno_team(ran):
    """A team of agno with one member, whose leader hands it the task."""
    from agno.models.response import ModelResponse
    from agno.team import Team

    member = agno_agent(ran)
    kind: Any = type(member.model)

    @dataclass
    class Leads(kind):
        def invoke(self, messages, *more, **options):
            back = [each for each in messages if each.role == "tool"]
            if back:
                return ModelResponse(role="assistant", content=f"the team is done: {back[-1].content}")
            function = {"name": "delegate_task_to_member", "arguments": json.dumps({"member_id": "mailer", "task": "mail bob"})}
            return ModelResponse(role="assistant", tool_calls=[{"id": "d1", "type": "function", "function": function}])

    return Team(name="team", model=Leads(id="leads"), members=[member], telemetry=False)


CASES = {"openai-agents": openai, "pydantic-ai": pydantic, "langchain": langchain, "agno": agno}
