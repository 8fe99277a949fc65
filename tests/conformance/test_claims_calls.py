"""RUN-9: no two calls of one visit overlap, however a driver is interrupted; no result is lost, and the run is free afterwards."""

from __future__ import annotations

import asyncio
import signal
from itertools import count
from threading import Event, Thread

import pytest

from statecore import InMemoryDb, Parallel, RunStatus, SqliteDb, Step, Workflow
from statecore.errors import RunBusy, StillRunning
from statecore.runtime.worker import Worker
from tests.conformance.cutting import Cut, Effects, flow, interrupt

pytestmark = pytest.mark.spec("RUN-9", "CRASH-2")


@pytest.fixture(autouse=True)
def keyboard():
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(params=["memory", "sqlite"])
def opened(request, tmp_path):
    """Makes a fresh store of one kind."""
    numbers = count()
    stores = []

    def make():
        stores.append(
            InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / f"{next(numbers)}.db", durability="normal")
        )
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def proves(effects, workflow, run):
    """What RUN-9 says of a run that was interrupted and went on to its end."""
    assert run.status is RunStatus.completed
    assert effects.overlaps() == []
    succeeded = [entry for entry in workflow.db.journal("r") if entry.machine == "step" and entry.trigger == "succeed"]
    assert effects.returned() == {f"r/{entry.at}": 1 for entry in succeeded}  # each value is kept, and no call repeated after one


def is_free(workflow):
    """Nobody has the run, or it has not begun."""
    records = [run for run in workflow.list_runs() if run.run_id == "r"]
    return not records or workflow.db.load("r").owner is None


async def driven(workflow, colour):
    """Drive a run to its end."""
    if colour == "async":
        await workflow.arun("x", run_id="r")
    else:
        async for _event in workflow.arun("x", run_id="r", stream=True):
            pass


async def cancelled(workflow, colour, effects, number, place):
    """Whether a run was cut: its task is cancelled at the n-th await of the driver, or at the n-th mark of user code."""
    cutting = Cut(driven(workflow, colour), number if place == "driver" else 0)

    async def body():
        await cutting

    running, task = asyncio.get_running_loop(), asyncio.create_task(body())
    if place == "code":
        effects.number, effects.cut = number, lambda: running.call_soon_threadsafe(task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
        return False
    assert is_free(workflow)
    return True


@pytest.mark.parametrize("place", ["driver", "code"])
@pytest.mark.parametrize("colour", ["async", "async stream"])
def test_cancelled_at_every_place(opened, tmp_path, colour, place):
    """Cancelled at every await and every effect: threads are waited for, tasks cancelled and awaited, and what is left is called once."""
    for number in count(1):
        effects = Effects(tmp_path / f"{number}.txt")
        effects.file.touch()
        workflow = flow(effects, opened())
        was_cut = asyncio.run(cancelled(workflow, colour, effects, number, place))
        if not any(run.run_id == "r" for run in workflow.list_runs()):
            continue  # it was cut before the run was stored
        run = workflow.get_run_output("r")
        if run.status is not RunStatus.completed:
            run = asyncio.run(workflow.acontinue_run(run_id="r"))
        proves(effects, workflow, run)
        if not was_cut and (place == "driver" or effects.marks < number):
            assert number > (6 if place == "driver" else 20)
            return


@pytest.mark.parametrize("colour", ["sync", "stream"])
def test_interrupted_at_every_mark(opened, tmp_path, colour):
    """Ctrl-C at every effect: the calls beside it are waited for and kept, and none is called beside itself."""
    for number in count(1):
        effects = Effects(tmp_path / f"{number}.txt", number)
        effects.file.touch()
        workflow = flow(effects, opened())
        try:
            if colour == "sync":
                workflow.run("x", run_id="r")
            else:
                for _event in workflow.run("x", run_id="r", stream=True):
                    pass
        except KeyboardInterrupt:
            assert is_free(workflow)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        run = workflow.get_run_output("r")
        if run.status is not RunStatus.completed:
            run = workflow.continue_run(run_id="r")
        proves(effects, workflow, run)
        if effects.marks < number:
            assert number > 20
            return


@pytest.mark.parametrize("where", ["threads", "loop"])
def test_a_worker_that_is_stopped_at_every_mark(opened, tmp_path, where):
    """Told to stop at every effect, a worker waits for its calls and gives the run back; another worker ends it."""

    def work(worker):
        return worker.work(until_idle=True) if where == "threads" else asyncio.run(worker.arun(until_idle=True))

    for number in count(1):
        effects = Effects(tmp_path / f"{number}.txt", number)
        effects.file.touch()
        workflow = flow(effects, opened())
        workflow.submit("x", run_id="r")
        worker = Worker(workflow)
        effects.cut = worker.stop
        work(worker)
        assert is_free(workflow)
        if workflow.get_run_output("r").status is not RunStatus.completed:
            work(Worker(workflow))
        proves(effects, workflow, workflow.get_run_output("r"))
        if effects.marks < number:
            assert number > 20
            return


def held(db, on_interrupt):
    """A workflow whose step waits for its `release` on a thread, beside another one that is over at once."""
    begun, release, calls = Event(), Event(), []

    def step(asked):
        calls.append("begin")
        begun.set()
        assert release.wait(30)
        calls.append("end")
        return "late" if len(calls) == 2 else "again"

    branches = [Step("slow", step, on_interrupt=on_interrupt), Step("quick", lambda _: "quick")]
    return Workflow("flow", [Parallel(*branches, name="p")], db), begun, release, calls


@pytest.mark.parametrize("on_interrupt", ["retry", "pause"])
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_the_second_interruption_waits_no_longer(opened, caplog, colour, on_interrupt):
    """The first Ctrl-C says what it waits for. After the second one the call is interrupted, and the run is claimed until it is over."""
    workflow, begun, release, calls = held(opened(), on_interrupt)
    waits = Event()

    def keyboard():
        assert begun.wait(30)
        interrupt()
        waits.wait(0.05)
        interrupt()

    typing = Thread(target=keyboard)
    typing.start()
    with pytest.raises(KeyboardInterrupt):
        workflow.run("x", run_id="r") if colour == "sync" else asyncio.run(workflow.arun("x", run_id="r"))
    typing.join()
    assert "waiting for the call of 'slow'" in caplog.text
    at_slow = [entry.trigger for entry in workflow.db.journal("r") if entry.at == "p/slow"]
    assert (at_slow, calls) == (["enter", "interrupt"], ["begin"])
    asked = workflow.list_pauses()
    for each in asked:
        with pytest.raises(StillRunning):
            workflow.decide("r", each.pause_id, "retry")
    with pytest.raises(RunBusy):
        workflow.continue_run(run_id="r")
    release.set()
    while workflow.db.load("r").owner is not None:
        waits.wait(0.001)
    for each in asked:
        workflow.decide("r", each.pause_id, "retry")
    assert workflow.continue_run(run_id="r").content == {"slow": "again", "quick": "quick"}
    assert calls == ["begin", "end", "begin", "end"]
