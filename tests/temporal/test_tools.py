"""TOOL on Temporal: an agent asks in an activity, and goes on in another one from its own saved state, once for each approval."""

from __future__ import annotations

import pytest

from statecore import RunStatus, Step, Workflow
from statecore.errors import AlreadyDecided, InvalidInput
from statecore.temporal import TemporalDb
from tests.agents.toys import FORM, MAIL, Toy, two
from tests.temporal.conftest import Serve

BOTH = [{"to": "bob"}, {"to": "eve"}]


@pytest.mark.spec("TOOL-1", "TOOL-2", "TOOL-3", "TOOL-4", "TOOL-5")
def test_tool_calls_on_temporal(serve: Serve) -> None:
    """Two calls at once, then a form, then one that is edited: each call runs once after its answer, and the words of a no are heard."""
    toy = Toy([two(), [FORM], [MAIL]])
    runs = serve(Workflow("tools", [Step("support", agent=toy)]))
    run = runs.run("help", timeout=30)
    first, second = run.requirements
    assert (first.wants, first.tool_name, first.tool_args, first.call["words"]) == (
        "tool_call",
        "mail",
        {"to": "bob"},
        "bob should know",
    )
    with pytest.raises(InvalidInput, match="cannot be changed"):
        runs.workflow.decide(run.run_id, second.pause_id, "edit", value={"to": "carol"})
    runs.workflow.decide(run.run_id, first.pause_id, "confirm", by="ada")
    assert toy.ran == []
    with pytest.raises(AlreadyDecided, match="ada"):
        runs.workflow.decide(run.run_id, first.pause_id, "reject", by="bob")
    runs.workflow.decide(run.run_id, second.pause_id, "reject", value="not to eve", by="bob")
    run = runs.wait(run.run_id, timeout=30)
    [form] = [each for each in run.requirements if not each.is_resolved]
    assert (form.wants, toy.ran) == ("input", BOTH[:1])
    runs.workflow.decide(run.run_id, form.pause_id, "answer", value={"account": "travel"})
    run = runs.wait(run.run_id, timeout=30)
    [last] = [each for each in run.requirements if not each.is_resolved]
    runs.workflow.decide(run.run_id, last.pause_id, "edit", value={"to": "carol"})
    run = runs.wait(run.run_id, timeout=30)
    assert (run.status, toy.ran) == (RunStatus.completed, [{"to": "bob"}, {"to": "carol"}])
    heard = [
        "asked help",
        "mail done for bob",
        "rejected: not to eve",
        "values {'account': 'travel', 'amount': 3}",
        "mail done for carol",
    ]
    assert run.content == "; ".join(heard)


@pytest.mark.spec("TOOL-3", "TIME-2")
def test_a_deadline_rejects_the_call_on_temporal(serve: Serve, db: TemporalDb) -> None:
    """The server's timer rejects the calls that are open; the answer that came in time counts, and the agent hears both."""
    toy = Toy([two()])
    runs = serve(Workflow("silence", [Step("support", agent=toy, timeout=1, on_timeout="skip")]))
    run = runs.run("help", timeout=30)
    runs.workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm", by="ada")

    async def ended() -> dict[str, str]:
        told: dict[str, str] = await (await db.connection.client()).get_workflow_handle(run.run_id).result()
        return told

    assert (db.connection.do(ended()), toy.ran) == ({"status": "COMPLETED"}, BOTH[:1])
    run = runs.workflow.get_run_output(run.run_id)
    assert run.content == "asked help; mail done for bob; rejected: nobody decided in time"
