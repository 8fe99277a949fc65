"""GATE-5, GATE-7 and GATE-7b on Temporal: a run keeps the definition with which it began, and an answer is for that definition's code."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from statecore import Condition, Parallel, Step, Workflow
from statecore.core import Call
from statecore.errors import StaleDecision
from statecore.runtime.meanings import same_code, slices_of
from statecore.runtime.standing import follows_an_answer
from statecore.temporal import TemporalDb, TemporalWorkflows
from statecore.temporal.activities import check_code
from statecore.temporal.orders import code_agreed, program_of, sayings
from tests.temporal.conftest import Serve, Working
from tests.temporal.servers import Server
from tests.temporal.workers import until

CALLED: list[str] = []


def pay(_step_input: Any) -> str:
    """The code that was agreed to."""
    CALLED.append("pay")
    return "paid"


def wire(_step_input: Any) -> str:
    """The code that was not."""
    CALLED.append("wire")
    return "wired"


def flow(code: Any) -> Workflow:
    """A step with a gate."""
    return Workflow("code", [Step("look", wire if code is pay else pay), Step("pay", code, requires_confirmation=True)])


@pytest.mark.spec("GATE-5", "GATE-7", "GATE-7b")
def test_an_answer_is_for_the_code_with_which_the_run_began(serve: Serve, server: Server) -> None:
    """A worker with other code behind the gate makes the call before the gate and not the one behind it; one with that code goes on."""
    db = TemporalDb(server.target)
    runs, other = TemporalWorkflows(flow(pay), db), Working(db, flow(wire))
    CALLED.clear()
    run = runs.run("x", timeout=30)
    [asked] = run.requirements
    with pytest.raises(StaleDecision):
        runs.workflow.decide(run.run_id, asked.pause_id, "confirm", seen="0" * 64)
    runs.workflow.decide(run.run_id, asked.pause_id, "confirm", by="ada", seen=asked.shown())

    async def refusals() -> list[str]:
        client = await db.connection.client()
        described = await client.get_workflow_handle(run.run_id).describe()
        return [each.last_failure.message for each in described.raw_description.pending_activities if each.attempt > 1]

    [why] = until(lambda: db.connection.do(refusals()))
    assert "an answer was given for 'tests.temporal.test_code:pay'" in why
    assert CALLED == ["pay"]  # the code of 'look' there, which no answer let begin
    other.stop()
    serve(flow(pay))
    assert runs.wait(run.run_id, timeout=60).content == "paid"
    assert CALLED == ["pay", "pay"]
    db.close()


@pytest.mark.spec("GATE-5")
def test_a_question_of_a_run_means_what_it_means_in_any_store() -> None:
    """The program inside a run's workflow has the names of its code: the slices of its words have the hashes that every other store has."""
    program = flow(pay).compiled.program
    kept = program_of(program.canonical, sayings(program)).program
    assert slices_of(kept, "pay", "confirmation") == slices_of(program, "pay", "confirmation")
    assert slices_of(kept, "pay", "confirmation") != slices_of(flow(wire).compiled.program, "pay", "confirmation")
    before = program_of(program.canonical, "{}").program  # a run that an earlier release has begun
    assert slices_of(before, "pay", "confirmation") == slices_of(program, "pay", "confirmation", named=False)


@pytest.mark.spec("GATE-7", "GATE-7b")
def test_code_is_compared_where_an_answer_may_have_let_the_call_begin() -> None:
    """Behind a gate, in a group behind one, after a failure that asks, and where the code itself has asked; not before any question."""
    both = Parallel(Step("fast", pay), Step("slow", pay, requires_output_review=True), name="both")
    fork = Condition("fork", [Step("deep", pay), Step("deeper", pay)], requires_confirmation=True)
    program = Workflow("w", [Step("first", pay, on_error="pause"), fork, both, Step("last", pay)]).compiled.program

    def agreed(at: str, *, attempt: int = 0, asked: bool = False) -> bool:
        cursor = SimpleNamespace(marks=SimpleNamespace(asked=asked))
        execution: Any = SimpleNamespace(program=program, cursor_at=lambda _: cursor)
        return code_agreed(execution, Call("execute", at, (), attempt)) is not None

    assert [at for at in program.nodes if program.nodes[at].callable and agreed(at)] == [
        "fork",
        "fork/then/deep",
        "fork/then/deeper",
        "both/fast",
        "both/slow",
        "last",
    ]
    assert not agreed("first")
    assert agreed("first", attempt=1)
    assert agreed("first", asked=True)
    assert follows_an_answer(program, "last", again=False)


@pytest.mark.spec("GATE-7")
@pytest.mark.parametrize(
    ("agreed", "made"),
    [(None, True), ("tests.temporal.test_code:pay", True), ("test_code:pay", True), ("x.tests.temporal.test_code:pay", True),
     ("code:pay", False), ("other.test_code:pay", False), ("tests.temporal.test_code:wire", False)],
)  # fmt: skip
def test_a_module_may_be_known_by_more_of_its_path(agreed: str | None, made: bool) -> None:
    """A file that one process loads and another imports out of a package is the same code; a function of another name or module is not."""
    program = flow(pay).compiled.program
    if made:
        check_code(program, "r", Call("execute", "pay", (), 0), agreed)
        return
    with pytest.raises(ApplicationError, match="an answer was given for") as refused:
        check_code(program, "r", Call("execute", "pay", (), 0), agreed)
    assert (refused.value.type, refused.value.non_retryable) == ("DefinitionChanged", False)


def test_expressions_are_the_same_only_where_they_are_equal() -> None:
    """An expression has no module."""
    assert same_code("a.b", "a.b")
    assert not same_code("a.b", "b")
    assert not same_code("x ? a.b : c", "x ? b : c")
