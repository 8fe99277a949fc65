"""Plans of plain steps: they make the same rows as the general way, they hold no value, and what is not next is refused as ever."""

from __future__ import annotations

import pytest
from attrs import evolve

from statecore import Condition, Loop, Step, StepInput, StepOutput, Workflow
from statecore.errors import ClaimLost, RefusedBoundary, UnstorableValue
from statecore.stores.sql3 import plans, steps
from statecore.stores.sql3.events import cut
from statecore.stores.sqlite.store3 import SqliteDb
from statecore.testing.stores.samples import entered, started, succeeded


def outputs(step_input: StepInput):
    """Outputs of each size, of each kind of end: short, long, none, and one with media."""
    size = {"short": 10, "long": 5_000, "kept": 1_020}.get(step_input.step_name)
    return StepOutput(content=None) if size is None else "é" * size


def flow(db) -> Workflow:
    """Steps in a row, in turns, and behind a condition."""
    turns = Loop("turns", [Step("short", outputs), Step("none", outputs)], max_iterations=3)
    named = [Step(name, outputs) for name in ("short", "long", "kept", "none")]
    return Workflow("flow", [*named, turns, Condition("if", [Step("short", outputs)], evaluator=True), Step("last", outputs)], db)


def planned_beside_written(db, monkeypatch) -> list[tuple[steps.Written, steps.Written]]:
    """Each plain step of some runs of that workflow: its event by its plan, and the general way, under the same salt."""
    found: list[tuple[steps.Written, steps.Written]] = []

    def both(boundary, place, plan, salt):
        event = real(boundary, place, plan, salt)
        [part] = cut(boundary)
        shape = db._known.shapes.known(boundary.entries)
        found.append((event, steps.written(boundary.run_id, place, part, shape, salt, boundary.time)))
        assert steps.moved(place, event, place.boundary + 1) == steps.after(place, part, event, place.boundary + 1)
        return event

    real = plans.planned
    monkeypatch.setattr(plans, "planned", both)
    for _ in range(3):
        flow(db).run("x")
    return found


def test_a_plan_makes_the_same_row(tmp_path, monkeypatch):
    """The row and the link of a plain step are the same by its plan and without one, whatever its turns and the size of its value."""
    found = planned_beside_written(SqliteDb(db_file=tmp_path / "runs.db"), monkeypatch)
    assert len(found) > 15
    assert {planned == written for planned, written in found} == {True}
    assert {bool(written.apart) for _, written in found} == {False, True}  # short and long values
    assert {written.row[5] is None for _, written in found} == {False, True}  # with turns and without


def test_no_plan_holds_a_value(tmp_path):
    """A plan is the same for all values: nothing of what a step gave is in one."""
    db = SqliteDb(db_file=tmp_path / "runs.db")
    secrets = iter(f"secret {n}" for n in range(100))
    workflow = Workflow("flow", [Step(f"s{n}", lambda _: next(secrets)) for n in range(5)], db)
    for _ in range(3):
        workflow.run("x")
    kept = db._plans.by_likeness
    assert len(kept) == 4
    assert "secret" not in repr(kept)


def with_value(entry, value):
    """A row with another value."""
    return entry._replace(body=entry.body._replace(value=value))


@pytest.fixture
def writer(tmp_path):
    """A run in the middle of its steps, whose plain steps have plans; the next one ends `b`."""
    db = SqliteDb(db_file=tmp_path / "runs.db")
    for run_id in ("first", "second", "third"):
        last = started(db, run_id)
        for _ in range(2):
            last.commit(succeeded("first"), entered("b"), follows=True)
            last.commit(succeeded("b"), entered("first"), follows=True)
    assert len(db._plans.by_likeness) == 2
    return last


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda b: b._replace(entries=(b.entries[0], b.entries[1]._replace(seq=99))), RefusedBoundary),
        (lambda b: b._replace(state=evolve(b.state, run="paused")), RefusedBoundary),
        (lambda b: b._replace(seq=b.seq + 1), ClaimLost),
        (lambda b: b._replace(epoch=b.epoch + 1), ClaimLost),
        (lambda b: b._replace(entries=(with_value(b.entries[0], '"\ud800"'), b.entries[1])), UnstorableValue),
    ],
    ids=["not the next row", "another phase", "not where the run stands", "another claim", "no text"],
)
def test_a_known_plan_lets_nothing_through(writer, change, error):
    """A boundary whose rows are like others is refused where it is not the next one, as one without a plan; then the right one is stored."""
    right = writer.boundary(succeeded("first"), entered("b"), follows=True)
    with pytest.raises(error):
        writer.store.commit(change(right))
    assert writer.store.commit(right) is False
    assert len(writer.store.journal("third")) == right.seq + 2


def test_a_long_run_finds_its_plans_again(tmp_path, monkeypatch):
    """The steps of a workflow of 4,200 steps have plans once it has run twice: no more are made for the third run."""
    made: list[object] = []
    real = plans.plan_of

    def makes(boundary, shape):
        made.append(boundary)
        return real(boundary, shape)

    db = SqliteDb(db_file=tmp_path / "runs.db", durability="normal")
    workflow = Workflow("long", [Step(f"s{n}", lambda _: "x") for n in range(4_200)], db)
    workflow.run("x")
    monkeypatch.setattr(plans, "plan_of", makes)
    for expected in (4_000, 0):
        made.clear()
        workflow.run("x")
        assert (len(made) > expected) == (expected > 0)
