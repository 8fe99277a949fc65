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
from statecore.run.workflow import StepExecutorPausedEvent
from statecore.testing import AdapterConformance
from tests.agents import frameworks as f
from tests.sizes import TIMES, examples

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
from statecore.errors import StatecoreError
from tests.agents import frameworks as f
print("ready", flush=True)
for path in map(str.strip, sys.stdin):
    case = f.CASES[sys.argv[1]]()
    agent = getattr(case.adapter, "agent") if sys.argv[1] == "agno" else case.adapter
    flow = Workflow("p", [Step("mail", agent=agent)], db=SqliteDb(db_file=path))
    try:
        told = flow.continue_run(run_id="r").status.value
    except StatecoreError as refused:
        told = type(refused).__name__
    print(told, len(case.ran), flush=True)
"""
PAIRS = examples(5) if TIMES <= 1 else 100
"""The times that two processes resume one run, for each framework."""
TOLD = {f"{name} 0" for name in ("RunBusy", "NotPaused", "AlreadyDecided")}


@pytest.mark.spec("TOOL-2")
@pytest.mark.parametrize("name", f.CASES)
def test_two_processes_resume(tmp_path, name):
    """Again and again both read the saved state of the real framework at one moment: one calls the tool, the other one is told by name."""
    command, root = [sys.executable, "-c", SCRIPT, name], Path(__file__).parents[2]
    both: list[Any] = [
        subprocess.Popen(command, cwd=root, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    paths = [tmp_path / f"{pair}.db" for pair in range(PAIRS)]
    for path in paths:
        flow: Any = Workflow("p", [Step("mail", agent=agent_of(f.CASES[name]()))], db=SqliteDb(db_file=path))
        flow.run("mail bob", run_id="r")
        flow.decide("r", "mail:question:0+0", "confirm", by="ada")
    assert [each.stdout.readline() for each in both] == ["ready\n"] * 2
    for path in paths:
        for each in both:
            each.stdin.write(f"{path}\n")
            each.stdin.flush()
        ends = [each.stdout.readline().strip() for each in both]
        assert "COMPLETED 1" in ends, ends
        assert set(ends) - {"COMPLETED 1"} <= TOLD, ends
        assert ends.count("COMPLETED 1") == 1, ends
    assert [each.communicate(timeout=60) and each.returncode for each in both] == [0, 0]


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


def answered(run):
    """Each open question of a run, answered as the documented examples of the reference framework do; the kinds that there were."""
    kinds = []
    for asked in run.step_requirements:
        if asked.requires_executor_input:
            kinds.append("tool")
            for call in asked.executor_requirements or []:
                if isinstance(call, dict):
                    call["confirmation"] = True
                else:
                    call.confirm()
        elif asked.requires_output_review:
            kinds.append("review")
            asked.confirm()
        elif asked.requires_user_input:
            kinds.append("form")
            asked.set_user_input(amount=3)
        elif asked.requires_route_selection:
            kinds.append("route")
            asked.select(asked.available_choices[0])
        else:
            kinds.append("gate")
            asked.confirm()
    return kinds


GATED: dict[str, Any] = {"requires_confirmation": True, "confirmation_message": "Go?"}
REVIEWED: dict[str, Any] = {"requires_output_review": True, "output_review_message": "Well?"}
FORMED: dict[str, Any] = {"requires_user_input": True, "user_input_schema": [{"name": "amount", "field_type": "int"}]}
ROUTED: dict[str, Any] = {"requires_user_input": True, "allow_multiple_selections": False}
LEVELS: dict[str, Any] = {
    "gate": (lambda agent: Step(name="s", agent=agent, **GATED), ["gate", "tool"]),
    "form": (lambda agent: Step(name="s", agent=agent, **FORMED), ["form", "tool"]),
    "review": (lambda agent: Step(name="s", agent=agent, **REVIEWED), ["tool", "review"]),
    "gate and review": (lambda agent: Step(name="s", agent=agent, **GATED, **REVIEWED), ["gate", "tool", "review"]),
    "route": (lambda agent: Router(name="r", choices=[Step(name="s", agent=agent)], **ROUTED), ["route", "tool"]),
    "route and review": (
        lambda agent: Router(name="r", choices=[Step(name="s", agent=agent)], selector=lambda _: ["s"], **REVIEWED),
        ["tool", "review"],
    ),
}


@pytest.mark.spec("TOOL-6")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_both_levels_on_one_step(level, streamed):
    """A gate, a form, a review or a route stands beside the agent's own tool: each is asked in its turn, and the tool runs once."""
    made, expected = LEVELS[level]
    ran: list[Any] = []
    flow: Any = Workflow(name="levels", steps=[made(f.agno_agent(ran))], db=InMemoryDb())
    heard: list[Any] = (
        list(flow.run("mail bob", session_id="s", stream=True)) if streamed else [flow.run("mail bob", session_id="s")]
    )
    session: Any = flow.get_session("s")
    run, kinds = session.runs[-1], []
    while run.is_paused:
        kinds += answered(run)
        heard += list(flow.continue_run(run, stream=True)) if streamed else [flow.continue_run(run)]
        session = flow.get_session("s")
        run = session.runs[-1]
    assert (kinds, ran, "mailed bob" in str(run.content)) == (expected, [f.CALL], True)
    assert not streamed or sum(isinstance(each, StepExecutorPausedEvent) for each in heard) == 1


@pytest.mark.spec("TOOL-4", "TOOL-6")
def test_user_input_of_a_tool_is_a_form():
    """The fields that its tool asks for are a form; the tool runs with the values."""
    ran: list[Any] = []
    agent = f.agno_agent(ran, requires_user_input=True, user_input_fields=["to"])
    flow = Workflow("flow", [Step("support", agent=agent)], db=InMemoryDb())
    run: Any = flow.run("mail bob")
    [asked] = run.requirements
    assert (asked.wants, [each.name for each in asked.user_input_schema]) == ("input", ["to"])
    [values] = asked.executor_requirements
    assert (values.tool_execution.tool_name, values.needs_user_input) == ("mail", True)
    values.provide_user_input({"to": "carol"})
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
