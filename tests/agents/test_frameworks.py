"""The adapters of the frameworks: each passes the suite, and its agents run as steps of workflows."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statecore import InMemoryDb, Loop, Parallel, Router, RunStatus, SqliteDb, Step, Workflow
from statecore.errors import AgentFailed, AgentPaused, InvalidInput, UnsupportedSetting
from statecore.testing import AdapterConformance
from tests.agents import frameworks as f

EDITS = {"pydantic-ai", "langchain"}


class TestOpenAI(AdapterConformance):
    def case(self):
        return f.openai()


class TestPydantic(AdapterConformance):
    def case(self):
        return f.pydantic()


class TestLangChain(AdapterConformance):
    def case(self):
        return f.langchain()


class TestAgno(AdapterConformance):
    def case(self):
        return f.agno()


def agent_of(case):
    """The agent as a user writes it: that of the reference framework has no adapter around it."""
    return getattr(case.adapter, "agent", None) if type(case.adapter).__name__ == "Reference" else case.adapter


@pytest.mark.spec("TOOL-1", "TOOL-3")
@pytest.mark.parametrize("name", f.CASES)
def test_another_process_s_agent_goes_on(tmp_path, name):
    """Two steps ask, one call is approved and one rejected, and new agents on the same store go on: one call, and the words of the other."""

    def flow(one, other):
        steps = [Step("a", agent=agent_of(one)), Step("b", agent=agent_of(other))]
        return Workflow("flow", steps, db=SqliteDb(db_file=tmp_path / "a.db"))

    begun = f.CASES[name](), f.CASES[name]()
    run: Any = flow(*begun).run("mail bob", run_id="r")
    assert [(each.tool_name, each.tool_args) for each in run.requirements] == [("mail", {"to": "bob"})]
    run.requirements[0].confirm(by="ada")
    middle = f.CASES[name](), f.CASES[name]()
    run = flow(*middle).continue_run(run)
    run.requirements[0].reject("no more mails", by="bob")
    last = f.CASES[name](), f.CASES[name]()
    run = flow(*last).continue_run(run)
    assert (run.status, [each.ran for each in (*begun, *middle, *last)]) == (
        RunStatus.completed,
        [[], [], [f.CALL], [], [], []],
    )
    assert "no more mails" in run.content


PLACES: dict[str, Any] = {
    "parallel": lambda one, other: Parallel(Step("a", agent=one), Step("b", agent=other), name="both"),
    "loop": lambda one, other: Loop("twice", [Step("a", agent=one)], max_iterations=2),
    "router": lambda one, other: Router("way", [Step("a", agent=one), Step("b", agent=other)], selector=lambda i: ["b"]),
}


@pytest.mark.spec("TOOL-2")
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", f.CASES)
def test_in_each_place_once_an_approval(name, where):
    """In a Parallel, a Loop and a Router, driven from an event loop: as many calls as approvals."""
    one, other = f.CASES[name](), f.CASES[name]()
    flow = Workflow("flow", [PLACES[where](agent_of(one), agent_of(other))], db=InMemoryDb())

    async def drive():
        run, approved = await flow.arun("mail bob"), 0
        while run.is_paused:
            for asked in run.step_requirements:
                asked.confirm(by="ada")
                approved += 1
            run = await flow.acontinue_run(run)
        return run, approved

    run, approved = asyncio.run(drive())
    assert (run.status, len(one.ran) + len(other.ran), approved) == (RunStatus.completed, approved, 1 if where == "router" else 2)


@pytest.mark.spec("TOOL-1")
@pytest.mark.parametrize("name", f.CASES)
def test_other_arguments_where_the_framework_takes_them(name):
    """`edit` reaches the tool, or is refused by name before anything is stored."""
    case = f.CASES[name]()
    flow = Workflow("flow", [Step("a", agent=agent_of(case))], db=InMemoryDb())
    run: Any = flow.run("mail bob")
    if name not in EDITS:
        with pytest.raises(InvalidInput, match="cannot be changed"):
            run.requirements[0].edit({"to": "carol"})
        run.requirements[0].confirm()
    else:
        run.requirements[0].edit({"to": "carol"})
    flow.continue_run(run)
    assert case.ran == [{"to": "carol" if name in EDITS else "bob"}]


SCRIPT = """
import sys
from statecore import SqliteDb, Step, Workflow
from tests.agents import frameworks as f
path, name, mode = sys.argv[1:]
case = f.CASES[name]()
agent = getattr(case.adapter, "agent") if name == "agno" else case.adapter
flow = Workflow("p", [Step("mail", agent=agent)], db=SqliteDb(db_file=path))
if mode == "start":
    flow.run("mail bob", run_id="r")
    flow.decide("r", "mail:question:0+0", "confirm", by="ada")
else:
    run = flow.continue_run(run_id="r")
    print(run.status.value, len(case.ran))
"""


@pytest.mark.spec("TOOL-2")
@pytest.mark.parametrize("name", ["pydantic-ai", "agno"])
def test_two_processes_resume(tmp_path, name):
    """Both read the saved state of the real framework, and one of them calls the tool."""
    path = tmp_path / "a.db"

    def process(mode):
        root = Path(__file__).parents[2]
        arguments = [sys.executable, "-c", SCRIPT, str(path), name, mode]
        return subprocess.Popen(arguments, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ended(started):
        out, error = started.communicate(timeout=60)
        return out.strip() or error.strip().rpartition("\n")[2]

    assert ended(process("start")) == ""
    told = [ended(each) for each in [process("go on") for _ in range(2)]]
    assert told.count("COMPLETED 1") == 1, told


# -- the reference framework ---------------------------------------------------------------------------------------------------------


@pytest.mark.spec("TOOL-1")
def test_a_team_says_which_agent_asks(tmp_path):
    """The call of a member is asked about with its name, and another process's team goes on."""
    first: list[Any] = []
    second: list[Any] = []
    flow = Workflow("flow", [Step("support", team=f.agno_team(first))], db=SqliteDb(db_file=tmp_path / "a.db"))
    run: Any = flow.run("mail bob")
    assert [(each.call["agent"], each.tool_args) for each in run.requirements] == [("mailer", f.CALL)]
    run.requirements[0].confirm()
    run = Workflow("flow", [Step("support", team=f.agno_team(second))], db=SqliteDb(db_file=tmp_path / "a.db")).continue_run(run)
    assert (run.status, first, second) == (RunStatus.completed, [], [f.CALL])
    assert "mailed bob" in run.content


@pytest.mark.spec("TOOL-4")
def test_user_input_of_a_tool_is_a_form():
    """The fields that its tool asks for are a form; the tool runs with the values."""
    ran: list[Any] = []
    agent = f.agno_agent(ran, requires_user_input=True, user_input_fields=["to"])
    flow = Workflow("flow", [Step("support", agent=agent)], db=InMemoryDb())
    run: Any = flow.run("mail bob")
    [asked] = run.requirements
    assert (asked.wants, [each.name for each in asked.user_input_schema]) == ("input", ["to"])
    asked.answer({"to": "carol"})
    run = flow.continue_run(run)
    assert (run.status, ran) == (RunStatus.completed, [{"to": "carol"}])


@pytest.mark.spec("TOOL-1", "AGENT-5")
@pytest.mark.parametrize("twin", [False, True])
def test_a_stream_pauses_and_goes_on(twin):
    """Streamed, by either colour, an agent pauses and is continued; its pieces are told."""
    ran: list[Any] = []
    flow = Workflow("flow", [Step("support", agent=f.agno_agent(ran))], db=InMemoryDb())
    list(flow.run("mail bob", run_id="r", stream=True))
    flow.decide("r", flow.list_pauses()[0].pause_id, "confirm")

    async def heard():
        return [each async for each in flow.acontinue_run(run_id="r", stream=True, stream_events=True)]

    events = asyncio.run(heard()) if twin else list(flow.continue_run(run_id="r", stream=True, stream_events=True))
    assert ran == [f.CALL]
    assert events[-1].event == "WorkflowCompleted"
    assert any("mailed bob" in str(getattr(each, "content", "")) for each in events)


@pytest.mark.spec("TOOL-1", "TOOL-3")
def test_what_is_not_asked_is_refused_by_name():
    """A tool that is executed elsewhere fails its step by name; `may_ask=0` keeps the agent's pause a failure; `approve` is refused."""
    external = f.agno_agent([], external_execution=True)
    with pytest.raises(AgentFailed, match=r"UNSUPPORTED.*external execution"):
        Workflow("flow", [Step("support", agent=external)]).run("mail bob")
    with pytest.raises(AgentPaused):
        Workflow("flow", [Step("support", agent=f.agno_agent([]), may_ask=0)]).run("mail bob")
    with pytest.raises(UnsupportedSetting, match="tool call"):
        Step("support", agent=f.agno_agent([]), timeout=60, on_timeout="approve", requires_confirmation=True)


@pytest.mark.spec("TOOL-1")
@pytest.mark.parametrize("name", ["openai_agents", "pydantic_ai", "langchain"])
def test_an_adapter_takes_agents_of_its_framework_only(name):
    """Anything else is refused where it is written."""
    import statecore.agents

    with pytest.raises(TypeError, match=name):
        getattr(statecore.agents, name)(object())
