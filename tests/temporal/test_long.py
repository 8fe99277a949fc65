"""Runs that outgrow a history, and questions with a deadline: on servers that are set up for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from statecore import InMemoryDb, Loop, RunStatus, Step, Workflow
from statecore.stores.history import History
from statecore.temporal import FolderValues, TemporalDb, TemporalWorkflows
from statecore.temporal.activities import prepare
from tests.conformance.plays import untimed
from tests.temporal.conftest import Working, history_of
from tests.temporal.record import replay
from tests.temporal.servers import Server, started
from tests.temporal.workers import until

ROUNDS = 5
LOW = (
    "limit.historyCount.suggestContinueAsNew=30",
    "limit.historyCount.error=400",
    "history.maxTotalUpdates=8",
    'history.workflowIdReuseMinimalInterval="1ms"',  # it would have a history last for a second
)


@pytest.fixture(scope="module")
def low() -> Iterator[Server]:
    """A dev server whose histories hold little."""
    server = started("dev", [word for limit in LOW for word in ("--dynamic-config-value", limit)])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def skipping() -> Iterator[Server]:
    """The test server, which skips time."""
    server = started("skipping")
    db = TemporalDb(server.target)
    db.connection.do(prepare(db))
    db.close()
    yield server
    server.stop()


def sees(step_input: Any) -> Any:
    """What a step in a round of a loop sees of all before."""
    before = step_input.get_step_content("draft")
    return {"n": step_input.previous_step_content["n"] + 1 if before else 1, "text": "x" * 200, "before": before and before["n"]}


def rounds() -> Workflow:
    """A loop whose every round is reviewed, and a step that looks back at all of it."""
    return Workflow(
        "rounds",
        [
            Step("draft", lambda s: {"n": 0}),
            Loop(
                "again",
                [Step("write", sees), Step("check", lambda s: s.previous_step_content, requires_confirmation=True)],
                max_iterations=ROUNDS,
                forward_iteration_output=True,
            ),
            Step("sum", lambda s: [s.get_step_content("draft"), s.previous_step_content]),
        ],
    )


def histories(db: TemporalDb, run_id: str) -> int:
    """How many executions of Temporal a run has taken."""

    async def count() -> int:
        client = await db.connection.client()
        return (await client.count_workflows(f"WorkflowId = '{run_id}'")).count

    return db.connection.do(count())


def rows(entries: list[Any]) -> list[Any]:
    """A journal without its times."""
    return [(e.seq, e.machine, e.at, e.turn, e.attempt, e.source, e.trigger, e.dest, e.body) for e in entries]


@pytest.mark.parametrize("carry", [100_000, 100], ids=["carried", "moved"])
def test_a_run_goes_on_in_new_histories(low: Server, tmp_path: Path, carry: int) -> None:
    """Five rounds with five decisions outgrow a history several times, by events and by updates: nothing is lost on the way.

    What has happened is carried along, or, where that is too much, lies in the values store; the journal is that of the run in memory.
    """
    db = TemporalDb(low.target, values=FolderValues(tmp_path), lease=30, carry=carry)
    working = Working(db, rounds())
    runs = TemporalWorkflows(rounds(), db)
    run = runs.run("x", timeout=60)
    for _ in range(ROUNDS):
        run.steps_requiring_confirmation[0].confirm(by="ada")
        run = runs.continue_run(run, timeout=60)
    here = rounds().on(InMemoryDb())
    same = here.run("x", run_id=run.run_id)
    for _ in range(ROUNDS):
        same.steps_requiring_confirmation[0].confirm(by="ada")
        same = here.continue_run(same)
    assert (run.status, run.content) == (RunStatus.completed, same.content)
    assert rows(db.journal(run.run_id)) == rows(here.db.journal(run.run_id))
    assert rows(db.journal(run.run_id, 10, 50)) == rows(here.db.journal(run.run_id, 10, 50))
    assert [each.pause_id for each in db.decisions(run.run_id)] == [each.pause_id for each in here.db.decisions(run.run_id)]
    assert [untimed(each.to_dict()) for each in History().extend(db.journal(run.run_id)).tree()] == [
        untimed(each.to_dict()) for each in same.step_results
    ]
    assert until(lambda: histories(db, run.run_id) > 2)
    replay(history_of(db, run.run_id))
    assert bool(list(tmp_path.iterdir())) is (carry == 100)
    working.stop()
    db.close()


def test_a_page_that_has_no_place_waits_for_a_worker_that_has(low: Server, tmp_path: Path) -> None:
    """Where the past is too much to be carried and no worker has a values store, the run waits, unharmed, for one that has.

    A cancellation that Temporal orders meanwhile is heeded when it goes on, as everybody's is.
    """
    db = TemporalDb(low.target, lease=30, carry=100)
    working = Working(db, rounds())
    runs = TemporalWorkflows(rounds(), db)
    run_id = runs.start("x")

    def waits() -> bool:
        async def pending() -> Any:
            client = await db.connection.client()
            return (await client.get_workflow_handle(run_id).describe()).raw_description.pending_activities

        return any(each.activity_type.name == "statecore.keep" and each.attempt > 1 for each in db.connection.do(pending()))

    confirmed = 0
    while not waits():
        for asked in runs.workflow.list_pauses(run_id=run_id):
            runs.workflow.decide(run_id, asked.pause_id, "confirm")
            confirmed += 1
    assert 0 < confirmed < ROUNDS

    async def cancel() -> None:
        await (await db.connection.client()).get_workflow_handle(run_id).cancel()

    db.connection.do(cancel())
    db.values = FolderValues(tmp_path)
    until(lambda: db.load(run_id).state.run == "cancelled")
    assert len(runs.workflow.get_run_output(run_id).step_results) > 0
    assert db.journal(run_id)[-1].trigger == "cancel"
    working.stop()
    db.close()


@pytest.mark.spec("TIME-3")
def test_a_deadline_is_a_timer(skipping: Server) -> None:
    """A question with a deadline of an hour takes its `on_timeout` after an hour, without anybody looking; a decision in time counts."""
    flow = Workflow(
        "late",
        [
            Step("ask", lambda s: "asked", requires_confirmation=True, timeout=3600, on_timeout="skip"),
            Step("delay", lambda s: 1 / s.attempt if s.attempt < 1 else "tried twice", max_retries=1, retry_delay=7200),
        ],
    )
    db = TemporalDb(skipping.target, lease=30)
    working = Working(db, flow)
    runs = TemporalWorkflows(flow, db)
    first, second = runs.start("x"), runs.start("y")
    for run_id in (first, second):
        runs.wait(run_id, timeout=30)
    runs.workflow.decide(second, "ask:confirmation:0", "confirm")
    skip = skipping.environment.sleep
    skipping.connection.do(skip(timedelta(seconds=3601)))
    until(lambda: [each.trigger for each in db.journal(first) if each.at == "ask"] == ["enter", "expire"])
    skipping.connection.do(skip(timedelta(seconds=7201)))
    for run_id in (first, second):
        assert runs.wait(run_id, timeout=30).content == "tried twice"
    spent = [entry.time for entry in db.journal(first)]
    assert 10_800 <= (spent[-1] - spent[0]) / 1_000_000 < 11_000
    assert [entry.trigger for entry in db.journal(second) if entry.at == "ask"] == ["enter", "confirm", "succeed"]
    working.stop()
    db.close()
