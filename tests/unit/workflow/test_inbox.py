"""A store without a definition: everything but running is possible."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from statecore import Condition, InMemoryDb, Parallel, Step, StepRequirement, Steps, Workflow
from statecore.core import stored_program
from statecore.errors import AlreadyDecided, AmbiguousRun, NotPaused, UnknownDecision, UnknownPause, UnknownRun
from statecore.stores import PauseFilter, RunFilter
from statecore.workflow.inbox import Inbox
from tests.model.definitions import compiled, leaf, programs


def gated():
    """A workflow with a gated fork, on a store of its own."""

    def run(step_input):
        return step_input.previous_step_content

    steps: Any = [
        Step("first", lambda _: 1),
        Condition("fork", [Step("then", run)], [Step("other", run)], requires_confirmation=True),
    ]
    return Workflow("gated", steps, InMemoryDb())


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.fingerprint[:8])
def test_the_stored_form_of_a_program_is_the_program(program):
    """A program read back from its canonical form has the same nodes, so pauses mean the same without the user's code."""
    assert stored_program(program.canonical) == silent(program)


def silent(program):
    """A program without what people are shown, which pauses carry, and without the names of the user's code."""
    without: dict[str, Any] = {"asks": {}, "form": None, "multiple": None, "callable": None}
    return evolve(program, nodes={at: evolve(node, **without) for at, node in program.nodes.items()})


def test_names_that_look_like_addresses_are_read_back():
    """Slashes, tildes, `then` and `else` as names lead to the same parents, positions and names."""
    inner = Steps("then", [leaf("else"), leaf("a/b"), Steps("~1", [leaf("x")])])
    program = compiled(leaf("then/else"), Condition("c", [inner, leaf("else")], [leaf("then")]), name="a/b")
    assert stored_program(program.canonical) == silent(program)


def test_pending_is_what_the_workflow_lists():
    """Without a definition the same requirements are found, with their places and what a rejection leads to."""
    workflow = gated()
    workflow.run("x")
    [found], [known] = Inbox(workflow.db).pending(PauseFilter()), workflow.list_pauses()
    assert found == known
    assert isinstance(found, StepRequirement)
    assert (found.step_type, found.on_reject, found.step_index) == ("Condition", "else", 1)


def test_what_a_step_was_called_with_is_readable():
    """The input of a failed step is read without the user's code."""

    def fails(_):
        raise OSError

    workflow = Workflow("w", [Step("first", lambda _: 5), Step("fails", fails, on_error="pause")])
    run = workflow.run("x")
    [error] = Inbox(workflow.db).show(run.run_id).steps_with_errors
    assert error.step_input is not None
    assert (error.step_input.input, error.step_input.previous_step_content) == ("x", 5)


@pytest.mark.spec("CONF-2", "CONF-9")
def test_a_decision_of_the_inbox_counts_and_is_the_only_one():
    """What an inbox decides is applied by the workflow; another answer is refused, the same one is not."""
    workflow = gated()
    run = workflow.run("x")
    inbox, pause_id = Inbox(workflow.db), run.requirements[0].pause_id
    assert inbox.decide(run.run_id, pause_id, "confirm", by="ada", comment="fine").by == "ada"
    assert inbox.decide(run.run_id, pause_id, "confirm", by="bob").by == "ada"
    with pytest.raises(AlreadyDecided):
        inbox.decide(run.run_id, pause_id, "reject")
    assert workflow.continue_run(run_id=run.run_id).step_results[1].steps[0].step_name == "then"


def test_decisions_that_mean_nothing_are_refused_by_name():
    """Unknown runs, pauses and words, and runs that have ended, each get their error."""
    workflow = gated()
    run = workflow.run("x")
    inbox, pause_id = Inbox(workflow.db), run.requirements[0].pause_id
    with pytest.raises(UnknownRun):
        inbox.decide("nope", pause_id, "confirm")
    with pytest.raises(UnknownPause):
        inbox.decide(run.run_id, "nope", "confirm")
    with pytest.raises(UnknownDecision):
        inbox.decide(run.run_id, pause_id, "retry")
    inbox.cancel(run.run_id)
    with pytest.raises(NotPaused):
        inbox.decide(run.run_id, "nope", "confirm")


@pytest.mark.spec("CANCEL-1")
def test_a_paused_run_is_cancelled_without_its_code():
    """Cancelling needs no definition, is done at once, is recorded as the workflow's own would be, and is done once."""
    one, other = gated(), gated()
    journals = []
    for workflow, cancel in ((one, Inbox(one.db).cancel), (other, other.cancel_run)):
        run = workflow.run("x", run_id="r")
        assert cancel("r", by="ada") is True
        assert workflow.get_run_output("r").is_cancelled
        assert cancel("r") is False
        journals.append([(e.at, e.trigger, e.dest, e.body) for e in workflow.db.journal(run.run_id)])
    assert journals[0] == journals[1]


def test_a_run_that_is_executed_is_cancelled_at_its_next_boundary():
    """The inbox only asks a living executor to stop; it never takes the run from it."""
    seen = []

    def cancels(step_input):
        seen.append(Inbox(workflow.db).cancel(step_input.idempotency_key.partition("/")[0], by="ada"))

    workflow = Workflow("w", [Step("cancels", cancels), Step("never", seen.append)])
    assert workflow.run("x").is_cancelled
    assert seen == [True]


def quick(steps):
    """A store in which somebody decides, and continues, whatever question of `b` is open as soon as a run is parked."""

    class Quick(InMemoryDb):
        def commit(self, boundary):
            refused = super().commit(boundary)
            asked = (
                [row.pause for row in self.pauses(PauseFilter(run_id=boundary.run_id))] if boundary.state.run == "paused" else []
            )
            if [pause.step_name for pause in asked] == ["b"]:
                again = Workflow("gated", steps, self)
                again.decide(boundary.run_id, asked[0].pause_id, "confirm", by="bob")
                again.continue_run(run_id=boundary.run_id)
            return refused

    return Quick()


def test_an_output_tells_where_its_own_process_stopped():
    """Somebody who decides and continues a run before its output is made is met when the question is answered: it was answered."""
    steps = [Step("b", lambda _: "done", requires_confirmation=True)]
    workflow: Any = Workflow("gated", steps, quick(steps))
    output = workflow.run("x")
    assert (output.status, [each.step_name for each in output.requirements]) == ("PAUSED", ["b"])
    output.requirements[0].reject(by="ann")
    with pytest.raises(AlreadyDecided, match="bob"):
        workflow.continue_run(output)
    now = workflow.get_run_output(output.run_id)
    assert (now.status, now.content, now.requirements) == ("COMPLETED", "done", [])


@pytest.mark.spec("SAID-1")
def test_what_was_decided_while_the_run_ran_is_applied_by_whoever_runs_it():
    """A question of one branch that is answered while another branch still runs is applied by the process that has the run."""

    def slow(step_input):
        [asked] = workflow.list_pauses()
        workflow.decide(asked.run_id, asked.pause_id, "confirm", by="ann")

    both = Parallel(Step("a", slow), Step("b", lambda _: "done", requires_confirmation=True), name="both")
    workflow = Workflow("w", [both])
    output = workflow.run("x")
    assert (output.status, output.content, output.requirements) == ("COMPLETED", {"a": None, "b": "done"}, [])


def test_questions_are_in_the_order_in_which_they_are_stored():
    """An output that was not read lists what people owe as one that is read does, also where all of it was asked at one instant."""
    reviewed = Step("a", lambda _: 1, requires_output_review=True)
    gated_too = Step("b", lambda _: 2, requires_confirmation=True)
    last = Step("c", lambda _: 3, requires_confirmation=True)
    workflow = Workflow("w", [Parallel(reviewed, gated_too, last, name="all")])
    workflow.host = evolve(workflow.host, clock=lambda: 1)
    output = workflow.run("x")
    stored = workflow.get_run_output(output.run_id)
    assert [each.step_name for each in output.requirements] == [each.step_name for each in stored.requirements]


def test_who_is_quicker_than_an_output_that_is_read_is_seen_in_it():
    """A run whose open question is older is not called paused with nothing to decide."""
    gates = [Step(name, lambda _: "done", requires_confirmation=True) for name in "ab"]
    steps = [Parallel(*gates, name="both")]
    workflow: Any = Workflow("gated", steps, quick(steps))
    output = workflow.run("x")
    next(each for each in output.requirements if each.step_name == "a").confirm()
    output = workflow.continue_run(output)
    assert (output.status, output.requirements) == ("COMPLETED", [])


def test_a_run_is_found_by_the_beginning_of_its_id():
    """The id, or a beginning that only one run has, is enough; otherwise the error says what there is."""
    workflow = gated()
    for run_id in ("aa-1", "aa-2", "ab", "aa"):
        workflow.run("x", run_id=run_id)
    inbox = Inbox(workflow.db)
    assert [inbox.find(prefix) for prefix in ("aa-1", "ab", "aa", "aa-2")] == ["aa-1", "ab", "aa", "aa-2"]
    with pytest.raises(AmbiguousRun, match=r"2 runs begin with 'aa-': aa-1, aa-2\."):
        inbox.find("aa-")
    for nothing in ("", "b"):
        with pytest.raises(UnknownRun):
            inbox.find(nothing)
    assert [view.run_id for view in inbox.runs(RunFilter(limit=2))] == ["aa", "ab"]
