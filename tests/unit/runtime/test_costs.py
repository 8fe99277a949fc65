"""What a thing costs does not grow with what lies beside it: counted in the instructions of SQLite and in questions read, never in time."""

from __future__ import annotations

import sys

import pytest

from statecore import InMemoryDb, Parallel, Step, Workflow
from statecore.core import program
from statecore.db.sqlite import SqliteDb
from statecore.runtime import launching
from statecore.stores import replay
from statecore.stores.sql3 import questions, reading
from tests.faults.scale import Counted


def spent(act) -> int:
    """How many instructions SQLite executes for something."""
    Counted.spent = 0
    act()
    return Counted.spent


def called(act) -> int:
    """How many functions of Python something calls."""
    count = 0

    def hear(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(hear)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def store(tmp_path, name: str) -> SqliteDb:
    """A store that counts."""
    return SqliteDb(db_file=tmp_path / f"{name}.db", durability="normal", connection_factory=Counted)


# -- one of many questions ---------------------------------------------------------------------------------------------------------


def wide(branches: int, db) -> tuple[Workflow, str, list[str]]:
    """A run of a Parallel of so many branches that all ask; one of them was answered before, so that all lists are interned."""
    steps = [Step(f"b{n}", lambda _: "done", requires_confirmation=True) for n in range(branches)]
    flow = Workflow("wide", [Parallel(*steps, name="all")], db)
    run = flow.run("x")
    ids = [each.pause_id for each in run.requirements]
    flow.decide(run.run_id, ids[0], "confirm")
    flow.continue_run(run_id=run.run_id)
    return flow, run.run_id, ids[1:]


def test_one_answer_of_many_costs_little_more_than_one_of_few(tmp_path):
    """A decision, and the run that goes on with it, cost SQLite at most 2.5 times as much where 240 questions are open as where 20 are."""
    costs = {}
    for branches in (20, 240):
        flow, run_id, ids = wide(branches, store(tmp_path, f"wide-{branches}"))

        def one(flow=flow, run_id=run_id, ids=ids) -> None:
            flow.decide(run_id, ids[3], "confirm")
            assert flow.continue_run(run_id=run_id).is_paused

        costs[branches] = spent(one)
    assert costs[240] <= 2.5 * costs[20], costs


def test_one_answer_of_many_calls_little_more_than_one_of_few(tmp_path):
    """The same in functions of Python: the questions that this process has put are not read and judged again one by one."""
    costs = {}
    for branches in (20, 240):
        flow, run_id, ids = wide(branches, store(tmp_path, f"wide-{branches}"))

        def one(flow=flow, run_id=run_id, ids=ids) -> None:
            flow.decide(run_id, ids[3], "confirm")
            assert flow.continue_run(run_id=run_id).is_paused

        costs[branches] = called(one)
    assert (costs[240] - costs[20]) / 220 <= 45, costs


def test_one_answer_of_many_reads_one_question(tmp_path, monkeypatch):
    """Of 60 open questions few are read: the answered one, and one to see that the run stands where it was left. The output reads the others."""
    read: list[str] = []
    real = questions.put_of

    def reads(row):
        read.append(row[2])
        return real(row)

    for module in (questions, reading):
        monkeypatch.setattr(module, "put_of", reads)
    flow, run_id, ids = wide(60, store(tmp_path, "wide"))
    flow.decide(run_id, ids[3], "confirm")
    read.clear()
    run = flow.continue_run(run_id=run_id)
    assert set(read) == {ids[3], ids[0]}
    assert len(run.requirements) == 58
    assert len(set(read)) == 59


# -- looking back ------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("VALUE-4")
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_look_back_costs_what_it_returns(kind, tmp_path):
    """After 1,600 steps one of `previous_step_outputs` takes no more calls than after 50, once the run has looked back before."""
    costs: dict[int, int] = {}
    for length in (50, 1_600):

        def look(step_input, length=length) -> str:
            if step_input.step_name == "last":
                costs[length] = called(lambda: step_input.previous_step_outputs["s3"])
            else:
                assert step_input.previous_step_outputs["s3"].content == "done"
            return "done"

        steps = [Step(f"s{n}", lambda _: "done") for n in range(length)]
        db = InMemoryDb() if kind == "memory" else store(tmp_path, f"long-{length}")
        Workflow("long", [*steps, Step("look", look), Step("last", look)], db).run("x")
    assert costs[1_600] <= costs[50] + 2, costs


# -- a run whose process died ------------------------------------------------------------------------------------------------------


def test_a_run_of_many_steps_goes_on_from_a_state_that_is_near(tmp_path, monkeypatch):
    """A run whose process died after 2,000 steps is continued by playing at most 256 boundaries, and not from its beginning."""
    length = 2_000
    played: list[object] = []
    real = replay.followed

    def died(_) -> str:
        raise KeyboardInterrupt

    db = SqliteDb(db_file=tmp_path / "long.db", durability="normal")
    steps = [Step(f"s{n}", lambda _: "done") for n in range(length)]
    monkeypatch.setattr(db, "release", lambda *_: None)  # a dead process gives nothing back
    with pytest.raises(KeyboardInterrupt):
        Workflow("long", [*steps, Step("last", died)], db).run("x", run_id="r")
    db.close()

    def plays(*args):
        played.append(args)
        return real(*args)

    monkeypatch.setattr(reading, "followed", plays)
    again = SqliteDb(db_file=tmp_path / "long.db", durability="normal")
    assert again.load("r").seq > length
    assert 0 < len(played) <= 256


def test_a_process_that_has_the_workflow_does_not_read_its_definition_to_go_on(tmp_path, monkeypatch):
    """A run whose owner died is recovered with the program of the process; only where this is another one, the stored definition is read."""
    read: list[str] = []
    real = program.stored_program

    def reads(canonical):
        read.append(canonical)
        return real(canonical)

    def flow(*names, db) -> Workflow:
        return Workflow("flow", [Step(name, lambda _: "done") for name in names] + [Step("last", died)], db)

    def died(_) -> str:
        raise KeyboardInterrupt

    db = SqliteDb(db_file=tmp_path / "runs.db")
    monkeypatch.setattr(db, "release", lambda *_: None)  # a dead process gives nothing back
    with pytest.raises(KeyboardInterrupt):
        flow("a", "b", db=db).run("x", run_id="r")
    monkeypatch.setattr(reading, "stored_program", reads)
    there = flow("a", "b", db=SqliteDb(db_file=tmp_path / "runs.db"))
    assert launching.left_runs(there) == ["r"]
    assert read == []
    other = flow("a", "b", "c", db=SqliteDb(db_file=tmp_path / "runs.db"))
    assert launching.left_runs(other) == ["r"]
    assert len(read) == 1
