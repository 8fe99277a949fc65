"""The built-in properties can fail: each is refuted of an engine that was broken for it, by a run that shows it."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, Step, Steps, Workflow
from statecore.check import Verdict, check, document, story
from statecore.check import graph as drawing
from statecore.check.story import is_told, lines_of
from statecore.check.world import Law, World
from statecore.core import Advanced, Ref, draft, path
from statecore.lifecycles import words as w


def work(step_input):
    """Stand for user code."""
    raise AssertionError("a check calls no user code")


FLOW = Workflow(
    "flow",
    [
        Step("a", work, requires_confirmation=True, on_error="pause"),
        Steps("g", [Step("b", work), Step("c", work)]),
        Condition("f", [Step("d", work)], [Step("e", work)], work),
    ],
)


@pytest.fixture
def breaks(monkeypatch):
    """A function that makes the engine go elsewhere: machine, phase and trigger to another phase, or to an error."""

    def redirect(machine, phase, trigger, dest):
        real: Any = vars(draft)["fire"]

        def broken(name, source, on, facts):
            if (name, source, on) == (machine, phase, trigger):
                if dest is None:
                    raise KeyError(trigger)
                return dest
            return real(name, source, on, facts)

        monkeypatch.setattr(draft, "fire", broken)

    return redirect


@pytest.mark.parametrize(
    ("row", "refuted"),
    [
        (("step", w.running, w.stop, None), Law.divergence.value),
        (("step", w.awaiting_confirmation, w.cancel, None), Law.cancel.value),
        (("step", w.pending, w.enter, w.running), Law.gates.value),
        (("step", w.pending, w.enter, w.running), "nothing runs before its confirmation or input"),
        (("step", w.awaiting_confirmation, w.reject, w.running), "nothing runs before its confirmation or input"),
        (("step", w.pending, w.enter, w.errored_paused), "confirmation comes before the error pause"),
        (("step", w.errored_paused, w.skip, w.running), Law.skip_out.value),
        (("step", w.awaiting_confirmation, w.confirm, w.completed), "only what was executed is completed"),
        (("condition", w.running, w.finish, w.running), "at most one branch of a Condition runs"),
        (("condition", w.evaluating, w.hold, w.skipped), "no step and no branch is dead"),
    ],
)
def test_a_broken_row_is_found(breaks, row, refuted):
    """One redirected row refutes the property that forbids it; the unbroken engine has all of them proved."""
    assert check(FLOW).exit_code == 0
    breaks(*row)
    found = check(FLOW)[refuted]
    assert found.verdict is Verdict.refuted
    assert found.why


def test_a_question_that_nobody_can_answer_is_a_deadlock(monkeypatch):
    """A situation without events in which the run is not over is refuted, with the run that leads there."""
    real = World.offers
    monkeypatch.setattr(World, "offers", lambda world, at, phase: () if phase == w.errored_paused else real(world, at, phase))
    found = check(FLOW)["no situation is a deadlock"]
    assert found.verdict is Verdict.refuted
    assert [event.trigger for event in found.events] == [w.start, w.confirm, w.fail]


def test_an_engine_without_an_end_is_found(breaks):
    """Where every call is owed again for ever, no end can be reached."""
    for trigger in (w.succeed, w.stop, w.fail):
        breaks("step", w.running, trigger, w.running)
    flow = Workflow("flow", [Step("a", work)])
    found = check(flow)["an end can be reached from everywhere"]
    assert (found.verdict, found.why) == (Verdict.refuted, "from here the run cannot come to an end")


def test_content_that_a_skipped_step_hands_on_is_found(monkeypatch):
    """A skip that lets the previous content through is an offence, and so is one that hands on its own."""
    monkeypatch.setattr(
        path, "skip", lambda draft, node, cursor, trigger: path.go_on(draft, node, cursor.turn, cursor.prev, cursor.last)
    )
    flow = Workflow("flow", [Step("z", work), Step("a", work, requires_confirmation=True), Step("b", work)])
    assert "got Ref" in check(flow)[Law.skip_none.value].why


def test_a_skipped_step_that_hands_on_is_found(monkeypatch):
    """A move to skipped that carries a reference is an offence."""
    change_moves(monkeypatch, lambda move: move._replace(hands_on=Ref("a", (), 0)) if move.dest == w.skipped else move)
    assert "handed on" in check(FLOW)[Law.skip_none.value].why


def test_a_move_out_of_nowhere_is_found(monkeypatch):
    """A move that does not leave the phase where its component was is an offence."""
    change_moves(monkeypatch, lambda move: move._replace(source=w.judging) if move.trigger == w.succeed else move)
    assert check(FLOW)[Law.continuity.value].why == "a was running and left judging"


def test_a_child_that_begins_alone_is_found(monkeypatch):
    """A child that is entered although its group never was is an offence."""
    change_moves(monkeypatch, lambda move: move._replace(at="a") if move.at == "g" and move.trigger == w.enter else move)
    assert check(FLOW)[Law.inside.value].why == "g/b began although g had not"


def change_moves(monkeypatch, change):
    """Make the engine report other moves than it made."""
    real: Any = vars(drawing)["advance"]

    def lying(program, state, *events):
        after = real(program, state, *events)
        return after._replace(moves=tuple(map(change, after.moves)))

    monkeypatch.setattr(drawing, "advance", lying)


def test_a_run_that_the_engine_refuses_is_told_as_far_as_it_goes(breaks):
    """Where the last event itself raises, the story ends before it and names it; JSON leaves the run out."""
    breaks("step", w.running, w.stop, None)
    found = check(FLOW)[Law.divergence.value]
    program = FLOW.compiled.program
    assert not is_told(found, program)
    assert lines_of(found, program)[-1] == f"     then: stop at {found.events[-1].at!r}"
    assert lines_of(found, program)[1:-1] == story(program, found.events[:-1])
    assert all("run" not in each for each in document(check(FLOW), program)["findings"] if each["property"] == found.text)


def test_a_cancellation_that_leaves_something_is_found(monkeypatch):
    """A run that is not cancelled by a cancellation is an offence against the law, not an error of the check."""
    from statecore.check import world as laws

    monkeypatch.setattr(laws, "advance", lambda program, state, event: Advanced(state, ()))
    assert "after a cancellation" in check(FLOW)[Law.cancel.value].why
