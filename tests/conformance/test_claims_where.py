"""RUN-15 to RUN-17: which environment user code sees, in each way to write it and in each way to drive it; the guide's table is one of these tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import partial
from pathlib import Path
from threading import Barrier, Event, Lock, Thread, get_ident
from types import SimpleNamespace
from typing import Any

import pytest

from statecore import Condition, HumanReview, InMemoryDb, Loop, Parallel, Router, Step, Workflow
from statecore.runtime.worker import Worker
from tests.conformance.drive import flat

TRACE: ContextVar[str] = ContextVar("trace", default="nobody's")
PAGE = Path(__file__).parents[2] / "specs" / "guide" / "where-user-code-runs.md"


def drained(stream):
    """Read a stream to its end."""
    for _event in stream:
        pass


async def adrained(stream):
    """The same on asyncio."""
    async for _event in stream:
        pass


async def working(workflow):
    """A worker in the caller's loop."""
    workflow.submit("x")
    return await Worker(workflow).arun(until_idle=True)


def in_loop(make: Callable[[Workflow], Any]) -> Callable[[Workflow], Any]:
    """Drive in an event loop of the caller's, which is told to `caller`."""

    def drive(workflow):
        async def main():
            workflow.host.dependencies["caller"] = asyncio.get_running_loop()
            await make(workflow)

        asyncio.run(main())

    return drive


def by_worker(workflow):
    """A worker on threads."""
    workflow.submit("x")
    Worker(workflow).work(until_idle=True)


DRIVES: dict[str, Callable[[Workflow], Any]] = {
    "run": lambda workflow: workflow.run("x"),
    "run(stream=True)": lambda workflow: drained(workflow.run("x", stream=True)),
    "arun": in_loop(lambda workflow: workflow.arun("x")),
    "arun(stream=True)": in_loop(lambda workflow: adrained(workflow.arun("x", stream=True))),
    "Worker.work": by_worker,
    "Worker.arun": in_loop(working),
}
"""The ways to drive a run, as the guide names them."""


# -- RUN-15 ------------------------------------------------------------------------------------------------------------------------


def ways(see: Callable[[], None]) -> dict[str, Any]:
    """The eleven ways to write user code, each in a component that calls `see`."""

    def plain(_):
        see()
        return True

    async def coroutine(_):
        await asyncio.sleep(0)
        see()
        return True

    def generator(_):
        see()
        yield "a"
        see()
        yield "b"

    async def async_generator(_):
        see()
        yield "a"
        see()
        yield "b"

    def hands_on(asked):
        return coroutine(asked)

    def agent(_prompt):
        see()
        return "said"

    async def async_agent(_prompt):
        await asyncio.sleep(0)
        see()
        return "said"

    def chooses(_):
        see()
        return "other"

    def judges(_):
        see()
        return False

    other = Step("other", lambda _: "other")
    return {
        "function": Step("s", plain),
        "coroutine function": Step("s", coroutine),
        "generator": Step("s", generator),
        "async generator": Step("s", async_generator),
        "function that returns an awaitable": Step("s", hands_on),
        "agent": Step("s", agent=SimpleNamespace(run=agent)),
        "async agent": Step("s", agent=SimpleNamespace(arun=async_agent)),
        "evaluator": Condition("s", [other], evaluator=plain),
        "selector": Router("s", [other], selector=chooses),
        "end condition": Loop("s", [other], max_iterations=2, end_condition=plain),
        "review predicate": Step("s", lambda _: 1, human_review=HumanReview(requires_output_review=judges)),
    }


WAYS = tuple(ways(lambda: None))


@pytest.mark.spec("RUN-15")
@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["alone", "in a Parallel", "after a pause"])
def test_a_trace_id_is_seen(drive, way, place):
    """A context variable of the caller is seen by user code in each way to write it, wherever it stands."""
    seen = []
    component = ways(lambda: seen.append(TRACE.get()))[way]
    steps = [Parallel(component, Step("beside", lambda _: None))] if place == "in a Parallel" else [component]
    db = InMemoryDb()
    if place == "after a pause":
        steps = [Step("gate", lambda _: None, requires_confirmation=True), *steps]
    workflow = Workflow("flow", steps, db, dependencies={"caller": None})

    def driven():
        TRACE.set("mine")
        DRIVES[drive](workflow)
        if place == "after a pause":
            assert seen == []
            [asked] = workflow.list_pauses()
            workflow.decide(asked.run_id, asked.pause_id, "confirm")
            resumed(workflow, asked.run_id, drive)

    copy_context().run(driven)
    assert seen
    assert set(seen) == {"mine"}


def resumed(workflow, run_id, drive):
    """Continue a decided run in the same way."""
    match drive:
        case "run":
            workflow.continue_run(run_id=run_id)
        case "run(stream=True)":
            drained(workflow.continue_run(run_id=run_id, stream=True))
        case "arun":
            asyncio.run(workflow.acontinue_run(run_id=run_id))
        case "arun(stream=True)":
            asyncio.run(adrained(workflow.acontinue_run(run_id=run_id, stream=True)))
        case "Worker.work":
            Worker(workflow).work(until_idle=True)
        case "Worker.arun":
            asyncio.run(Worker(workflow).arun(until_idle=True))


# -- the table of the guide --------------------------------------------------------------------------------------------------------


def table() -> dict[tuple[str, str], str]:
    """The cells of the guide's table, by row and column."""
    lines = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    (_, *columns), _, *rows = [[cell.strip().strip("`") for cell in line] for line in lines]
    return {(row, column): cell for row, *cells in rows for column, cell in zip(columns, cells, strict=True)}


def values(drive: str) -> set[str]:
    """Which value of a context variable two steps see."""
    seen = []
    steps = [Step("a", lambda _: seen.append(TRACE.get())), Step("b", awaits(lambda: seen.append(TRACE.get())))]

    def driven():
        TRACE.set("mine")
        DRIVES[drive](Workflow("flow", steps, InMemoryDb(), dependencies={"caller": None}))

    copy_context().run(driven)
    return {"the caller's value" if each == "mine" else each for each in seen}


def lasting(drive: str) -> set[str]:
    """Where a context variable is seen that a step sets: a plain and an async one."""
    seen = []

    def sets(_=None):
        seen.append(TRACE.get())
        TRACE.set("set")

    def driven():
        steps = [Step("a", sets), Step("b", awaits(sets)), Step("c", sets), Step("d", awaits(sets))]
        DRIVES[drive](Workflow("flow", steps, InMemoryDb(), dependencies={"caller": None}))
        seen.append(TRACE.get())

    copy_context().run(driven)
    assert len(seen) == 5
    return {"that call only" if each == "nobody's" else "elsewhere, too" for each in seen}


def threads(drive: str, *, beside: bool) -> set[str]:
    """On which threads plain steps run."""
    seen, both = [], Barrier(2)

    def step(_):
        seen.append(get_ident())
        if beside:
            both.wait(10)

    steps: list[Any] = [Parallel(Step("a", step), Step("b", step))] if beside else [Step("a", step), Step("b", step)]
    DRIVES[drive](Workflow("flow", steps, InMemoryDb(), dependencies={"caller": None}))
    assert not beside or len(set(seen)) == 2
    return {"the caller's thread" if each == get_ident() else "its own thread" for each in seen}


def loops(drive: str) -> set[str]:
    """On which loops async steps of two runs run."""
    seen: list[Any] = []

    async def step(asked, run_context):
        seen.append((run_context.run_id, asyncio.get_running_loop(), run_context.dependencies["caller"]))

    workflow = Workflow(
        "flow", [Step("a", step), Parallel(Step("b", step), Step("c", step))], InMemoryDb(), dependencies={"caller": None}
    )
    if drive == "Worker.work":
        workflow.submit("x")
    DRIVES[drive](workflow)
    one_each = all(len({loop for run, loop, _ in seen if run == wanted}) == 1 for wanted, *_ in seen)
    assert one_each
    if all(loop is caller for _, loop, caller in seen):
        return {"the caller's loop"}
    return {"one of the worker" if len({run for run, *_ in seen}) > len({loop for _, loop, _ in seen}) else "one of the run"}


def awaits(does: Callable[[], object]) -> Callable[[Any], Any]:
    """An async step that does something."""

    async def step(_):
        await asyncio.sleep(0)
        does()

    return step


OBSERVED: dict[str, Callable[[str], set[str]]] = {
    "a context variable": values,
    "a context variable that a step sets": lasting,
    "thread of a plain step": partial(threads, beside=False),
    "thread of a plain branch of a Parallel": partial(threads, beside=True),
    "event loop of an async step": loops,
}
"""Row of the table -> what is observed."""


@pytest.mark.spec("RUN-15", "RUN-16", "RUN-17")
@pytest.mark.parametrize(("row", "column"), [(row, column) for row in OBSERVED for column in DRIVES])
def test_a_cell_of_the_guide(row, column):
    """What the guide's table says of a row and a column is observed."""
    assert OBSERVED[row](column) == {table()[row, column]}


def test_the_guides_table_is_whole():
    """Each row and each column of the guide's table is tested, and none besides."""
    assert set(table()) == {(row, column) for row in OBSERVED for column in DRIVES}


# -- RUN-16 ------------------------------------------------------------------------------------------------------------------------


class Echo:
    """A server that gives each line back, on a loop and a thread of its own."""

    def __init__(self) -> None:
        self._ready, self._over = Event(), asyncio.Event()
        self.port = 0
        self._thread = Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    def close(self) -> None:
        """End the server."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


def notebook(workflow):
    """`run` in a cell of a notebook: an event loop runs in this thread."""

    async def cell():
        workflow.run("x", run_id="r")

    asyncio.run(cell())


@pytest.mark.spec("RUN-16")
@pytest.mark.parametrize("way", ["run", "worker", "notebook", "arun"])
def test_a_client_opened_in_step_one_works_in_step_five(db, way):
    """A connection that the first step opens is used by three more, one of them in a branch, and closed by the last."""
    client: dict[str, Any] = {}
    echo = Echo()

    async def opens(_):
        client["reader"], client["writer"] = await asyncio.open_connection("127.0.0.1", echo.port)

    async def asks(asked):
        client["writer"].write(f"{asked.step_name}\n".encode())
        return (await client["reader"].readline()).decode().strip()

    async def closes(_):
        client["writer"].close()
        await client["writer"].wait_closed()
        return "closed"

    beside = Parallel(Step("three", asks), Step("other", lambda _: None), name="p")
    workflow = Workflow("flow", [Step("one", opens), Step("two", asks), beside, Step("four", asks), Step("five", closes)], db)
    try:
        match way:
            case "run":
                workflow.run("x", run_id="r")
            case "worker":
                workflow.submit("x", run_id="r")
                Worker(workflow).work(until_idle=True)
            case "notebook":
                notebook(workflow)
            case "arun":
                asyncio.run(workflow.arun("x", run_id="r"))
    finally:
        echo.close()
    done = flat(workflow.get_run_output("r").step_results)
    assert [done[name].content for name in ("two", "three", "four", "five")] == ["two", "three", "four", "closed"]


# -- RUN-17 ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("RUN-17", "PAR-1")
@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("width", [50])
def test_as_many_branches_as_there_are(db, colour, width):
    """Plain branches of a Parallel run all at once, in `arun` as in `run`: each waits for all others."""
    barrier = Barrier(width)
    steps = [Step(f"s{n}", lambda _: barrier.wait(30)) for n in range(width)]
    workflow = Workflow("flow", [Parallel(*steps)], db)
    run = workflow.run("x") if colour == "sync" else asyncio.run(workflow.arun("x"))
    assert sorted(run.content.values()) == list(range(width))


@pytest.mark.spec("RUN-17", "PAR-1")
@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("limit", [1, 2])
def test_max_concurrency_holds_after_answers(db, colour, limit):
    """Five gates that are confirmed at once let no more than `max_concurrency` calls fly at any moment."""
    now, peak, lock, turn = [0], [0], Lock(), Event()

    def step(_):
        with lock:
            now[0] += 1
            peak[0] = max(peak[0], now[0])
        turn.wait(0.01)
        with lock:
            now[0] -= 1

    gates = [Step(f"s{n}", step, requires_confirmation=True) for n in range(5)]
    workflow = Workflow("flow", [Parallel(*gates, max_concurrency=limit)], db)
    run = workflow.run("x")
    for asked in run.steps_requiring_confirmation:
        asked.confirm()
    run = workflow.continue_run(run) if colour == "sync" else asyncio.run(workflow.acontinue_run(run))
    assert (run.status, peak[0]) == ("COMPLETED", limit)


@pytest.mark.spec("RUN-17")
def test_listing_and_deciding_do_not_wait_for_user_code(db):
    """While fifty slow steps run on a loop, a list, a decision and another run come back; nothing uses asyncio's default pool."""
    go = Event()
    slow = Workflow("slow", [Step("s", lambda _: go.wait(60))], db)
    gated = Workflow("gated", [Step("s", lambda _: 1, requires_confirmation=True)], db)

    async def main():
        tasks = [asyncio.create_task(slow.arun(n)) for n in range(50)]
        paused = await gated.arun("x")
        [asked] = await gated.alist_pauses()
        await gated.adecide(asked.run_id, asked.pause_id, "confirm")
        assert (await gated.acontinue_run(run_id=paused.run_id)).content == 1
        running: Any = asyncio.get_running_loop()
        assert running._default_executor is None
        go.set()
        return await asyncio.gather(*tasks)

    assert [run.content for run in asyncio.run(main())] == [True] * 50
