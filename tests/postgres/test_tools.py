"""TOOL in Postgres: an agent's calls are questions there, a saved state leads on once, and the store verifies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from statecore import Inbox, RunStatus, Step, Workflow
from statecore.errors import AlreadyDecided, StatecoreError
from statecore.stores.postgres.health import verify
from tests.agents.toys import FORM, Toy, two


@pytest.mark.spec("TOOL-1", "TOOL-3", "TOOL-4", "TOOL-5", "ASK-6")
def test_an_agent_asks_and_goes_on(db):
    """A yes, a no with words, then a form: decided by an inbox, each once; another workflow object goes on from the saved state."""
    toys = [Toy([two(), [FORM]]) for _ in range(3)]

    def flow(toy):
        return Workflow("flow", [Step("support", agent=toy)], db=db)

    first, second = flow(toys[0]).run("help", run_id="r").requirements
    assert (first.tool_name, first.tool_args, second.executor_name) == ("mail", {"to": "bob"}, "scribe")
    Inbox(db).decide("r", first.pause_id, "confirm", by="ada")
    with pytest.raises(AlreadyDecided, match="ada"):
        Inbox(db).decide("r", first.pause_id, "reject", by="bob")
    Inbox(db).decide("r", second.pause_id, "reject", value="not to eve", by="bob")
    [form] = flow(toys[1]).continue_run(run_id="r").requirements
    Inbox(db).decide("r", form.pause_id, "answer", value={"account": "travel"})
    run = flow(toys[2]).continue_run(run_id="r")
    assert (run.status, [each.ran for each in toys]) == (RunStatus.completed, [[], [{"to": "bob"}], []])
    assert run.content == "asked help; mail done for bob; rejected: not to eve; values {'account': 'travel', 'amount': 3}"
    assert verify(db).faults == []


@pytest.mark.spec("TOOL-2", "CONT-6")
def test_of_two_that_resume_one_calls_the_tool(db):
    """Both begin at one moment; the tool runs once, and the other one is told by name."""
    toy, gate = Toy(), Barrier(2)
    flow = Workflow("flow", [Step("support", agent=toy)], db=db)
    run = flow.run("help", run_id="r")
    Inbox(db).decide("r", run.requirements[0].pause_id, "confirm", by="ada")

    def resume(_):
        gate.wait(timeout=30)
        try:
            return flow.continue_run(run_id="r").status
        except StatecoreError as refused:
            return type(refused).__name__

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(resume, range(2)))
    assert (told.count(RunStatus.completed), toy.ran) == (1, [{"to": "bob"}]), told
