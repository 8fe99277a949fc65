"""RUN-14: a run, a store or a callback that fails stops no worker and no other run, on threads and on a user's event loop."""

from __future__ import annotations

import asyncio
import logging
from threading import get_ident
from typing import Any

import pytest

from statecore import InMemoryDb, SqliteDb, Step, Workflow
from statecore.errors import StoreUnavailable, UnsupportedSetting
from statecore.runtime import backoff
from statecore.runtime.backoff import Backoff, Telling
from statecore.runtime.worker import Went, Worker

pytestmark = pytest.mark.spec("RUN-14")


@pytest.fixture(params=["memory", "sqlite"])
def db(request, tmp_path):
    """A store of each kind."""
    store = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / "runs.db", durability="normal")
    yield store
    store.close()


@pytest.fixture(params=["threads", "loop"])
def works(request):
    """A worker works until it has nothing to do: on its threads, or in an event loop of the user's."""

    def work(worker, **settings):
        settings.setdefault("until_idle", True)
        return worker.work(**settings) if request.param == "threads" else asyncio.run(worker.arun(**settings))

    return work


def done(step_input):
    """A step that does nothing."""
    return step_input.input


def flow(name, db, function=done):
    """A workflow of one step."""
    return Workflow(name, [Step("only", function)], db)


def test_a_failing_tell_stops_nothing_and_is_tried_again(db, works, caplog):
    """The callback that fails once is logged, all runs are done, and each is told in the end."""
    workflow, told, down = flow("flow", db), [], [True]
    for n in range(5):
        workflow.submit(n, run_id=f"r{n}")

    def tell(went):
        if down:
            down.pop()
            raise ConnectionError("the line is off")
        told.append(went.run_id)

    worker = Worker(workflow, tell=tell)
    with caplog.at_level(logging.WARNING):
        assert works(worker) == {"COMPLETED": 5}
    assert sorted(told) == [f"r{n}" for n in range(5)]
    assert worker.untold == []
    assert len([record for record in caplog.records if "tell failed" in record.message]) == 1


def test_what_can_never_be_told_is_left_over(db, works, caplog):
    """A callback that always fails for one run is told of the others; what is left is `untold`."""
    workflow, told = flow("flow", db), []
    for n in range(3):
        workflow.submit(n, run_id=f"r{n}")

    def tell(went):
        if went.run_id == "r1":
            raise ConnectionError("no such channel")
        told.append(went.run_id)

    worker = Worker(workflow, tell=tell)
    assert works(worker) == {"COMPLETED": 3}
    assert sorted(told) == ["r0", "r2"]
    assert worker.untold == [Went("r1", "COMPLETED", "", "flow")]
    assert "no such channel" in caplog.text


def test_one_worker_serves_many_workflows(db, works):
    """Runs of each workflow are taken, also where another has more than there are hands; `Went` says whose each is."""
    several, told = [flow(name, db) for name in ("one", "two", "three")], []
    for workflow in several:
        for n in range(4):
            workflow.submit(n)
    assert works(Worker(several, concurrency=1, tell=lambda went: told.append(went.workflow))) == {"COMPLETED": 12}
    assert sorted(told[:3]) == sorted(workflow.id for workflow in several)  # none waits for all of another
    assert sorted(told) == sorted([workflow.id for workflow in several] * 4)


def test_runs_of_two_stores_may_share_an_id(works):
    """Each store has its own runs: one that is refused in one of them is not left alone in the other."""
    one, two = flow("one", InMemoryDb()), flow("two", InMemoryDb())
    for workflow in (one, two):
        workflow.submit("x", run_id="r")
    assert works(Worker([one, two])) == {"COMPLETED": 2}


class Away(InMemoryDb):
    """A store that never hands out work."""

    trouble: Exception = StoreUnavailable("there", "it is away")

    def claim_next(self, *_):
        raise self.trouble


@pytest.mark.parametrize("trouble", [StoreUnavailable("there", "it is away"), RuntimeError("a bug")], ids=["away", "bug"])
def test_a_store_that_does_not_answer_is_not_the_others_affair(works, trouble):
    """The runs of the other store are done, and the worker tells that it waits; where no store ever answered, that is raised."""
    away, there = Away(), InMemoryDb()
    told: list[Went] = []
    away.trouble = trouble
    one, two = flow("one", away), flow("two", there)
    two.submit("x", run_id="r")
    works(Worker([one, two], tell=told.append))
    assert {(went.run_id, went.status, went.workflow) for went in told} >= {("", "WAITING", one.id), ("r", "COMPLETED", two.id)}
    with pytest.raises(type(trouble)):
        works(Worker([one, flow("three", away)]))


@pytest.mark.parametrize(
    ("several", "why"),
    [
        (lambda db: [], "no workflow"),
        (lambda db: [flow("one", db), flow("one", db)], "'one' twice"),
    ],
    ids=["none", "twice"],
)
def test_wrong_workflows_are_refused(several, why):
    """A worker without workflows, or with two that would take each other's runs, is refused by name."""
    with pytest.raises(UnsupportedSetting, match=why):
        Worker(several(InMemoryDb()))


def test_an_async_tell_is_refused():
    """Its coroutine would never be awaited, and nothing told."""

    async def tell(_):
        pass

    callback: Any = tell
    with pytest.raises(UnsupportedSetting, match="async tell"):
        Worker(flow("flow", InMemoryDb()), tell=callback)


def test_a_worker_in_a_loop_runs_async_steps_on_it(db):
    """Async steps run on the caller's loop and thread, so that a client which was opened there works; the loop stays free for others."""
    seen, ticks = [], []

    async def step(_):
        await asyncio.sleep(0)
        seen.append((asyncio.get_running_loop(), get_ident()))

    async def live():
        ticking = asyncio.ensure_future(tick())
        counts = await Worker(workflow).arun(until_idle=True)
        ticking.cancel()
        return counts, (asyncio.get_running_loop(), get_ident())

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.001)

    workflow = flow("flow", db, step)
    for n in range(3):
        workflow.submit(n)
    counts, here = asyncio.run(live())
    assert (counts, seen) == ({"COMPLETED": 3}, [here] * 3)
    assert ticks


def test_a_cancelled_worker_waits_for_its_calls_and_gives_its_runs_back(db):
    """The call is cancelled and its `finally` is over before `arun` ends; the run is free, its call is interrupted."""
    over = []

    async def main():
        begun = asyncio.Event()

        async def hang(_):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                over.append("finally")

        workflow = flow("flow", db, hang)
        workflow.submit("x", run_id="r")
        working = asyncio.ensure_future(Worker(workflow).arun())
        await begun.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert over == ["finally"]

    asyncio.run(main())
    assert db.load("r").owner is None
    assert [entry.trigger for entry in db.journal("r") if entry.at == "only"] == ["enter", "interrupt"]


def test_a_worker_in_a_loop_is_stopped(db):
    """`stop` ends it at the next boundary of what it has."""

    async def main():
        async def step(_):
            worker.stop()

        workflow = Workflow("flow", [Step("a", step), Step("b", done)], db)
        workflow.submit("x")
        worker = Worker(workflow)
        return await worker.arun()

    assert asyncio.run(main()) == {"RUNNING": 1}


def test_the_distance_grows(monkeypatch):
    """1, 2, 4 seconds and so on, at most 60; a success begins anew, and each thing has its own distance."""
    now = [0.0]
    monkeypatch.setattr(backoff, "monotonic", lambda: now[0])
    waits = Backoff[str]()
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):
        waits.failed("a")
        now[0] += wait - 0.1
        assert waits.waiting() == ["a"]
        now[0] += 0.1
        assert waits.waiting() == []
    waits.succeeded("a")
    waits.failed("a")
    waits.failed("b")
    now[0] += 1
    assert waits.waiting() == []


def test_a_thing_that_cannot_be_told_is_told_again_when_it_is_due(monkeypatch, caplog):
    """It is not tried before its time, and the oldest of too many is dropped, which is logged."""
    now, told, down = [0.0], [], [True]
    monkeypatch.setattr(backoff, "monotonic", lambda: now[0])
    monkeypatch.setattr(backoff, "MOST", 2)

    def tell(thing):
        told.append(thing)
        if down:
            raise OSError("off")

    telling = Telling[Went](tell)
    first, *kept = (Went(name, "ERROR", "the words of an error") for name in "abc")
    for thing in (first, *kept):
        telling.say(thing)
    assert list(telling.untold.values()) == kept
    assert "dropped: run 'a' (ERROR)" in caplog.text
    assert "the words" not in caplog.text
    told.clear()
    telling.again()
    assert told == []
    now[0] = 1.0
    down.clear()
    telling.again()
    assert (told, telling.untold) == (kept, {})
