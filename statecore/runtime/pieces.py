"""Generators, and the pieces that they yield: told while a run is streamed, and never stored. The output is what a generator ends with.

A generator runs where a plain function would: in this thread, on a thread beside others, or on the event loop.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import frozen

from statecore.definition import StepOutput

from . import agents
from .agents import NOTHING

if TYPE_CHECKING:
    from statecore.core import Call, Micros

    from .execution import Execution

Tell = Callable[[Any], object]
"""What is called with each value that a generator yields."""


class Piece(NamedTuple):
    """A piece of the output of a call that is still running."""

    call: Call
    content: Any
    time: Micros


@frozen
class Manner:
    """How what is yielded is read: the output that it makes, and the content that a watcher is told of one value."""

    joined: Callable[[list[Any]], Any]
    piece_of: Callable[[Any], Any]


def joined(yielded: list[Any]) -> Any:
    """One output out of what was yielded: the last `StepOutput`; else the texts joined, or the last value."""
    outputs = [each for each in yielded if isinstance(each, StepOutput)]
    if outputs:
        return outputs[-1]
    if yielded and all(type(each) is str for each in yielded):
        return "".join(yielded)
    return yielded[-1] if yielded else None


def piece_of(each: Any) -> Any:
    """A yielded value of an executor is a piece, unless it is the output itself."""
    return NOTHING if isinstance(each, StepOutput) else each


CODE = Manner(joined, piece_of)
AGENT = Manner(agents.joined, agents.piece_of)


def manner_of(execution: Execution, call: Call) -> Manner:
    """How what a call yields is read."""
    return AGENT if getattr(execution.compiled.components[call.at], "agent", None) is not None else CODE


def piece(execution: Execution, call: Call, each: Any) -> Piece | None:
    """The piece that a value of a generator is; None for one that is not told."""
    content = manner_of(execution, call).piece_of(each)
    return Piece(call, content, execution.host.clock()) if content is not NOTHING else None


def teller(execution: Execution, call: Call, put: Callable[[Piece], object]) -> Tell | None:
    """The function that hands the pieces of a call to the listener; None where the run is not streamed."""
    if not execution.streamed:
        return None

    def tell(each: Any) -> None:
        told = piece(execution, call, each)
        if told is not None:
            put(told)

    return tell


# -- to the end --------------------------------------------------------------------------------------------------------------------

AT_HAND = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict, StepOutput})
"""What most code gives, and what is no promise of a value."""


def finish_now(value: Any, manner: Manner = CODE, tell: Tell | None = None) -> Any:
    """Bring what user code gave to its end from synchronous code: a coroutine, a generator of either colour, or the value itself."""
    while type(value) not in AT_HAND:
        value = opened(value, manner)
        if inspect.isgenerator(value):
            return exhaust(value, manner, tell)
        if inspect.isasyncgen(value):
            return run_now(aexhaust(value, manner, tell))
        if not inspect.isawaitable(value):
            return value
        value = run_now(value)
    return value


async def finish(value: Any, manner: Manner, tell: Tell | None) -> Any:
    """The same on an event loop; a plain generator has been brought to its end on a thread."""
    while type(value) not in AT_HAND:
        value = opened(value, manner)
        if inspect.isasyncgen(value):
            return await aexhaust(value, manner, tell)
        if not inspect.isawaitable(value):
            return value
        value = await value
    return value


def opened(value: Any, manner: Manner) -> Any:
    """The result of an agent; an iterator that is no generator, as the streams of clients are, as one."""
    if manner is AGENT and not agents.names_of(value):
        if isinstance(value, AsyncIterator) and not inspect.isasyncgen(value):
            return (each async for each in value)
        if isinstance(value, Iterator) and not inspect.isgenerator(value):
            return (each for each in value)
    return value


def exhaust(generator: Any, manner: Manner = CODE, tell: Tell | None = None) -> Any:
    """The output of a generator: what it returns, else what its values make."""
    yielded: list[Any] = []
    while True:
        try:
            each = next(generator)
        except StopIteration as end:
            return end.value if end.value is not None else manner.joined(yielded)
        yielded.append(each)
        if tell is not None:
            tell(each)


async def aexhaust(generator: Any, manner: Manner = CODE, tell: Tell | None = None) -> Any:
    """The output of an async generator: what its values make."""
    yielded: list[Any] = []
    async for each in generator:
        yielded.append(each)
        if tell is not None:
            tell(each)
    return manner.joined(yielded)


def run_now(awaitable: Awaitable[Any]) -> Any:
    """Run an awaitable to its end; on a thread of its own where this one already runs an event loop."""
    import asyncio  # noqa: PLC0415  # only asynchronous steps pay for it
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # the same

    async def wait() -> Any:
        return await awaitable

    if asyncio._get_running_loop() is None:  # noqa: SLF001  # the public one raises, and user code would fail in the handling of that
        return asyncio.run(wait())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, wait()).result()


# -- piece by piece ----------------------------------------------------------------------------------------------------------------


def pieces(execution: Execution, call: Call, value: Any) -> Generator[Piece, None, Any]:
    """The pieces of what user code gave, one by one, from synchronous code; returns the output. Closed early, it closes a generator."""
    manner = manner_of(execution, call)
    value = opened(run_now(value) if inspect.isawaitable(value) else value, manner)
    if inspect.isasyncgen(value):
        value = beside(value)
    if not inspect.isgenerator(value):
        return finish_now(value, manner)
    yielded: list[Any] = []
    try:
        while True:
            try:
                each = next(value)
            except StopIteration as end:
                return end.value if end.value is not None else manner.joined(yielded)
            yielded.append(each)
            told = piece(execution, call, each)
            if told is not None:
                yield told
    finally:
        value.close()


def beside(generator: Any) -> Generator[Any, None, None]:
    """The items of an async generator, from a thread of its own: it runs in one task, as it would on the user's own event loop."""
    import asyncio  # noqa: PLC0415  # only asynchronous steps pay for it
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # the same
    from queue import SimpleQueue  # noqa: PLC0415  # the same

    heard: SimpleQueue[Any] = SimpleQueue()
    tasks: list[Any] = []

    async def follow() -> None:
        tasks.extend((asyncio.get_running_loop(), asyncio.current_task()))
        async for each in generator:
            heard.put(each)

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(asyncio.run, follow())
        following.add_done_callback(lambda _: heard.put(NOTHING))
        try:
            while (each := heard.get()) is not NOTHING:
                yield each
        except GeneratorExit:
            loop, task = tasks  # it has yielded, so it has begun
            if not following.done():
                loop.call_soon_threadsafe(task.cancel)
            raise
        following.result()
