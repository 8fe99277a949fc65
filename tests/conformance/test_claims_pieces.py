"""The pieces of an output in the making: what a watcher hears of generators and streaming agents, in every store and colour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from statecore import InMemoryDb, Parallel, Step, StepOutput, Workflow
from statecore.run.workflow import StepCompletedEvent, StepOutputDelta, StepOutputEvent
from tests.conformance.drive import flat


def result(**parts: Any) -> SimpleNamespace:
    """A result of an agent, or a piece of one."""
    return SimpleNamespace(**parts)


def texts(_asked: Any, **_more: Any) -> Iterator[str]:
    """Yield texts."""
    yield from ("a", "b", "c")


async def atexts(_asked: Any, **_more: Any) -> AsyncIterator[str]:
    """Yield texts, asynchronously."""
    for each in ("a", "b", "c"):
        yield each


def whole(_asked: Any) -> Iterator[Any]:
    """Yield texts, and the output."""
    yield from ("a", "b")
    yield StepOutput("whole")


def tokens(_asked: Any, stream: Any = None) -> Any:
    """Answer with events of a stream, or with a result, as it is asked."""
    parts = [result(content=each, event="RunContent") for each in "abc"]
    beside = [result(content="looked it up", event="ToolCallCompleted")]
    return iter([*parts[:2], *beside, parts[2], result(content="abc", event="RunCompleted")]) if stream else result(content="abc")


def unended(_asked: Any, stream: Any = None) -> Any:
    """The same without an end."""
    return iter([result(content=each) for each in "abc"]) if stream else result(content="abc")


async def later(_asked: Any, stream: Any = None) -> Any:
    """A coroutine that gives an asynchronous stream."""
    return atexts(None) if stream else "abc"


def agent_of(function: Callable[..., Any]) -> Any:
    """An agent that works by a function."""
    return SimpleNamespace(run=function, name="agent")


STREAMS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "a generator": ({"executor": texts}, ["a", "b", "c"], "abc"),
    "an async generator": ({"executor": atexts}, ["a", "b", "c"], "abc"),
    "a generator with its output": ({"executor": whole}, ["a", "b"], "whole"),
    "an agent": ({"agent": agent_of(texts)}, ["a", "b", "c"], "abc"),
    "an async agent": ({"agent": agent_of(atexts)}, ["a", "b", "c"], "abc"),
    "an agent of events": ({"agent": agent_of(tokens)}, ["a", "b", "c"], "abc"),
    "an agent of events without an end": ({"agent": agent_of(unended)}, ["a", "b", "c"], "abc"),
    "an agent that gives a stream later": ({"agent": agent_of(later)}, ["a", "b", "c"], "abc"),
}


@pytest.mark.spec("AGENT-5", "RUN-5")
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_tells_the_pieces(db, drive, case, beside):
    """Watchers hear each piece in order, then the whole output; the whole output alone is stored, the same in every colour."""
    work, pieces, content = STREAMS[case]
    step = Step("s", **work)
    workflow = Workflow("flow", [Parallel(step, Step("t", lambda _: "t"), name="p") if beside else step], db)
    run = drive.run(workflow, run_id="r")
    assert flat(run.step_results)["s"].content == content
    assert [event for event in run.events if isinstance(event, StepOutputDelta)] == []
    kinds = {StepOutputDelta: "piece", StepOutputEvent: "output", StepCompletedEvent: "completed"}
    heard = [(kinds[type(e)], e.content) for e in drive.events if type(e) in kinds and e.step_name == "s"]
    whole = [("output", content), ("completed", content)]
    assert heard == ([*(("piece", each) for each in pieces), *whole] if drive.streams else [])


@pytest.mark.spec("AGENT-5")
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("colour", ["generator", "async generator", "agent"])
def test_a_piece_comes_out_as_it_is_made(beside, colour):
    """The stream yields a piece before the next one is made: the step waits until the first was heard."""
    from threading import Event

    heard = Event()

    def made(_asked: Any) -> Iterator[str]:
        yield "first"
        assert heard.wait(10)
        yield "second"

    async def amade(_asked: Any) -> AsyncIterator[str]:
        yield "first"
        assert await asyncio.to_thread(heard.wait, 10)
        yield "second"

    works: dict[str, dict[str, Any]] = {
        "generator": {"executor": made},
        "async generator": {"executor": amade},
        "agent": {"agent": agent_of(made)},
    }
    step = Step("s", **works[colour])
    steps: list[Any] = [Parallel(step, Step("t", lambda _: "t"))] if beside else [step]
    told = []
    for event in Workflow("flow", steps).run("x", stream=True):
        if isinstance(event, StepOutputDelta):
            told.append((event.content, heard.is_set(), event.step_name, event.attempt))
            heard.set()
    assert told == [("first", False, "s", 0), ("second", True, "s", 0)]


@pytest.mark.spec("AGENT-5", "CRASH-2")
@pytest.mark.parametrize("colour", ["generator", "async generator"])
def test_a_stream_that_is_closed_between_two_pieces_gives_the_run_back(colour):
    """Closed in the middle of a call, the call is interrupted, the generator is closed, and the run goes on from there at once."""
    ended: list[str] = []

    def made(_asked: Any) -> Iterator[str]:
        try:
            yield from ("a", "b")
        finally:
            ended.append("closed")

    async def amade(_asked: Any) -> AsyncIterator[str]:
        try:
            yield "a"
            if not ended:
                await asyncio.Event().wait()
            yield "b"
        finally:
            ended.append("closed")

    workflow = Workflow("flow", [Step("s", made if colour == "generator" else amade)], InMemoryDb())
    stream = workflow.run("x", run_id="r", stream=True)
    assert next(event for event in stream if isinstance(event, StepOutputDelta)).content == "a"
    stream.close()
    assert ended == ["closed"]
    assert [entry.trigger for entry in workflow.db.journal("r") if entry.at == "s"] == ["enter", "interrupt"]
    assert workflow.continue_run(run_id="r").content == "ab"


@pytest.mark.spec("AGENT-1", "AGENT-5")
def test_the_last_word_of_a_stream_counts(db, drive):
    """A part that failed on the way does not fail an agent that says at the end that it is done."""
    parts = [result(content="401", status="error"), result(content="found it", event="RunCompleted")]
    assert drive.run(Workflow("flow", [Step("s", agent=agent_of(lambda _: iter(parts)))], db)).content == "found it"


@pytest.mark.spec("AGENT-1", "AGENT-5")
@pytest.mark.parametrize("end", ["RunPaused", "RunError", "RunCancelled"])
def test_a_stream_that_says_it_is_not_done_is_not_believed(db, drive, end):
    """A stream whose last word is that the agent paused, failed or was cancelled fails the step, whatever it had said before."""
    parts = [result(content="so far", event="RunContent"), result(content="the end", event=end)]
    workflow = Workflow("flow", [Step("s", agent=agent_of(lambda _: iter(parts)), on_error="pause")], db)
    run = drive.run(workflow)
    [failed] = run.steps_with_errors
    assert failed.error_type == ("AgentPaused" if end == "RunPaused" else "AgentFailed")
    assert "the end" in failed.error_message
